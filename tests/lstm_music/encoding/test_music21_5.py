"""The reading of music21 5.5.0: each rule by hand, all rules against a slow version, and the report's own table."""

import io
import zipfile
from fractions import Fraction
from pathlib import PurePosixPath

import mido
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_music.encoding.chords import CHORD_ENCODINGS
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.music21_5 import read_events
from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import TimeSignature

QUARTER = 480
SIXTEENTH_OF_A_QUARTER = 30
DRUMS = 9
SPEC = EventSpec(reading="music21-5", chords="normal_order", quarter_length_divisors=(4, 3))  # 12 steps a quarter


def on(tick, pitch, velocity=80, channel=0):
    return tick, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(tick, pitch, channel=0):
    return tick, mido.Message("note_off", note=pitch, channel=channel)


def played(*notes, channel=0):
    """Notes (onset, end, pitch): notes of one onset start in the given order, after the notes that end there."""
    ends = [off(end, pitch, channel) for _, end, pitch in notes]
    onsets = [on(onset, pitch, 80, channel) for onset, _, pitch in notes]
    return sorted(ends + onsets, key=lambda event: event[0])


def midi(*tracks, ticks_per_quarter=QUARTER):
    """Bytes of a MIDI file; a track is a list of (tick, message), ascending."""
    file = mido.MidiFile(ticks_per_beat=ticks_per_quarter)
    for events in tracks:
        ticks = [0, *(tick for tick, _ in events)]
        messages = [message.copy(time=tick - ticks[place]) for place, (tick, message) in enumerate(events)]
        file.tracks.append(mido.MidiTrack(messages))
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def read(*tracks, signatures=(), ticks_per_quarter=QUARTER):
    return read_events(midi(*tracks, ticks_per_quarter=ticks_per_quarter), SPEC, signatures)


def rows(events):
    return list(zip(events.onset_steps.tolist(), events.duration_steps.tolist(), events.note, strict=True))


def test_the_next_note_on_ends_a_note_and_starts_none():
    events = read([on(0, 60), on(240, 60), off(480, 60), *played((960, 1440, 64))])
    assert rows(events) == [(0, 6, "C4"), (24, 12, "E4")]
    assert events.merged == 1


def test_a_note_on_of_velocity_zero_ends_a_note():
    assert rows(read([on(0, 60), on(360, 60, velocity=0)])) == [(0, 9, "C4")]


def test_an_event_of_another_pitch_channel_or_track_does_not_end_a_note():
    events = read(
        [on(0, 60), off(120, 61), off(120, 60, channel=1), off(480, 60)], [off(240, 60), *played((960, 1440, 62))]
    )
    assert rows(events) == [(0, 12, "C4"), (24, 12, "D4")]


def test_a_note_without_an_end_is_dropped_and_counted():
    events = read([on(0, 60), on(480, 62), off(960, 62)])
    assert rows(events) == [(12, 12, "D4")]
    assert events.offset_steps.tolist() == [12]
    assert events.merged == 1


@pytest.mark.parametrize("late", [0, SIXTEENTH_OF_A_QUARTER])
def test_notes_within_a_sixteenth_of_a_quarter_form_a_chord(late):
    (row,) = rows(read(played((0, 480, 60), (late, 480 + late, 64), (0, 480 - late, 67))))
    assert row == (0, 12, "0.4.7")


@pytest.mark.parametrize("other", [(31, 480, 64), (0, 511, 64), (0, 449, 64)])
def test_notes_further_apart_than_a_sixteenth_of_a_quarter_form_no_chord(other):
    events = read(played((0, 480, 60), other))
    assert events.note == ["C4", "E4"]
    assert events.merged == 0


def test_chords_are_measured_from_their_first_note():
    events = read(played((0, 480, 60), (20, 480, 64), (40, 480, 67)))
    assert events.note == ["0.4", "G4"]


def test_a_note_can_be_in_two_chords():
    events = read(played((0, 480, 60), (20, 505, 62), (20, 500, 64), (20, 525, 65)))
    assert events.note == ["0.2.4", "F4"]  # 62 is gathered at once, so nothing begins with it
    events = read(played((0, 480, 60), (0, 515, 62), (0, 505, 64)))
    assert events.note == ["0.4", "2.4"]
    assert events.merged == 0


def test_notes_of_two_tracks_never_form_a_chord():
    assert read(played((0, 480, 60)), played((0, 480, 64))).note == ["C4", "E4"]


def test_a_chord_lasts_from_the_onset_of_its_last_note_to_the_end_of_its_first():
    # 136 ticks are nearest to 1/4, the 164 of the longest note to 1/3 of a quarter
    assert rows(read(played((0, 150, 60), (14, 164, 64), (960, 1440, 60)))) == [(0, 3, "0.4"), (24, 12, "C4")]


def test_a_length_of_zero_ticks_becomes_a_quarter():
    assert rows(read([on(480, 60), off(480, 60)])) == [(12, 12, "C4")]
    assert rows(read(played((0, 20, 60), (20, 40, 64)))) == [(0, 12, "0.4")]


def test_a_duration_can_round_to_zero_steps():
    assert rows(read(played((0, 60, 60), (480, 960, 64)))) == [(0, 0, "C4"), (12, 12, "E4")]
    assert rows(read(played((0, 10, 60), (20, 30, 64), (480, 960, 67)))) == [(0, 0, "0.4"), (12, 12, "G4")]


def test_an_event_at_the_end_of_the_piece_is_lost_and_its_notes_are_counted():
    events = read(played((0, 480, 60), (480, 500, 62), (480, 500, 64)))
    assert rows(events) == [(0, 12, "C4")]
    assert events.merged == 2


def test_events_are_ordered_by_onset_track_and_position_not_by_pitch():
    first = played((0, 480, 72), (0, 240, 67), (480, 960, 71))
    second = played((0, 480, 48), (0, 960, 40))
    events = read(first, second)
    assert events.note == ["C5", "G4", "C3", "E2", "B4"]
    assert events.track.tolist() == [0, 0, 1, 1, 0]
    assert events.offset_steps.tolist() == [0, 0, 0, 0, 12]


def test_events_are_ordered_by_their_onsets_on_the_grid():
    assert read(played((10, 480, 60)), played((0, 480, 64))).note == ["C4", "E4"]


def test_drums_are_left_out_and_counted():
    events = read(played((0, 480, 36), (480, 960, 38), channel=DRUMS), played((0, 480, 60)))
    assert rows(events) == [(0, 12, "C4")]
    assert (events.drums, events.merged) == (2, 0)


def test_a_chord_has_the_velocity_of_its_loudest_note():
    events = read([on(0, 60, 50), on(0, 64, 90), on(0, 67, 70), *(off(480, pitch) for pitch in (60, 64, 67))])
    assert events.velocity.tolist() == [90]


def test_bars_follow_from_the_time_signatures():
    events = read(played((0, 960, 60), (960, 1920, 62), (2400, 2880, 64)), signatures=[TimeSignature(0, 2, 4)])
    assert events.bar.tolist() == [1, 2, 3]
    assert events.position_in_bar_steps.tolist() == [0, 0, 12]


def test_a_file_without_notes_has_no_events():
    events = read([off(0, 60), on(10, 62)])
    assert (len(events), events.merged, events.drums) == (0, 1, 0)


@pytest.mark.parametrize("data", [b"", b"Dear Clara, this is no MIDI file.", midi(played((0, 480, 60)))[:20]])
def test_bytes_that_are_not_midi_are_rejected(data):
    with pytest.raises(RejectedInputError):
        read_events(data, SPEC, ())


def slow_notes(track):
    """Pair the notes of a track, (onset, end, pitch, velocity), by the literal rule."""
    events = [(tick, message) for tick, message in track if message.channel != DRUMS]
    ended, notes = set(), []
    for place, (onset, begins) in enumerate(events):
        if place in ended or begins.type == "note_off" or begins.velocity == 0:
            continue
        for later in range(place + 1, len(events)):
            end, ends = events[later]
            if later not in ended and (ends.note, ends.channel) == (begins.note, begins.channel):
                ended.add(later)
                notes.append((onset, end, begins.note, begins.velocity))
                break
    return notes


def slow_chords(notes):
    """Return the chords of a track as lists of indices into `notes`."""
    chords, gathered = [], set()
    for place, (onset, end, *_) in enumerate(notes):
        if place in gathered:
            continue
        near = [later for later in range(place + 1, len(notes)) if notes[later][0] - onset <= SIXTEENTH_OF_A_QUARTER]
        chord = [place, *(later for later in near if abs(notes[later][1] - end) <= SIXTEENTH_OF_A_QUARTER)]
        gathered.update(chord)
        chords.append(chord)
    return chords


def nearest_step(ticks):
    points = (step for step in range(ticks // 40 + 12) if step % 3 == 0 or step % 4 == 0)
    return min(points, key=lambda step: (abs(step * 40 - ticks), step))


def slow_rows(tracks):
    found = []
    for track in tracks:
        notes = slow_notes(track)
        for chord in slow_chords(notes):
            ticks = notes[chord[0]][1] - notes[chord[-1]][0]
            text = CHORD_ENCODINGS["normal_order"].text([notes[place][2] for place in chord])
            found.append((nearest_step(notes[chord[0]][0]), nearest_step(max(ticks, 0) if ticks else QUARTER), text))
    end = max((onset + duration for onset, duration, _ in found), default=0)
    return sorted((row for row in found if row[0] < end), key=lambda row: row[0])


@st.composite
def track_events(draw):
    """Few pitches and short times, so that notes often touch, overlap and end each other."""
    times = st.sampled_from([0, 0, 1, 10, 30, 31, 60, 120, 240])
    event = st.tuples(times, st.booleans(), st.sampled_from([60, 61, 64, 72]), st.sampled_from([0, 40, 90]))
    tick, events = 0, []
    for time, is_on, pitch, velocity in draw(st.lists(event, max_size=25)):
        tick += time
        channel = draw(st.sampled_from([0, 0, 1, DRUMS]))
        events.append(on(tick, pitch, velocity, channel) if is_on else off(tick, pitch, channel))
    return events


@settings(max_examples=200, deadline=None)
@given(st.lists(track_events(), min_size=1, max_size=3))
def test_the_reading_equals_a_slow_literal_version_of_its_rules(tracks):
    events = read(*tracks)
    assert rows(events) == slow_rows(tracks)
    is_drum = [message.channel == DRUMS for track in tracks for _, message in track if is_onset(message)]
    assert events.drums == sum(is_drum)
    assert 0 <= events.merged <= len(is_drum) - events.drums


def is_onset(message):
    return message.type == "note_on" and message.velocity > 0


def test_a_chord_holds_both_of_two_notes_that_differ_only_in_channel():
    events = read([on(0, 60), on(0, 60, channel=1), off(480, 60), off(480, 60, channel=1)])
    assert events.note == ["0"]  # two notes of one pitch class
    assert events.merged == 0


@pytest.fixture(scope="session")
def golden(collection_zip):
    """The table of events that the report was trained on."""
    path = collection_zip.with_name("seed_events.parquet")
    if not path.exists():
        pytest.skip("the report's table of events is absent: ../shared/data/seed_events.parquet")
    return pd.read_parquet(path)


@pytest.mark.corpus
def test_the_37_files_of_the_report_give_its_exact_table(collection_zip, golden):
    total, notes, offsets, durations = 0, set(), set(), set()
    with zipfile.ZipFile(collection_zip) as archive:
        members = {PurePosixPath(name).name: name for name in archive.namelist()}
        files = list(golden.groupby("file", observed=True))
        for name, wanted in files:
            events = read_events(archive.read(members[name]), SPEC, ())
            offset = [round(steps / 12, 3) for steps in events.offset_steps.tolist()]
            duration = [Fraction(steps, 12) for steps in events.duration_steps.tolist()]
            assert events.note == wanted["note"].tolist(), name
            assert offset == wanted["offset"].tolist(), name
            assert duration == [Fraction(text) for text in wanted["duration"]], name
            total += len(events)
            notes.update(events.note)
            offsets.update(offset)
            durations.update(duration)
    assert (len(files), total) == (37, 72_287)
    assert (len(notes), len(offsets), len(durations)) == (277, 28, 36)

"""The MIDI files of ../shared/cases, which were read wrongly once: the right values, and what stands behind them."""

from collections import Counter
from pathlib import Path

import pytest

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi

pytestmark = pytest.mark.corpus
CASES = Path(__file__).parents[4] / "shared" / "cases"

# File → notes, drums among them, warnings, and who says so. SMF is the standard (RP-001).
RIGHT = {
    "01-volume-byte-255.mid": (128, 0, 1, "mido with clip=True, pretty_midi"),
    "01b-pitchbend-byte-192.mid": (128, 0, 1, "mido with clip=True"),
    "02b-last-track-length-too-long.mid": (128, 0, 1, "symusic"),
    "02e-type0-length-ffffffff.mid": (64, 0, 1, "the end-of-track event (SMF: mandatory)"),
    "03z-whole.mid": (320, 0, 0, "all readers"),
    "03-cut-3-bytes-short.mid": (320, 0, 1, "03z-whole"),
    "03b-cut-at-90-percent.mid": (287, 0, 1, "03z-whole"),
    "03c-cut-at-50-percent.mid": (157, 0, 1, "the note-ons before the cut"),
    "04-running-status-after-sysex.mid": (97, 0, 0, "the bytes: 33 and 64 notes, running status goes on"),
    "04b-midi-clock-byte-in-track.mid": (97, 0, 1, "mido"),
    "05-announces-8-has-6.mid": (320, 0, 1, "03z-whole"),
    "05b-announces-2-has-6.mid": (320, 0, 1, "03z-whole"),
    "05d-type0-announces-1-has-3.mid": (128, 0, 1, "its chunks"),
    "06-gs-rhythm-part-channel-12.mid": (256, 192, 0, "Roland GS: 40 1B 15 01"),
    "06b-xg-drum-bank-127-channel-11.mid": (160, 96, 0, "Yamaha XG: bank MSB 127"),
    "06d-drums-by-name-channel-4.mid": (160, 0, 1, "General MIDI: channel 4 is melodic"),
    "06e-gs-channel-10-melodic.mid": (128, 0, 0, "Roland GS: 40 10 15 00"),
    "06f-gm2-bank-121-channel-10-melodic.mid": (128, 0, 0, "General MIDI 2: bank MSB 121"),
    "07-smpte-25x40.mid": (64, 0, 1, "SMF: 25 frames a second of 40 ticks"),
    "08-riff.rmi": (64, 0, 0, "RP-002"),
    "11-last-event-far-away.mid": (128, 0, 0, "mido"),
    "11b-end-of-conductor-far-away.mid": (64, 0, 0, "mido"),
    "12-basic-and-extended.mid": (96, 32, 1, "Microsoft's authoring guidelines"),
    "13-format-2.mid": (128, 0, 0, "SMF: sequentially independent tracks"),
    "13b-format-2-one-track.mid": (64, 0, 0, "mido"),
    "14-hanging-note.mid": (257, 0, 1, "its note-ons"),
    "14b-lost-note-off.mid": (129, 0, 1, "its note-ons"),
    "15-restruck-off-one-tick-late.mid": (64, 0, 0, "its events: first on, first off"),
    "15b-on-before-off-at-one-tick.mid": (32, 0, 0, "its events"),
    "15c-legato-melody.mid": (64, 0, 0, "its events"),
    "16-denominator-2-to-33.mid": (64, 0, 1, "mido"),
    "16b-tempo-zero.mid": (64, 0, 1, "mido"),
    "16c-signature-0-4.mid": (64, 0, 1, "mido"),
    "16d-empty-tempo.mid": (64, 0, 1, "symusic"),
    "16e-denominator-256.mid": (64, 0, 1, "mido"),
    "18-offs-in-another-track.mid": (32, 0, 0, "mido with merged tracks"),
    "19b-five-byte-delta.mid": (64, 0, 0, "mido"),
    "midi_gs_drum_part.mid": (2, 2, 0, "Roland GS: 40 1A 15 01"),
    "midi_smpte_time.mid": (2, 0, 1, "SMF"),
    "midi_xg_drum_bank.mid": (1, 1, 0, "Yamaha XG: bank MSB 127"),
}
# File → how often each duration occurs, in ticks.
DURATIONS = {
    "14-hanging-note.mid": {240: 256, 480: 1},
    "14b-lost-note-off.mid": {480: 129},
    "15-restruck-off-one-tick-late.mid": {481: 63, 480: 1},
    "15b-on-before-off-at-one-tick.mid": {480: 32},
    "15c-legato-melody.mid": {500: 64},
    "18-offs-in-another-track.mid": {240: 32},
}


def read(name: str) -> PieceNotes:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the cases are absent: ../shared/cases/{name}")
    return read_midi(path.read_bytes())


@pytest.mark.parametrize("name", RIGHT)
def test_a_case_is_read_right(name):
    piece = read(name)
    notes, drums, warnings, _ = RIGHT[name]
    assert (len(piece.notes), int(piece.notes["is_drum"].sum()), len(piece.warnings)) == (notes, drums, warnings)


@pytest.mark.parametrize("name", DURATIONS)
def test_the_notes_of_a_case_end_where_they_should(name):
    assert Counter(read(name).notes["duration_ticks"].tolist()) == DURATIONS[name]


@pytest.mark.parametrize("name", ["07-smpte-25x40.mid", "midi_smpte_time.mid"])
def test_smpte_cases_have_quarters_of_half_a_second(name):
    piece = read(name)
    assert (piece.ticks_per_quarter, [tempo.microseconds_per_quarter for tempo in piece.tempos]) == (500, [500_000])

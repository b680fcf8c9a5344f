"""MIDI bytes → events exactly as the report's extractor produced them under music21 5.5.0, including its bugs.

The rules were found by running the published extractor under that version. Tests compare the result with its table.

- **Pairing.** A note-on ends at the next event of the same pitch, channel and track that has not ended a note yet. That
  event is a note-off or *another note-on*, which then starts no note (`midi.translate` tests a method instead of its
  value). A note without such an event is dropped.
- **Chords** form within a track. Start at the first note that is in no chord yet. Add each later note whose onset and end
  both lie within a sixteenth of a quarter; stop at the first onset beyond that. A note can be in two chords.
- **Duration.** A chord lasts from the onset of its *last* note to the end of its *first*. A length of 0 ticks becomes a
  quarter.
- **Grid.** Onset and duration each move to the nearest grid point. A duration of 0 is possible.
- **The end.** An event that starts where the piece ends is lost (`instrument.partitionByInstrument`).
- **Order.** Onset, then track, then position in the track; the pitch does not count.

Errors of the report *after* this step are not part of this reading: see docs/report.md.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.bars import place_in_bars
from lstm_music.encoding.chords import ChordEncoding
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import PieceEvents
from lstm_music.encoding.grid import Grid, Steps
from lstm_music.midi.notes import TimeSignature
from lstm_music.midi.reader import ReadLimits
from lstm_music.midi.smf import DRUM_CHANNEL, NOTE_OFF, NOTE_ON, TrackEvents, read_smf

CHORD_TOLERANCE_PARTS = 16  # of a quarter
_DEFAULT_LIMITS = ReadLimits()
_NEVER = -1

Note = tuple[int, int, int, int, int]  # onset tick, end tick, pitch, velocity, position in its track
Group = tuple[int, int, tuple[Note, ...]]  # onset tick, duration in ticks, notes in the order they were found


def read_events(
    data: bytes, spec: EventSpec, time_signatures: Sequence[TimeSignature], limits: ReadLimits = _DEFAULT_LIMITS
) -> PieceEvents:
    """Read the events of a MIDI file; bars follow from its `time_signatures`, given in its ticks.

    Notes without an event are counted in `merged`. Raises RejectedInputError for bytes that are not a MIDI file.
    """
    smf = read_smf(data, limits)
    groups, begun, drums = [], 0, 0
    for number, track in enumerate(smf.tracks):
        onsets, drum_onsets = _onsets(track)
        begun, drums = begun + onsets, drums + drum_onsets
        notes = _pair(track)
        groups += [(group, number) for group in _gather(notes, smf.ticks_per_quarter / CHORD_TOLERANCE_PARTS)]
    grid = spec.grid
    onset, duration = _on_grid([group for group, _ in groups], smf.ticks_per_quarter, grid)
    kept = _kept_in_order(onset, duration)
    onset, duration = onset[kept], duration[kept]
    chosen = [groups[place] for place in kept.tolist()]
    bar, position = place_in_bars(onset, time_signatures, smf.ticks_per_quarter, grid)
    used = {(track, note) for (_, _, notes), track in chosen for note in notes}
    return PieceEvents(
        note=_texts([notes for (_, _, notes), _ in chosen], spec.encoding),
        onset_steps=onset,
        offset_steps=np.diff(onset, prepend=0),
        duration_steps=duration,
        bar=bar.astype(np.int32),
        position_in_bar_steps=position,
        velocity=np.array([max(note[3] for note in notes) for (_, _, notes), _ in chosen], np.uint8),
        track=np.array([track for _, track in chosen], np.int16),
        merged=begun - len(used),
        drums=drums,
    )


def _onsets(track: TrackEvents) -> tuple[int, int]:
    """Count the note-ons by the rules of MIDI: (pitched, on the drum channel)."""
    is_onset = (track.status & 0xF0 == NOTE_ON) & (track.second > 0)
    is_drum = track.status & 0x0F == DRUM_CHANNEL
    return int(np.count_nonzero(is_onset & ~is_drum)), int(np.count_nonzero(is_onset & is_drum))


def _pair(track: TrackEvents) -> list[Note]:
    """Pair the pitched notes of one track, in file order of their onsets."""
    kind, channel = track.status & 0xF0, track.status & 0x0F
    rows = np.flatnonzero(((kind == NOTE_OFF) | (kind == NOTE_ON)) & (channel != DRUM_CHANNEL))
    ticks, pitches = track.ticks[rows].tolist(), track.first[rows].tolist()
    velocities = np.where(kind[rows] == NOTE_ON, track.second[rows], 0).tolist()
    following = _next_of_the_same(channel[rows].astype(np.int64) << 7 | track.first[rows])
    used = [False] * len(rows)
    notes = []
    for place, velocity in enumerate(velocities):
        if used[place] or not velocity:
            continue
        end = following[place]
        while end != _NEVER and used[end]:
            end = following[end]
        if end != _NEVER:
            used[end] = True
            notes.append((ticks[place], ticks[end], pitches[place], velocity, place))
    return notes


def _next_of_the_same(keys: npt.NDArray[np.int64]) -> list[int]:
    """Return for each index the next index with the same key, or `_NEVER`."""
    following = np.full(len(keys), _NEVER)
    order = np.argsort(keys, kind="stable")
    same = keys[order][:-1] == keys[order][1:]
    following[order[:-1][same]] = order[1:][same]
    found: list[int] = following.tolist()
    return found


def _gather(notes: Sequence[Note], tolerance_ticks: float) -> list[Group]:
    """Group the notes of one track into chords; a note without a chord is a group of its own."""
    gathered = [False] * len(notes)
    groups = []
    for place, (onset, end, *_) in enumerate(notes):
        if gathered[place]:
            continue
        group = [place]
        for later in range(place + 1, len(notes)):
            if notes[later][0] - onset > tolerance_ticks:
                break
            if abs(notes[later][1] - end) <= tolerance_ticks:
                group.append(later)
                gathered[later] = True
        groups.append((onset, end - notes[group[-1]][0], tuple(notes[member] for member in group)))
    return groups


def _on_grid(groups: Sequence[Group], ticks_per_quarter: int, grid: Grid) -> tuple[Steps, Steps]:
    """Return onsets and durations in steps."""
    onset = np.array([onset for onset, _, _ in groups], np.int64)
    duration = np.array([duration or ticks_per_quarter for _, duration, _ in groups], np.int64)
    return grid.onsets(onset, ticks_per_quarter), grid.onsets(np.maximum(duration, 0), ticks_per_quarter)


def _kept_in_order(onset: Steps, duration: Steps) -> npt.NDArray[np.int64]:
    """Return the indices of the events that are kept, by onset; events of one onset stay in track order."""
    order = np.argsort(onset, kind="stable")
    end = (onset + duration).max(initial=0)
    kept: npt.NDArray[np.int64] = order[onset[order] < end]
    return kept


def _texts(groups: Sequence[Sequence[Note]], encoding: ChordEncoding) -> list[str]:
    by_pitches: dict[tuple[int, ...], str] = {}
    texts = []
    for notes in groups:
        pitches = tuple(pitch for _, _, pitch, *_ in notes)
        if pitches not in by_pitches:
            by_pitches[pitches] = encoding.text(pitches)
        texts.append(by_pitches[pitches])
    return texts

"""Which value may follow which: only music that survives a write/read round trip, in the pitches of the training pieces.

An offset has to lead to a point of the grid, or reading would move the note. If every note is an event of its own, an offset of
0 needs a higher pitch than the note before, because events of one onset are read in the order of their pitches. Where there are
parts it needs a later part, or a higher pitch of the same part; each part keeps to its own pitches.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import ChordEncoding, content, drum_key
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.shapes import Shapes, shapes_of
from lstm_music.encoding.streams import PART, chain_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary, steps_of
from lstm_music.midi.general_midi import DRUMS

MANY_STEPS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Grammar:
    """The rules of one recipe's encoding as tables, its `streams`, and its `chain`: the streams as they are predicted.

    `offset_steps` int32 [offset ids] is 0 for special ids, and so is `duration_steps` [duration ids]. `on_grid` bool [steps
    per quarter, offset ids] says which offset may follow in each phase of a quarter, `notes` bool [note ids] which notes may
    be chosen, `durations` bool [duration ids] which durations. `ascending` says whether notes of one onset have to ascend; then
    the ids of notes ascend with their pitches. `shapes` are those of the note ids.

    `parts` bool [part ids] says which may play, `notes_of_part` bool [part ids, note ids] what each may play, and
    `durations_of_part` bool [part ids, duration ids] how long; without parts they have no row. `pitches` int32 [note ids] is the
    pitch of each note, -1 for a drum.
    """

    streams: tuple[str, ...]
    steps_per_quarter: int
    offset_steps: npt.NDArray[np.int32]
    duration_steps: npt.NDArray[np.int32]
    on_grid: npt.NDArray[np.bool_]
    notes: npt.NDArray[np.bool_]
    durations: npt.NDArray[np.bool_]
    ascending: bool
    shapes: Shapes
    parts: npt.NDArray[np.bool_]
    notes_of_part: npt.NDArray[np.bool_]
    durations_of_part: npt.NDArray[np.bool_]
    pitches: npt.NDArray[np.int32]

    @property
    def chain(self) -> tuple[str, ...]:
        """The streams in the order in which they are predicted."""
        return chain_of(self.streams)

    @property
    def has_parts(self) -> bool:
        """Whether events say who plays."""
        return PART in self.streams


def make_grammar(
    spec: EventSpec,
    vocabularies: Mapping[str, Vocabulary],
    max_quarters: float = math.inf,
    *,
    any_pitch: bool = False,
    played: Mapping[str, Collection[str]] = MappingProxyType({}),
    instruments: Collection[str] = (),
    pitch_range: tuple[int, int] = (0, 127),
    finest_steps: int = 1,
) -> Grammar:
    """Draw up the rules for an encoding and its vocabularies.

    No note and no silence lasts longer than `max_quarters`; if every value of a stream is longer, the shortest is allowed.
    Pitches lie within those of the training pieces, unless `any_pitch` allows all that the vocabulary has. `played` are the notes
    of each part in the training pieces; only `instruments` may play, if any are named. No note but a drum lies outside of
    `pitch_range`, MIDI numbers, both inclusive; a part that has no note in it may not play. Offsets and durations are multiples
    of `finest_steps`.
    """
    grid = spec.grid
    offsets, durations = (steps_of(vocabularies[stream], grid) for stream in ("offset", "duration"))
    phases = np.arange(grid.steps_per_quarter)
    on_grid = grid.on_grid(phases[:, None] + offsets) & _within(offsets, max_quarters * grid.steps_per_quarter)
    on_grid &= offsets % finest_steps == 0
    short_enough = _within(durations, max_quarters * grid.steps_per_quarter) & (durations % finest_steps == 0)
    parts, notes_of_part, durations_of_part = _parts(spec, vocabularies, played, instruments, any_pitch=any_pitch)
    in_range = _in_range(vocabularies["note"], spec.encoding, pitch_range)
    notes_of_part &= in_range
    return Grammar(
        tuple(vocabularies),
        grid.steps_per_quarter,
        offsets,
        durations,
        on_grid,
        _notes(vocabularies["note"], spec.encoding, any_pitch=any_pitch) & in_range,
        short_enough,
        ascending=spec.chords == "per_note",
        shapes=shapes_of(vocabularies["note"]),
        parts=parts & notes_of_part.any(1),
        notes_of_part=notes_of_part,
        durations_of_part=durations_of_part & short_enough,
        pitches=_pitches(vocabularies["note"]),
    )


def _parts(
    spec: EventSpec,
    vocabularies: Mapping[str, Vocabulary],
    played: Mapping[str, Collection[str]],
    instruments: Collection[str],
    *,
    any_pitch: bool,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say which parts may play, [part ids], which notes [part ids, note ids], and how long [part ids, duration ids]."""
    notes, durations = vocabularies["note"], steps_of(vocabularies["duration"], spec.grid)
    values = vocabularies[PART].values if PART in vocabularies else ()
    rows = [_notes_of(part, notes, played.get(part, ()), any_pitch=any_pitch) for part in values]
    is_hit = spec.drum_durations == "shortest"
    lengths = [durations == spec.grid.shortest if part == DRUMS and is_hit else durations > 0 for part in values]
    wanted = [not instruments or part in instruments for part in values]

    def behind_special(rows: list[npt.NDArray[np.bool_]], width: int) -> npt.NDArray[np.bool_]:
        none = np.zeros((SPECIAL_IDS if values else 0, width), np.bool_)
        return np.concatenate([none, np.array(rows, np.bool_).reshape(-1, width)])

    may_play = behind_special([np.array([one]) for one in wanted], 1)[:, 0]
    return may_play, behind_special(rows, notes.size), behind_special(lengths, len(durations))


def _pitches(notes: Vocabulary) -> npt.NDArray[np.int32]:
    """Return the pitch of each note id, or the lowest of several; -1 for the special ids, for drums and for a rest."""
    found = [() if drum_key(value) is not None else content(value)[0] for value in notes.values]
    return np.array([-1] * SPECIAL_IDS + [pitches[0] if pitches else -1 for pitches in found], np.int32)


def _notes_of(part: str, notes: Vocabulary, played: Collection[str], *, any_pitch: bool) -> npt.NDArray[np.bool_]:
    """Say which note ids a part may play: the drums that its pieces have, or the pitches between its lowest and highest."""
    keys = [(drum_key(value), content(value)[0]) for value in notes.values]
    heard = [pitches[0] for value in played for pitches in [content(value)[0]] if pitches]
    lowest, highest = (min(heard), max(heard)) if heard and not any_pitch else (0, 127)
    if part == DRUMS:
        allowed = [
            key is not None and (any_pitch or value in played)
            for (key, _), value in zip(keys, notes.values, strict=True)
        ]
    else:
        allowed = [key is None and lowest <= pitches[0] <= highest for key, pitches in keys]
    return np.array([False] * SPECIAL_IDS + allowed, np.bool_)


def training_range(notes: Vocabulary, encoding: ChordEncoding) -> tuple[int, int] | None:
    """Return the lowest and the highest pitch (MIDI numbers) of the training pieces; None if they hold none but drums.

    The vocabulary counts the values of the training pieces, without transpositions: those count 0. Values without octaves count
    as the pitches that the encoding writes for them.
    """
    pitches = [
        pitch
        for value, count in zip(notes.values, notes.counts, strict=True)
        if count and drum_key(value) is None
        for pitch in encoding.pitches(value)
    ]
    return (min(pitches), max(pitches)) if pitches else None


def _notes(vocabulary: Vocabulary, encoding: ChordEncoding, *, any_pitch: bool) -> npt.NDArray[np.bool_]:
    """Say which note ids may be chosen; the special ones may not."""
    span = None if any_pitch else training_range(vocabulary, encoding)
    return _in_range(vocabulary, encoding, span or (0, 127))


def _in_range(vocabulary: Vocabulary, encoding: ChordEncoding, pitch_range: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Say which note ids have no pitch outside of a range, as drums have none; the special ones are not allowed."""
    lowest, highest = pitch_range
    inside = [
        drum_key(value) is not None or all(lowest <= pitch <= highest for pitch in encoding.pitches(value))
        for value in vocabulary.values
    ]
    return np.array([False] * SPECIAL_IDS + inside, np.bool_)


def _within(steps: npt.NDArray[np.int32], most: float) -> npt.NDArray[np.bool_]:
    """Say which ids stand for values of at most `most` steps; the special ones stand for none."""
    values = steps[SPECIAL_IDS:]
    allowed = values <= max(most, values.min(initial=MANY_STEPS))
    return np.concatenate([np.zeros(SPECIAL_IDS, np.bool_), allowed])

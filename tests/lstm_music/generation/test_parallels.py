"""The guard against parallels: after two voices, every note that it blocks is a parallel by the evaluation, and no other is."""

import numpy as np
import pytest

from lstm_music.encoding.streams import ALL_STREAMS
from lstm_music.evaluation.part_notes import PartNotes
from lstm_music.evaluation.voice_leading import voice_leading
from lstm_music.generation.parallels import moves_of, parallel_notes

LOWEST, HIGHEST = 48, 80
PITCHES = np.array([-1, *range(LOWEST, HIGHEST)], np.int32)  # of the note ids, the first of which has none
STEPS = np.array([0, 4], np.int32)  # of the offset ids: together, and a quarter later
SOPRANO, ALTO, TENOR = 1, 2, 3


def events(*rows: tuple[int, int, int]) -> np.ndarray:
    """Write (offset id, part id, pitch) as tokens of one output."""
    tokens = np.zeros((len(rows), 1, len(ALL_STREAMS)), np.int32)
    for row, (offset, part, pitch) in enumerate(rows):
        tokens[row, 0, ALL_STREAMS.index("offset")] = offset
        tokens[row, 0, ALL_STREAMS.index("part")] = part
        tokens[row, 0, ALL_STREAMS.index("note")] = pitch - LOWEST + 1
    return tokens


def blocked(past: np.ndarray, offset: int, part: int) -> set[int]:
    moves = moves_of(past, STEPS, PITCHES, 4)
    found = parallel_notes(moves, np.array([part], np.int32), STEPS[[offset]], PITCHES)[0]
    return {int(pitch) for pitch in PITCHES[found]}


def counted(past: np.ndarray, part: int) -> set[int]:
    """Find the notes at the latest onset that the evaluation counts as parallels more than without them."""
    offset, own, note = (past[:, 0, ALL_STREAMS.index(stream)] for stream in ("offset", "part", "note"))
    onset, pitch = np.cumsum(STEPS[offset]), PITCHES[note].astype(np.int64)

    def parallels(pitch_now: int | None) -> int:
        extra = [] if pitch_now is None else [(onset[-1], pitch_now, part)]
        rows = [*zip(onset, pitch, own, strict=True), *extra]
        begins, pitches, parts = (np.array(column, np.int64) for column in zip(*rows, strict=True))
        later = [[other for other in begins[parts == one] if other > at] for at, one in zip(begins, parts, strict=True)]
        ends = np.array([min(found, default=10_000) for found in later], np.int64)
        notes = PartNotes(("", "soprano", "alto", "tenor"), begins, ends, pitches, parts, np.zeros(len(rows), bool))
        found = voice_leading(notes, (SOPRANO, ALTO, TENOR))
        return found.parallel_fifths + found.parallel_octaves + found.parallel_unisons

    return {pitch_now for pitch_now in range(LOWEST, HIGHEST) if parallels(pitch_now) > parallels(None)}


@pytest.mark.parametrize("random_seed", range(6))
def test_it_blocks_what_the_evaluation_counts(random_seed):
    rng = np.random.default_rng(random_seed)
    rows = [(0, SOPRANO, 67), (0, ALTO, 60), (0, TENOR, 55)]
    for _ in range(3):
        rows += [(int(part == SOPRANO), part, int(rng.integers(LOWEST, HIGHEST))) for part in (SOPRANO, ALTO, TENOR)]
    rows += [(1, SOPRANO, 67), (0, ALTO, 60), (0, TENOR, 55 + int(rng.integers(2)) * 5)]
    rows += [(1, SOPRANO, 69), (0, ALTO, 62)]
    past = events(*rows)
    assert blocked(past, 0, TENOR) == counted(past, TENOR) != set()


def test_it_blocks_nothing_for_the_first_of_an_onset_for_held_voices_and_without_a_past():
    chord = events((0, SOPRANO, 67), (0, ALTO, 60))
    assert blocked(chord, 1, ALTO) == set()
    assert blocked(events((0, SOPRANO, 67)), 0, ALTO) == set()
    moved = np.concatenate([chord, events((1, SOPRANO, 69))])
    assert blocked(moved, 0, ALTO) == {62, 76}  # a fifth below the soprano, or crossing above it
    assert blocked(moved, 1, ALTO) == set()  # the soprano is held

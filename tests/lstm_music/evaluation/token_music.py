"""Small random pieces of tokens, and a plain dictionary n-gram to compare with."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START
from lstm_music.evaluation.contexts import LONGEST_LAG, Element, TrainingPiece
from lstm_music.evaluation.ngram import Chain
from lstm_music.evaluation.smoothing import base_distribution

STREAMS = ("offset", "note", "duration")
SIZES = (6, 9, 5)
NOTE = 1
SHIFTS = (-1, 0, 1)


def shift_table(shift: int) -> np.ndarray:
    """Move a note within its values, the lowest and the highest staying where they are."""
    values = np.arange(SPECIAL_IDS, SIZES[NOTE])
    moved = np.clip(values + shift, SPECIAL_IDS, SIZES[NOTE] - 1)
    return np.concatenate([np.arange(SPECIAL_IDS), moved])


TRANSPOSITION = {shift: shift_table(shift) for shift in SHIFTS}


def random_piece(rng: np.random.Generator, length: int) -> np.ndarray:
    """Draw a piece whose tokens favour small ids, so that contexts recur."""
    columns = [SPECIAL_IDS + np.minimum(rng.geometric(0.5, length) - 1, size - SPECIAL_IDS - 1) for size in SIZES]
    return np.stack(columns, axis=1)


def random_training(rng: np.random.Generator, lengths: tuple[int, ...]) -> list[TrainingPiece]:
    shifts = [(0,), (-1, 0, 1), (0, 1)]
    return [TrainingPiece(random_piece(rng, length), shifts[number % 3]) for number, length in enumerate(lengths)]


def token_at(tokens: np.ndarray, place: int, element: Element) -> int:
    at = place - element.lag
    if at < 0:
        return START
    return int(tokens[at, element.column]) if at < len(tokens) else END


def dictionary_counts(
    pieces: list[TrainingPiece],
    stream: int,
    context: tuple[Element, ...],
    *,
    with_end: bool,
    chosen: Sequence[np.ndarray] | None = None,
) -> dict[tuple[int, ...], Counter[int]]:
    """Count what followed each context, one target at a time; only the `chosen` ones, bool [events] a piece, where given."""
    has_note = NOTE in {stream, *(element.column for element in context)}
    counts: dict[tuple[int, ...], Counter[int]] = {}
    for number, piece in enumerate(pieces):
        for shift in piece.shifts if has_note else (0,):
            tokens = piece.tokens.copy()
            tokens[:, NOTE] = TRANSPOSITION[shift][tokens[:, NOTE]]
            for place in range(len(tokens) + with_end):
                if chosen is not None and not chosen[number][place]:
                    continue
                before = tuple(token_at(tokens, place, element) for element in context)
                counts.setdefault(before, Counter())[token_at(tokens, place, Element(0, stream))] += 1
    return counts


def dictionary_distribution(
    pieces: list[TrainingPiece],
    stream: int,
    chain: Chain,
    heard: np.ndarray,
    place: int,
    *,
    with_end: bool,
) -> np.ndarray:
    """Smooth the counts level by level for the target at `place` of the piece `heard`: float64 [ids]."""
    assert place <= LONGEST_LAG or len(heard) > LONGEST_LAG
    distribution = base_distribution(SIZES[stream], chain.bottom.unknown_share, with_end=with_end)
    contexts = [((), chain.bottom.smoothing)]
    for level in chain.levels:
        contexts.append(((*contexts[-1][0], *level.added), level.smoothing))
    for context, smoothing in contexts:
        before = tuple(token_at(heard, place, element) for element in context)
        followed = dictionary_counts(pieces, stream, context, with_end=with_end).get(before, Counter())
        times = np.array([followed[token] for token in range(SIZES[stream])], float)
        kept = np.maximum(times - smoothing.discount, 0)
        taken = np.minimum(times, smoothing.discount).sum()
        distribution = (kept + (taken + smoothing.strength) * distribution) / (times.sum() + smoothing.strength)
    return distribution

"""The search for bars that lead to what follows: sequential Monte Carlo with look-ahead.

A first run of the loop makes candidates for the whole gap, each weighted by how likely the models find what stays after it. The
best, which have to differ, are the ancestors of further runs: each keeps the first half of the gap, then the first three
quarters, then seven eighths, and the rest is made again, many times. A result is replaced only by a better one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstm_music.errors import NotEnoughMusicError
from lstm_music.generation.gap_rules import GapMusic, Script
from lstm_music.generation.loop import Made
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.rewriting import Rewritten
from lstm_music.stages.music.rewritten_result import NewBars, facts_of, read_bars_made

FURTHER_RUNS = 3

ALIKE = 0.5
"""The largest share of notes that two ancestors have in common, where others can be had."""


@dataclass(frozen=True, eq=False)
class Found:
    """The results, the likeliest to lead on first; the bars that were there, if the models can read them; and the first run."""

    results: list[NewBars]
    was: NewBars | None
    first: list[NewBars | None]


def search(dataset: Dataset, read: Rewritten, rules: GapMusic, run: Callable[[int], list[Made]], results: int) -> Found:
    """Find so many new bars. `run` gives the outputs of the loop for the number of a run; the last one has the replaced music.

    Raises NotEnoughMusicError if no candidate found its way to what follows.
    """
    fresh, replay = Script(read.rows(read.given), read.gap.start), Script(read.rows(read.replayed), read.gap.stop)
    outputs = rules.script_of.shape[0]
    last = np.arange(outputs) == outputs - 1
    rules.give([fresh, replay], last.astype(np.int32))
    *first, was = (read_bars_made(dataset, read, one) for one in run(0))
    if was is not None and len(was.onsets) < len(read.replayed) - len(read.given):
        was = None
    kept = _ancestors(first, was, results)
    if not kept:
        raise NotEnoughMusicError(
            f"{read.melody.file.name}: the models found no way through {read.melody.where} to what follows; choose other bars, "
            "or train on more music"
        )
    for number, cut in enumerate(_cuts(read), start=1):
        scripts = [_until(dataset, read, one, cut) for one in kept]
        script_of = np.where(last, len(kept), np.arange(outputs) % len(kept))
        rules.give([*scripts, replay], script_of.astype(np.int32))
        for place, made in zip(script_of[:-1].tolist(), run(number), strict=False):
            one = read_bars_made(dataset, read, made)
            if one is not None and one.given_nats < kept[place].given_nats and _is_new(one, kept, was):
                kept[place] = one
    candidates = (outputs - 1) * (1 + FURTHER_RUNS)
    kept.sort(key=lambda one: one.given_nats)
    return Found([replace(one, facts=facts_of(one, was, candidates)) for one in kept], was, first)


def _cuts(read: Rewritten) -> Iterator[int]:
    """Yield until which step ancestors are kept, run by run."""
    start, length = read.gap.start, read.gap.stop - read.gap.start
    for number in range(1, FURTHER_RUNS + 1):
        yield start + length - (length >> number)


def _ancestors(candidates: "Sequence[NewBars | None]", was: NewBars | None, count: int) -> list[NewBars]:
    """Choose the best candidates that have notes, differ from what was there, and, where that can be had, from each other."""
    whole = [one for one in candidates if one is not None and one.is_new.any()]
    whole.sort(key=lambda one: one.given_nats)
    kept: list[NewBars] = []
    for most in (ALIKE, 1.0):
        for one in whole:
            if len(kept) < count and _is_new(one, kept, was) and all(_share(one, other) <= most for other in kept):
                kept.append(one)
    return kept


def _is_new(one: NewBars, kept: Sequence[NewBars], was: NewBars | None) -> bool:
    return all(one.notes != other.notes for other in (*kept, *([was] if was else [])))


def _share(one: NewBars, other: NewBars) -> float:
    """Give the share of the notes of two candidates that both have."""
    mine, theirs = {*one.notes}, {*other.notes}
    return len(mine & theirs) / len(mine | theirs)


def _until(dataset: Dataset, read: Rewritten, one: NewBars, cut: int) -> Script:
    """Give what a candidate has before a step, and what stays behind it."""
    before, stays = one.rows(dataset), read.rows(read.given)
    return Script(np.concatenate([before[before[:, 0] < cut], stays[stays[:, 0] >= cut]]), cut)

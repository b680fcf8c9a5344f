"""Start a training where an earlier one ended, even if the vocabularies have changed.

Each value keeps its weights: its row of the kernel and its column of the head move to its new id. New values begin with those of
the unknown value, which the earlier model took them for: so the training begins with what the earlier model says, and no new
value is likelier than it should be. The optimiser starts fresh, because its slots belong to the old ids. Where the earlier model
has not got the same experts, theirs begin with closed gates: without experts before, the training begins with what the earlier
model says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary
from lstm_music.errors import MismatchError
from lstm_music.models.event_model import EventModel
from lstm_music.models.windowed import QUARTERS_READ


@dataclass(frozen=True, eq=False)
class Moved:
    """The move of a column's ids: each id of `old`, int [ids kept], is the id of `new` at the same index now."""

    old: np.ndarray
    new: np.ndarray
    old_size: int
    new_size: int

    @classmethod
    def unchanged(cls, size: int) -> "Moved":
        """Give the move that keeps each of so many ids."""
        return cls(np.arange(size), np.arange(size), size, size)

    @classmethod
    def between(cls, before: Vocabulary, now: Vocabulary) -> "Moved":
        """Find the ids that both vocabularies have: the special ids, and those of shared values."""
        place = {value: index for index, value in enumerate(now.values, SPECIAL_IDS)}
        shared = [(index, place[value]) for index, value in enumerate(before.values, SPECIAL_IDS) if value in place]
        ids = np.array([*((special, special) for special in range(SPECIAL_IDS)), *shared])
        return cls(ids[:, 0], ids[:, 1], before.size, now.size)


@dataclass(frozen=True, eq=False)
class EarlierModel:
    """The start of a training: the weights of a model of the same architecture and size, and the moves of its ids by column.

    `weights` are named by their paths. The gates of experts may be missing.
    """

    weights: Mapping[str, np.ndarray]
    moved: Mapping[str, Moved]


def carry_over(earlier: EarlierModel, model: EventModel) -> None:
    """Replace the initial weights of a model by those of an earlier model; MismatchError where it has other weights."""
    axes = model.token_axes()
    gates = {variable.path for variable in model.experts.variables} if model.experts else set()
    paths = {variable.path for variable in model.weights}
    if not paths - gates <= earlier.weights.keys() <= paths:
        raise MismatchError(
            f"expected the weights {', '.join(sorted(paths))}, got {', '.join(sorted(earlier.weights))}"
        )
    weights = dict(earlier.weights)
    shapes = {variable.path: tuple(variable.shape) for variable in model.weights}
    if any(path not in weights or weights[path].shape != shapes[path] for path in gates):
        model.experts.close()
        weights = {path: weight for path, weight in weights.items() if path not in gates}
    for variable in model.weights:
        before = weights.get(variable.path)
        if before is None:
            continue
        if variable.path in axes:
            axis, columns = axes[variable.path]
            moved = [Moved.unchanged(1) if column == QUARTERS_READ else earlier.moved[column] for column in columns]
            variable.assign(_by_value(variable.numpy(), before, axis, moved))
        else:
            variable.assign(before)


def _by_value(now: np.ndarray, before: np.ndarray, axis: int, columns: Sequence[Moved]) -> np.ndarray:
    """Copy the weights of values that both have; the `columns` follow one another along the axis."""
    first_old = np.cumsum([0, *(moved.old_size for moved in columns)])[:-1]
    first_new = np.cumsum([0, *(moved.new_size for moved in columns)])[:-1]
    old = np.concatenate([first + moved.old for first, moved in zip(first_old, columns, strict=True)])
    new = np.concatenate([first + moved.new for first, moved in zip(first_new, columns, strict=True)])
    sizes = sum(moved.old_size for moved in columns), sum(moved.new_size for moved in columns)
    if sizes != (before.shape[axis], now.shape[axis]):
        raise MismatchError(
            f"expected weights for {sizes[0]} and {sizes[1]} ids, got the shapes {before.shape} and {now.shape}"
        )
    found, known = np.moveaxis(now, axis, 0).copy(), np.moveaxis(before, axis, 0)
    for moved, start_old, start_new in zip(columns, first_old, first_new, strict=True):
        if moved.old_size > UNKNOWN:
            found[start_new : start_new + moved.new_size] = known[start_old + UNKNOWN]
    found[new] = known[old]
    return np.moveaxis(found, 0, axis)

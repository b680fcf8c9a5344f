"""Begin a training where an earlier one ended, though the vocabularies have changed.

What belongs to a value is carried over by the value: its row of the kernel, its column of the head. What belongs to a value
that is new stays as it was initialised, and the optimiser begins anew: its slots would belong to other places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary
from lstm_music.errors import MismatchError
from lstm_music.models.event_model import EventModel
from lstm_music.models.windowed import QUARTERS_READ


@dataclass(frozen=True, eq=False)
class Moved:
    """Where the ids of a column went: those of `old`, int [ids kept], are those of `new` now."""

    old: np.ndarray
    new: np.ndarray
    old_size: int
    new_size: int

    @classmethod
    def unchanged(cls, size: int) -> "Moved":
        """Say that each of so many ids is what it was."""
        return cls(np.arange(size), np.arange(size), size, size)

    @classmethod
    def between(cls, before: Vocabulary, now: Vocabulary) -> "Moved":
        """Find what is in both vocabularies: the special ids, and values that they share."""
        place = {value: index for index, value in enumerate(now.values, SPECIAL_IDS)}
        shared = [(index, place[value]) for index, value in enumerate(before.values, SPECIAL_IDS) if value in place]
        ids = np.array([*((special, special) for special in range(SPECIAL_IDS)), *shared])
        return cls(ids[:, 0], ids[:, 1], before.size, now.size)


@dataclass(frozen=True, eq=False)
class EarlierModel:
    """What a training begins with: the weights of a model of the same architecture and size, and by column where its ids went."""

    weights: Sequence[np.ndarray]
    moved: Mapping[str, Moved]


def carry_over(earlier: EarlierModel, model: EventModel) -> None:
    """Put the weights of an earlier model in the place of those that a model was initialised with."""
    axes = model.token_axes()
    for variable, before in zip(model.weights, earlier.weights, strict=True):
        if variable.path in axes:
            axis, columns = axes[variable.path]
            moved = [Moved.unchanged(1) if column == QUARTERS_READ else earlier.moved[column] for column in columns]
            variable.assign(_by_value(variable.numpy(), before, axis, moved))
        else:
            variable.assign(before)


def _by_value(now: np.ndarray, before: np.ndarray, axis: int, columns: Sequence[Moved]) -> np.ndarray:
    """Copy what belongs to values that were there before; `columns` lie one after another along the axis."""
    first_old = np.cumsum([0, *(moved.old_size for moved in columns)])[:-1]
    first_new = np.cumsum([0, *(moved.new_size for moved in columns)])[:-1]
    old = np.concatenate([first + moved.old for first, moved in zip(first_old, columns, strict=True)])
    new = np.concatenate([first + moved.new for first, moved in zip(first_new, columns, strict=True)])
    sizes = sum(moved.old_size for moved in columns), sum(moved.new_size for moved in columns)
    if sizes != (before.shape[axis], now.shape[axis]):
        raise MismatchError(f"weights of {before.shape} and {now.shape} are not those of {sizes[0]} and {sizes[1]} ids")
    found = np.moveaxis(now, axis, 0).copy()
    found[new] = np.moveaxis(before, axis, 0)[old]
    return np.moveaxis(found, 0, axis)

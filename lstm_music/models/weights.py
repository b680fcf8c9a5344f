"""Writing the weights of a trained model, and reading them back before anybody relies on them.

A single failed write inside HDF5 may go unreported: the file then has its full length and loads, with other weights.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.errors import StorageError

Digests = Counter[tuple[tuple[int, ...], str]]
"""Shape and SHA-256 of arrays → how many of them there are."""


def save_weights(model: Any, path: Path) -> None:
    """Write the weights of a Keras model to a new file `*.weights.h5`.

    Raises StorageError if they cannot be written, or if the file holds others afterwards.
    """
    try:
        model.save_weights(path)
        written = _digests(_arrays(path))
    except (OSError, RuntimeError) as error:  # h5py raises either, for the same fault of the disk
        raise StorageError(f"{path}: the weights cannot be written ({_first_line(error)}); {_ADVICE}") from error
    if written != _digests(map(np.asarray, model.weights)):
        raise StorageError(f"{path}: the disk holds other weights than those that were written; {_ADVICE}")


_ADVICE = "check the disk and its free space, then run the same command again: the training goes on from its checkpoint"


def _arrays(path: Path) -> list[np.ndarray]:
    """Read every array of an HDF5 file."""
    import h5py

    arrays: list[np.ndarray] = []

    def add(_name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset):
            arrays.append(found[()])

    with h5py.File(path) as file:
        file.visititems(add)
    return arrays


def _digests(arrays: Iterable[np.ndarray]) -> Digests:
    return Counter((array.shape, hashlib.sha256(array.tobytes()).hexdigest()) for array in arrays)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

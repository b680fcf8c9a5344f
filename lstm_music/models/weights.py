"""The weights of a trained model: written, read back before anybody relies on them, and loaded from either format.

A training writes HDF5 as Keras does. A single failed write inside HDF5 may go unreported: the file then has its full length and
loads, with other weights. A bundle has the same arrays as safetensors, which hold nothing but arrays; the name of a tensor is the
path of its variable in the file of Keras, such as `layers/lstm/cell/vars/0`.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.errors import CorruptArtifactError, StorageError

SAFETENSORS = "safetensors"
"""The extension of weights in a bundle."""

_KERAS = "weights.h5"

Digests = Counter[tuple[tuple[int, ...], str]]
"""Shape and SHA-256 of arrays → how many of them there are."""


def save_weights(model: Any, path: Path) -> None:
    """Write the weights of a Keras model to a new file `*.weights.h5`.

    Raises StorageError if they cannot be written, or if the file holds others afterwards.
    """
    try:
        model.save_weights(path)
        written = _digests(read_weights(path).values())
    except (OSError, RuntimeError) as error:  # h5py raises either, for the same fault of the disk
        raise StorageError(f"{path}: the weights cannot be written ({_first_line(error)}); {_ADVICE}") from error
    if written != _digests(map(np.asarray, model.weights)):
        raise StorageError(f"{path}: the disk holds other weights than those that were written; {_ADVICE}")


def load_weights(model: Any, path: Path) -> None:
    """Give a Keras model the weights in a file of either format. Raises CorruptArtifactError where they are another model's."""
    try:
        if path.suffix != f".{SAFETENSORS}":
            model.load_weights(path)
            return
        with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch:
            as_keras = Path(scratch, f"model.{_KERAS}")
            _write_hdf5(as_keras, read_weights(path))
            model.load_weights(as_keras)
    except (ValueError, KeyError) as error:
        raise CorruptArtifactError(f"{path}: holds the weights of another model ({_first_line(error)})") from error


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a file of weights, of either format, by the path of its variable. TensorFlow is not imported.

    Raises CorruptArtifactError for a file that is no safetensors.
    """
    if path.suffix == f".{SAFETENSORS}":
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return dict(load_file(path))
        except SafetensorError as error:
            raise CorruptArtifactError(f"{path}: cannot be read as safetensors ({_first_line(error)})") from error
    return _read_hdf5(path)


def write_safetensors(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a new file: the same arrays give the same bytes. Raises OSError if it cannot be written as a whole."""
    from safetensors.numpy import save

    with path.open("xb") as file:
        file.write(save({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}))


_ADVICE = "check the disk and its free space, then run the same command again: the training goes on from its checkpoint"


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    import h5py

    arrays: dict[str, np.ndarray] = {}

    def add(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset):
            arrays[name] = found[()]

    with h5py.File(path) as file:
        file.visititems(add)
    return arrays


def _write_hdf5(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as Keras does, but for the names that it gives its groups and does not read."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


def _digests(arrays: Iterable[np.ndarray]) -> Digests:
    return Counter((array.shape, hashlib.sha256(array.tobytes()).hexdigest()) for array in arrays)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

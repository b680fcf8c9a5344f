"""The weights of a trained model by name, from the file of its training."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_NAMES = (
    (r"layers/lstm(?:_(\d+))?/cell/vars/([012])", ("kernel", "recurrent_kernel", "bias"), "lstm_{}", 1),
    (r"heads/dense(?:_(\d+))?/vars/([01])", ("kernel", "bias"), "heads/{}", 0),
)
_PARTS = re.compile(r"(head|bottleneck|experts/gate)/vars/([01])")


def read_weights(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read a file of Keras (`*.weights.h5`); the names are those of `canonical`."""
    import h5py

    found: dict[str, npt.NDArray[Any]] = {}

    def add(name: str, dataset: Any) -> None:
        if isinstance(dataset, h5py.Dataset):
            found[canonical(name)] = np.asarray(dataset[()])

    with h5py.File(path) as file:
        file.visititems(add)
    return found


def canonical(name: str) -> str:
    """Name a weight by the place at which Keras keeps it, such as `lstm_1/kernel`, `head/bias` or `experts/gate/kernel`."""
    if name == "vars/0":
        return "variance"
    for pattern, parts, named, first in _NAMES:
        if place := re.fullmatch(pattern, name):
            return f"{named.format(int(place[1] or 0) + first)}/{parts[int(place[2])]}"
    if place := _PARTS.fullmatch(name):
        return f"{place[1]}/{('kernel', 'bias')[int(place[2])]}"
    raise ValueError(f"expected a weight of this project, got {name!r}")

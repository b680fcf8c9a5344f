"""The weights of a trained model by name, from the file of its training."""

import re
from pathlib import Path
from typing import Any

import numpy.typing as npt

from lstm_music.models import weights

_NAMES = (
    (r"layers/lstm(?:_(\d+))?/cell/vars/([012])", ("kernel", "recurrent_kernel", "bias"), "lstm_{}", 1),
    (r"heads/dense(?:_(\d+))?/vars/([01])", ("kernel", "bias"), "heads/{}", 0),
)
_PARTS = re.compile(r"(head|bottleneck|experts/gate)/vars/([01])")


def read_weights(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read a file of weights, of Keras or of a bundle; the names are those of `canonical`.

    Raises CorruptArtifactError for a file that is no safetensors.
    """
    return {canonical(name): array for name, array in weights.read_weights(path).items()}


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

"""What the dataset of a bundle says of the pieces that its models learnt from, none of which it has."""

import json
from typing import Any

from lstm_music.store import Artifact

BUNDLE = "bundle"
"""In the spec of such a dataset: which dataset it was cut out of."""

TRAINING = "training"
"""The file of such a dataset that lists the pieces by split, with their credits and digests."""


def is_bundled(artifact: Artifact) -> bool:
    """Whether a dataset came in a bundle."""
    return BUNDLE in artifact.manifest["spec"]


def learnt_pieces(artifact: Artifact) -> list[dict[str, Any]]:
    """List the pieces of the dataset that this one was cut out of: split, name, credits, bytes and SHA-256 of each."""
    pieces: list[dict[str, Any]] = json.loads(artifact.file(TRAINING).read_text(encoding="utf-8"))
    return pieces

"""Bundles of a few bytes, and bundles that somebody tampered with and sealed again."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lstm_music.bundle import Contents, Keys, write_bundle
from lstm_music.bundle.manifest import MANIFEST
from lstm_music.bundle.writing import SEAL_BYTES, seal_of
from lstm_music.models.weights import write_safetensors
from lstm_music.npy import save_array

DATASET, MODEL, CARD = "ab" * 32, "cd" * 32, "ef" * 32
WEIGHTS = f"model/{MODEL}/model-0123456789abcdef.safetensors"
TOKENS = f"dataset/{DATASET}/tokens-0123456789abcdef.npy"
CONTENTS = Contents(
    name="tiny",
    recipe={"name": "tiny"},
    promoted=Keys(dataset=DATASET, models={"note": MODEL}, scorecard=CARD),
    has_copy_index=False,
    made_with={"lstm-music": "0.1.0"},
)

Members = list[tuple[str, bytes]]


def small_members(folder: Path) -> dict[str, bytes]:
    """Give members of each kind, none of which is of use."""
    write_safetensors(folder / "weights", {"layers/vars/0": np.arange(6, dtype=np.float32).reshape(2, 3)})
    save_array(folder / "tokens", np.arange(8, dtype=np.uint16).reshape(4, 2))
    return {
        "README.md": b"# tiny\n",
        WEIGHTS: (folder / "weights").read_bytes(),
        TOKENS: (folder / "tokens").read_bytes(),
        f"scorecard/{CARD}/card.json": b"{}\n",
        f"blobs/ab/{DATASET}": b"MThd",
    }


def small_bundle(folder: Path) -> Path:
    """Write a bundle that is whole, and of no use."""
    path = folder / "tiny.lstm"
    write_bundle(path, CONTENTS, small_members(folder))
    return path


def tampered(path: Path, to: Path, change: Callable[[Members], Sequence[tuple[str | zipfile.ZipInfo, bytes]]]) -> Path:
    """Write a bundle again with other members, sealed as if nothing had happened; nothing else checks them."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b" " * SEAL_BYTES
        for name, data in change(members):
            archive.writestr(name, data)
    return sealed(to)


def sealed(path: Path) -> Path:
    """Let the digest that ends a file be that of its bytes."""
    with path.open("r+b") as file:
        end = file.seek(0, 2) - SEAL_BYTES
        found = seal_of(file, end)
        file.seek(end)
        file.write(found)
    return path


def with_manifest(members: Members, change: Callable[[bytes], bytes]) -> Members:
    return [(name, change(data) if name == MANIFEST else data) for name, data in members]

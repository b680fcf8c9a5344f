"""A tree of files to read as a folder and as a zip."""

import zipfile
from pathlib import Path

import pytest

TREE = {
    "albeniz/esp1.mid": b"one",
    "bach/846.MID": b"two",
    "bach/copy of 846.mid": b"two",
    "bach/prelude.mxl": b"three",
    "bach/notes.txt": b"no music",
    "bach/.hidden.mid": b"hidden",
    ".cache/x.mid": b"hidden folder",
    "deep/er/est/Für Elise.krn": b"four",
    "top.abc": b"five",
    "README": b"no music",
}


@pytest.fixture
def tree(tmp_path) -> Path:
    root = tmp_path / "music"
    for name, data in TREE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


@pytest.fixture
def tree_zip(tmp_path) -> Path:
    path = tmp_path / "music.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("empty.mid")
        for name, data in reversed(TREE.items()):
            archive.writestr(name, data)
    return path

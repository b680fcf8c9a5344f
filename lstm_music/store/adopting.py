"""Copying a finished artifact from one storage to another, as it is: its key stays, whatever this machine would make of it."""

import shutil
from pathlib import Path

from lstm_music.store import files
from lstm_music.store.artifact import Artifact
from lstm_music.store.backend import Backend
from lstm_music.store.stage import MANIFEST, PROVENANCE


def adopt(backend: Backend, artifact: Artifact, folder: Path) -> bool:
    """Copy the files, the provenance, and the manifest last; `folder` is private. Returns whether this call made the artifact."""
    at = f"{artifact.ref.kind}/{artifact.ref.key}"
    with files.disk_errors(backend.root):
        for path in artifact.files():
            copy = folder / path.name
            shutil.copyfile(path, copy)
            files.sync(copy)
            backend.publish(copy, f"{at}/{path.name}")
        backend.replace(f"{at}/{PROVENANCE}", artifact.backend.read(f"{at}/{PROVENANCE}"), folder)
        return backend.create(f"{at}/{MANIFEST}", artifact.backend.read(f"{at}/{MANIFEST}"), folder)

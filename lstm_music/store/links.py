"""Links with names for people, beside the folders named by keys: relative, so they survive a move of the storage.

A link is replaced in one step, so a reader meets the old target or the new one. Files and folders that are not links stay.
"""

import errno
import hashlib
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from lstm_music.store import files

Targets = Mapping[str, Sequence[str]]
"""Name of a link → the key it leads to, or the keys of the files that it shows as one folder."""

PARTS = ".parts"
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without symbolic links raise."""


def make_links(root: Path, folder: str, targets: Targets, partial: Path) -> None:
    """Create or replace the links `targets` in `folder`, and remove links there that lead nowhere.

    `partial` is a private folder on the same disk. Makes no links where the file system has none.
    """
    place = root / folder
    try:
        for name, keys in targets.items():
            lead = root / keys[0] if len(keys) == 1 else _folder_of_links(root, place, keys, partial)
            _link(place / name, lead, partial)
    except OSError as error:
        if error.errno in NO_LINKS:
            return
        raise
    _remove_stale(place)


def leads(path: Path, target: Path) -> bool:
    """Whether a link leads to a file or folder that exists."""
    try:
        return path.samefile(target)
    except OSError:
        return False


def _link(path: Path, target: Path, partial: Path) -> None:
    """Let `path` lead to `target`; do nothing if it does so already or is not a link."""
    wanted = os.path.relpath(target, path.parent)
    if path.is_symlink():
        if str(path.readlink()) == wanted:
            return
    elif path.exists():
        return
    temporary = partial / uuid.uuid4().hex
    temporary.symlink_to(wanted)
    files.move(temporary, path)
    files.sync(path.parent)


def _folder_of_links(root: Path, place: Path, keys: Sequence[str], partial: Path) -> Path:
    """Give the folder with a link to each of these files, under its own name; it appears in one step."""
    folder = place / PARTS / hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]
    if not folder.is_dir():
        temporary = partial / uuid.uuid4().hex
        temporary.mkdir()
        for path in (root / key for key in keys):
            (temporary / path.name).symlink_to(os.path.relpath(path, folder))
        files.make_folder(folder.parent)
        files.move(temporary, folder)
    return folder


def _remove_stale(place: Path) -> None:
    """Remove relative links to what is gone, and folders of links that no link leads to."""
    links = [path for path in place.iterdir() if path.is_symlink()]
    for path in links:
        if not path.exists() and not path.readlink().is_absolute():
            path.unlink()
    used = {path.readlink().name for path in links if path.is_symlink() and path.readlink().parts[:1] == (PARTS,)}
    for name in files.names(place / PARTS):
        if name not in used:
            files.remove(place / PARTS / name)

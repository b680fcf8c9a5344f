"""The temporary folder of one command: everything temporary lies in it, and it goes when the command ends, however that ends.

TensorFlow writes files into the temporary folder of its process, and removes them only at an orderly end. So a command has a
folder of its own, whose name holds the id of the process; a killed one leaves it, and the next command removes it.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_OF_A_COMMAND = re.compile(r"lstm-music-(\d+)-\w+")
_own: list[Path] = []

CACHES = ("KERAS_HOME", "MPLCONFIGDIR")
"""What says where Keras and matplotlib write, if they are told."""


@contextlib.contextmanager
def own_temporary_folder() -> Iterator[Path | None]:
    """Give this process and all that it starts a temporary folder; None where none can be made, and then all goes on without."""
    before, usual = os.environ.get("TMPDIR"), tempfile.tempdir
    _remove_left_behind(Path(tempfile.gettempdir()))
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"lstm-music-{os.getpid()}-"))
    except OSError:
        yield None
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    _own.append(folder)
    if not os.access(Path("~").expanduser(), os.W_OK):
        keep_caches_here()  # else matplotlib makes a folder of its own, and misses it at the end
    try:
        yield folder
    finally:
        remove_own()
        for name in CACHES:
            if os.environ.get(name, "").startswith(str(folder)):
                del os.environ[name]
        tempfile.tempdir = usual
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


def keep_caches_here() -> None:
    """Let libraries keep their settings and caches in the folder of this command, and not in the home of the user."""
    for folder in _own:
        for name in CACHES:
            os.environ.setdefault(name, str(folder / name.lower()))


def remove_own() -> None:
    """Remove the folder of this command, for one that ends without unwinding."""
    for folder in _own:
        shutil.rmtree(folder, ignore_errors=True)
    _own.clear()


def _remove_left_behind(place: Path) -> None:
    """Remove the folders of commands of this user that were killed."""
    with contextlib.suppress(OSError):
        for folder in place.iterdir():
            found = _OF_A_COMMAND.fullmatch(folder.name)
            if found and folder.stat().st_uid == os.getuid() and not _lives(int(found[1])):
                shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

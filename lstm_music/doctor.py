"""Checks of a machine, an installation and a storage: each finds one thing, and says what to do about it."""

import base64
import http.client
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from lstm_music.errors import CorruptArtifactError, LstmMusicError
from lstm_music.rendering.soundfont import default_soundfont, require_soundfont
from lstm_music.store import Artifact, Store
from lstm_music.store.backend import is_url

Level = Literal["ok", "warning", "problem"]

DISTRIBUTION = "lstm-music"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
PYTHONS = "install Python 3.11, 3.12 or 3.13"
NEWEST_TO_PLAY = (3, 14)
"""TensorFlow has no packages for it, so only music of trained models is made there."""
SHOWN_PACKAGES = ("prefect", "tensorflow", "keras", "music21", "midirenderer", "verovio")
FEW_BYTES, TOO_FEW_BYTES = 2 << 30, 200 << 20
"""Free space of a disk below which a run of the demo is not sure to end, and below which it is sure not to."""
DEMO_BYTES = 3 << 30
"""Memory that a training of the demo takes: 2.2 GiB, and something beside it."""
INSTALL_TRAIN = "run `pip install '.[train]'` in the project's folder to read music and to train"
REPAIR = "run `lstm-music verify`, delete the folders of the files that it lists, and run again"
OF_A_CLONE = {"README.md", "inbox"}
"""What lies in the folder of a storage before anything is made."""
SERVER_SECONDS = 5.0
GPU_SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    """What a check found. `advice` is empty unless there is something to do."""

    check: str
    level: Level
    text: str
    advice: str = ""


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Look at the version of Python, (major, minor)."""
    text = f"{version[0]}.{version[1]} on {platform.system()} {platform.machine()}"
    if OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        return Finding("Python", "ok", text)
    if OLDEST_PYTHON <= version <= NEWEST_TO_PLAY:
        return Finding("Python", "warning", f"{text}; it makes music with trained models", f"to train, {PYTHONS}")
    return Finding("Python", "problem", f"{text}; expected 3.11 to 3.14", PYTHONS)


def check_packages(distribution: str = DISTRIBUTION) -> Finding:
    """Compare the installed packages with those that a distribution requires; nothing is imported."""
    try:
        required = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return Finding("Packages", "problem", f"{distribution} is not installed", f"run `pip install {distribution}`")
    faults = [fault for text in required if (fault := _fault_of(Requirement(text)))]
    if faults:
        return Finding("Packages", "problem", "; ".join(faults), "run `make install`, or install this project again")
    shown = [f"{name} {version}" for name in SHOWN_PACKAGES if (version := _version(name))]
    return Finding("Packages", "ok", ", ".join([f"{distribution} {metadata.version(distribution)}", *shown]))


def check_training(distribution: str = DISTRIBUTION) -> Finding:
    """Look for the packages that the pipeline needs, which a package that only plays does not have."""
    with suppress(metadata.PackageNotFoundError):
        required = [Requirement(text) for text in metadata.requires(distribution) or []]
        faults = [fault for one in required if not _is_of(one, "") and (fault := _fault_of(one, "train"))]
        if faults:
            return Finding(
                "Training",
                "warning",
                f"{'; '.join(faults)}: this installation makes music with trained models",
                INSTALL_TRAIN,
            )
    return Finding("Training", "ok", "the packages for it are installed")


def _is_of(required: Requirement, extra: str) -> bool:
    return required.marker is None or required.marker.evaluate({"extra": extra})


def _fault_of(required: Requirement, extra: str = "") -> str | None:
    if not _is_of(required, extra):
        return None
    installed = _version(required.name)
    if installed is None:
        return f"{required.name} is missing"
    if not required.specifier.contains(installed, prereleases=True):
        return f"{required.name}: expected {required.specifier}, got {installed}"
    return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_disk(check: str, folder: Path, advice: str) -> Finding:
    """Look at the free space of the disk on which a folder lies, or will lie."""
    path = folder.absolute()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    level: Level = "ok" if free >= FEW_BYTES else "warning" if free >= TOO_FEW_BYTES else "problem"
    return Finding(check, level, f"{_size(free)} free at {folder}", "" if level == "ok" else advice)


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Finding:
    """Look at the memory that is available, where the system says so."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read_text(encoding="ascii"))
    except OSError:
        found = None
    if found is None:
        return Finding("Memory", "ok", f"not known on this system; training the demo takes {_size(DEMO_BYTES)}")
    available = int(found[1]) << 10
    if available >= DEMO_BYTES:
        return Finding("Memory", "ok", f"{_size(available)} available")
    text = f"{_size(available)} available; training the demo takes {_size(DEMO_BYTES)}"
    return Finding("Memory", "warning", text, "close other programs, or train with `lstm-music train --model NAME`")


def check_browser() -> Finding:
    """Look for a browser, in which pages are opened."""
    try:
        name = getattr(webbrowser.get(), "name", "")
    except webbrowser.Error:
        return Finding("Browser", "warning", "none found", "copy the folder of a page to a machine with a browser")
    return Finding("Browser", "ok", str(name) or "found")


def check_soundfont(path: Path | None) -> Finding:
    """Look at a soundfont, or without one at the default."""
    try:
        font = path or default_soundfont()
        require_soundfont(font)
    except LstmMusicError as error:
        return Finding(
            "Soundfont", "problem", str(error), "give a .sf2 or .sf3 file with --soundfont, or use --audio none"
        )
    return Finding("Soundfont", "ok", str(font.name if path is None else font))


def check_prefect(url: str | None, credentials: str | None = None) -> Finding:
    """Ask the Prefect server at a URL for its health; `credentials` is `user:password`. Without a URL there is none to ask."""
    if not url:
        return Finding("Prefect", "ok", "no server is set (PREFECT_API_URL); each run starts a temporary one")
    shown = re.sub(r"//[^/@]*@", "//", url)  # without a password
    start = "start it with `make serve` or `prefect server start`, or unset PREFECT_API_URL"
    encoded = base64.b64encode((credentials or "").encode()).decode()
    headers = {"Authorization": f"Basic {encoded}"} if credentials else {}
    try:
        healthy = _ask(f"{url.rstrip('/')}/health", headers).strip() == b"true"
        if healthy:  # which it says to anybody; this needs the password
            _ask(f"{url.rstrip('/')}/admin/version", headers)
    except urllib.error.HTTPError as error:
        advice = (
            "set PREFECT_API_AUTH_STRING to user:password, or use the `source …` line of `make serve`"
            if error.code == 401
            else start
        )
        return Finding("Prefect", "problem", f"{shown} answers with status {error.code}", advice)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Finding("Prefect", "problem", f"{shown} does not answer ({getattr(error, 'reason', error)})", start)
    if not healthy:
        return Finding(
            "Prefect", "problem", f"{shown} is no Prefect server", "correct PREFECT_API_URL; it ends in /api"
        )
    return Finding("Prefect", "ok", f"{shown} answers")


def _ask(url: str, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the user's setting
    with urllib.request.urlopen(request, timeout=SERVER_SECONDS) as answer:  # noqa: S310
        text: bytes = answer.read(100)
        return text


def check_gpu(command: str | None = None) -> Finding:
    """Look for a GPU with the driver's own command, nvidia-smi, without TensorFlow."""
    command = command or shutil.which("nvidia-smi")
    if command is None:
        return Finding("GPU", "ok", "none found; training uses the CPU")
    try:
        said = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=GPU_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("GPU", "warning", f"nvidia-smi fails ({error})", "repair the driver; training uses the CPU")
    names = [line.partition(" (")[0] for line in said.stdout.splitlines()]
    if _version("nvidia-cudnn-cu12") is None:
        advice = (
            "`lstm-music doctor --full` shows whether TensorFlow sees it; if not, `pip install 'tensorflow[and-cuda]'`"
        )
        return Finding("GPU", "warning", f"{', '.join(names)}; the package nvidia-cudnn-cu12 is not installed", advice)
    return Finding("GPU", "ok", ", ".join(names))


def check_tensorflow() -> Finding:
    """Import TensorFlow, which takes seconds, and list its devices."""
    from lstm_music.models.backend import has_gpu, load_tensorflow

    try:
        load_tensorflow()
    except ImportError as error:
        return Finding("TensorFlow", "problem", f"cannot be imported ({error})", "run `make install` again")
    return Finding("TensorFlow", "ok", f"imports; it computes on the {'GPU' if has_gpu() else 'CPU'}")


def check_storage(where: str, *, full: bool = False) -> Finding:
    """Look at every manifest of a storage, and in a folder at the size of every file; `full` reads every byte."""
    try:
        store = Store(where)
        if not store.is_begun():
            return _not_begun(store)
        store.recipes()
        artifacts = list(store.artifacts())
        bad = [file.path for file in store.verify().bad] if full else [] if is_url(where) else _of_wrong_size(artifacts)
    except CorruptArtifactError as error:
        return Finding("Storage", "problem", str(error), REPAIR)
    except LstmMusicError as error:
        return Finding("Storage", "problem", str(error))
    if bad:
        return Finding("Storage", "problem", f"{len(bad)} damaged or missing, the first is {bad[0]}", REPAIR)
    if not is_url(where) and not os.access(where, os.W_OK):
        advice = "give yourself the right to write there, or use another --storage"
        return Finding("Storage", "warning", f"{where} cannot be written", advice)
    checked = "every byte checked" if full else "checked without reading every byte; `lstm-music verify` does"
    return Finding("Storage", "ok", f"{store.address}, artifacts: {len(artifacts)}, {checked}")


def _not_begun(store: Store) -> Finding:
    """Say that nothing was made in a storage; a folder of other files may be a mistyped one."""
    if not is_url(store.where) and store.root.is_dir() and {path.name for path in store.root.iterdir()} - OF_A_CLONE:
        return Finding("Storage", "warning", f"{store.address} holds other files, and no storage", "correct --storage")
    return Finding("Storage", "ok", f"nothing at {store.address} yet; fill it with `lstm-music run --recipe demo`")


def _of_wrong_size(artifacts: Iterable[Artifact]) -> list[Path | str]:
    """Give the files of artifacts in a folder that are missing, or of another size than their manifest says."""
    wrong: list[Path | str] = []
    for artifact in artifacts:
        for entry in artifact.manifest["files"].values():
            path = artifact.folder / entry["file"]
            if not path.is_file() or path.stat().st_size != entry["bytes"]:
                wrong.append(path)
    return wrong


def examine(
    storage: str, soundfont: Path | None, server: str | None, credentials: str | None, *, full: bool = False
) -> Iterator[Finding]:
    """Run all checks, one after another; `full` imports TensorFlow and reads every byte of the storage."""
    checks: list[Callable[[], Finding]] = [
        check_python,
        check_packages,
        check_training,
        lambda: check_disk("Disk", _local(storage), "free some space, or give another --storage"),
        lambda: check_disk("Temporary files", Path(tempfile.gettempdir()), "free some space, or set TMPDIR"),
        check_memory,
        check_browser,
        lambda: check_soundfont(soundfont),
        lambda: check_prefect(server, credentials),
        check_gpu,
        *([check_tensorflow] if full else []),
        lambda: check_storage(storage, full=full),
    ]
    for check in checks:
        yield check()


def _local(storage: str) -> Path:
    """Give the folder of this machine in which a storage, or what is cached of it, lies."""
    return Path.home() if is_url(storage) else Path(storage)


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"

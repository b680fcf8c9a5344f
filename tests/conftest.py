"""Fixtures for all tests."""

import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # with more, two files of tests side by side wait for each other's threads

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3_process import S3Process
from tiny_run import Tiny, made_once

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_handled() -> None:
    """Let the programs that tests start handle Ctrl-C, even if a shell runs the tests in the background and ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A server that replaces Kaggle for this process and its children, with an empty home without credentials."""
    from kaggle_server import kaggle_server

    for name in os.environ:
        if name.startswith(("KAGGLE_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home of kaggle"))
    Path.home().mkdir()
    (tmp_path / "certificates").mkdir()
    with kaggle_server(tmp_path / "certificates") as server:
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def collection_zip() -> Path:
    """A zip of the 296 piano pieces, with the layout of the Kaggle dataset."""
    path = SHARED_DATA / "classical-music-midi.zip"
    if not path.exists():
        pytest.skip("the real MIDI collection is absent: ../shared/data/classical-music-midi.zip")
    return path


@pytest.fixture(scope="module")  # its event loop runs as long as it does, and no other test could run one beside it
def browser() -> Iterator[Any]:
    """The Chromium of this machine, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("there is no Chromium here to open the page in")
    arguments = ["--autoplay-policy=no-user-gesture-required", "--mute-audio"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root with one
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Process]:
    """An S3-compatible server."""
    server = S3Process(tmp_path_factory.mktemp("s3") / "log")
    yield server
    server.end()


@pytest.fixture
def machine(s3: S3Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that switches to another machine, by name: with its own cache, and access to the server."""

    def be_on(name):
        for key, value in {**s3.settings, "LSTM_MUSIC_CACHE": str(tmp_path / name)}.items():
            monkeypatch.setenv(key, value)
        return tmp_path / name

    be_on("first")
    return be_on


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A complete run of the pipeline, made once; tests copy its storage before they change it."""
    own = tmp_path_factory.getbasetemp()
    return made_once((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "tiny")

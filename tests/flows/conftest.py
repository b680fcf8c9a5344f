"""A program with a flow that tests start, watch and end; and a server that stands for one that the user started."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from flows.server import TemporaryServer

EXAMPLE = Path(__file__).with_name("example_flow.py")
REPOSITORY = Path(__file__).parents[2]


class Program:
    """A run of example_flow.py in a home of its own, with all the processes that come of it."""

    def __init__(self, home: Path, arguments: tuple[str, ...], settings: dict[str, str]) -> None:
        self.home = home
        (home / "tmp").mkdir()
        self.mark = f"LSTM_MUSIC_TEST={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        errors = (home / "stderr").open("wb")
        inherited = {key: text for key, text in os.environ.items() if not key.startswith(("PREFECT_", "COV_CORE"))}
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLE), *arguments],
            cwd=home,
            env=inherited
            | {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": str(REPOSITORY), name: value}
            | settings,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        errors.close()

    def wait_for(self, moment: str) -> None:
        """Read what the program prints up to the line `moment`."""
        for line in self.process.stdout:
            if line == f"{moment}\n":
                return
        pytest.fail(f"the program ended before it said {moment!r}: {self.errors}")

    @property
    def errors(self) -> str:
        """What the program has printed on standard error."""
        return (self.home / "stderr").read_text()

    def finish(self) -> str:
        """Wait for the end, and return the rest of what was printed."""
        rest = self.process.stdout.read()
        self.process.wait()
        return rest

    def alive(self) -> list[str]:
        """The processes that the program has left or still runs, by their command lines."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:  # it has ended in the meantime, or is not ours
                continue
        return [command for command in found if command]  # a zombie has neither

    def left_after(self, seconds: float) -> list[str]:
        """Wait until nothing of the program is alive; return what still is after `seconds`."""
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(0.05)
        return self.alive()


@pytest.fixture
def start(tmp_path: Path):
    """Start the program with arguments and settings; it is ended with the test."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("finding the processes of a program needs /proc")
    programs = []

    def start_program(*arguments: str, **settings: str) -> Program:
        home = tmp_path / str(len(programs))
        home.mkdir()
        programs.append(Program(home, arguments, settings))
        return programs[-1]

    yield start_program
    for program in programs:
        program.process.kill()
        program.process.wait()
        program.process.stdout.close()


@pytest.fixture(scope="session")
def users_server(tmp_path_factory: pytest.TempPathFactory):
    """The settings of the client of a server that outlives the programs."""
    with TemporaryServer(tmp_path_factory.mktemp("server")) as server:
        server.wait_until_ready()
        settings = server.client_settings
        yield {key: settings[key] for key in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "NO_PROXY", "no_proxy")}

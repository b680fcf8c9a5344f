"""Programs that tests start, watch and end: one with a flow, and the command line; and a server that the user started."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from kill_run import COMMAND
from program import Program
from tiny_music import write_pieces, write_recipe

from flows.server import TemporaryServer
from lstm_music.store import Store

EXAMPLE = Path(__file__).with_name("example_flow.py")


@pytest.fixture
def start(tmp_path: Path):
    """Start the program with arguments and settings; it is ended with the test."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("finding the processes of a program needs /proc")
    programs = []

    def start_program(*arguments: str, **settings: str) -> Program:
        home = tmp_path / str(len(programs))
        home.mkdir()
        programs.append(Program(home, [sys.executable, str(EXAMPLE), *arguments], settings))
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


@dataclass(frozen=True)
class Result:
    """What a command left on a user's terminal."""

    code: int
    out: str
    errors: str

    @property
    def sentence(self) -> str:
        """The one sentence that a mistake is answered with: the only line of standard error."""
        (line,) = self.errors.splitlines()
        return line


LstmMusic = Callable[..., Result]


@pytest.fixture
def lstm_music(tmp_path: Path) -> LstmMusic:
    """Run the command as a user does, in a folder of the user's, and wait for its end."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*arguments: str | Path, **settings: str) -> Result:
        program = Program(home, [COMMAND, *map(str, arguments)], settings)
        out = program.finish()
        return Result(program.process.returncode, out, program.errors)

    return run


@dataclass(frozen=True)
class Tiny:
    """The tiny recipe, its music, and a storage in which a run of it has come to its end."""

    recipe: Path
    music: Path
    storage: Path
    result: Result

    @property
    def arguments(self) -> tuple[str, ...]:
        """What says the recipe and its music on the command line."""
        return "--recipe", str(self.recipe), "--source", str(self.music)

    def copy(self, folder: Path, *without: str) -> Path:
        """Copy the storage, so that a test may change it, but for some artifacts: a kind, or the name of a model."""
        copied = folder / "storage"
        shutil.copytree(self.storage, copied)
        for artifact in list(Store(copied).artifacts()):
            if {artifact.ref.kind, artifact.manifest["spec"].get("name")} & {*without}:
                shutil.rmtree(artifact.folder)
        return copied


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Run the whole pipeline once, with threads and a temporary server; tests copy the storage before they change it."""
    folder = tmp_path_factory.mktemp("tiny")
    recipe, music, storage = write_recipe(folder), write_pieces(folder / "music"), folder / "storage"
    arguments = ["run", "--recipe", recipe, "--source", music, "--storage", storage, "--runner", "threads", "--json"]
    program = Program(folder / "home", [COMMAND, *map(str, arguments)])
    out = program.finish()
    result = Result(program.process.returncode, out, program.errors)
    assert result.code == 0, result.errors
    return Tiny(recipe, music, storage, result)

"""Programs that tests start, watch and end: one with a flow, and the command line; and a server that the user started."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from program import COMMAND, Program
from tiny_run import Result

from flows.engine.server import TemporaryServer

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


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory):
    """A Dask scheduler with two workers, in processes of their own."""
    from dask_cluster import DaskCluster  # takes a second, which most tests can avoid

    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    for _ in range(2):
        cluster.add_worker("--nthreads", "1")
    cluster.wait_for_workers(2)
    yield cluster
    cluster.close()


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


@pytest.fixture
def lstm_music_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> LstmMusic:
    """Run the command as `lstm_music` does, but in this process: cheaper for what ends before anything heavy begins."""
    from flows.cli import app

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))

    def run(*arguments: str | Path) -> Result:
        monkeypatch.setattr("sys.argv", ["lstm-music", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        said = capsys.readouterr()
        return Result(ended.value.code or 0, said.out, said.err)

    return run

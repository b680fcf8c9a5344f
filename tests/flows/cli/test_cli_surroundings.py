"""Terminals, disks and names that a command meets: each is a sentence, and none a traceback."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from program import COMMAND, Program


def run(words, **options):
    return subprocess.run([COMMAND, *map(os.fspath, words)], capture_output=True, check=False, **options)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_of_few_characters_shows_what_it_can(tiny, encoding):
    found = run(["verify", "--storage", tiny.storage], env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.startswith(b"Checking every file ?\n")


@pytest.mark.parametrize("words", [["status", "--storage"], ["status", "--json", "--storage"], ["--help"]])
def test_an_output_that_takes_nothing_is_one_sentence(tiny, words):
    with Path("/dev/full").open("wb") as full:
        command = [COMMAND, *words, *([tiny.storage] if words[-1] == "--storage" else [])]
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert found.returncode == 1
    last = found.stderr.decode().splitlines()[-1]
    assert last.startswith("lstm-music: standard output: cannot be written (No space left on device)")


def test_a_storage_that_cannot_be_spelt_is_one_sentence(tmp_path):
    name = os.fsencode(tmp_path) + b"/s\xe9"
    found = subprocess.run([COMMAND, "status", "--storage", name], capture_output=True, check=False)
    assert found.returncode == 6
    assert found.stderr.decode().count("\n") == 1
    assert "expected a name in UTF-8" in found.stderr.decode()
    assert not Path(os.fsdecode(name)).exists()


def test_files_for_the_user_go_neither_into_the_storage_nor_through_a_link(tiny, lstm_music, tmp_path):
    generate = ["generate", "--recipe", tiny.recipe, "--storage", tiny.storage, "--json"]
    for place in (tiny.storage, tiny.storage / "blobs" / "new"):
        found = lstm_music(*generate, "--output-dir", place)
        assert found.code == 6
        assert "--output-dir: expected a folder outside the storage" in found.errors
        assert not (tiny.storage / "blobs" / "new").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "result_001.mid").symlink_to(tmp_path / "elsewhere.mid")
    found = lstm_music(*generate, "--output-dir", tmp_path / "mine")
    assert found.code == 6
    assert "--output-dir: expected a folder without result_001.mid" in found.errors
    assert not (tmp_path / "elsewhere.mid").exists()
    (tmp_path / "index.html").touch()
    found = lstm_music(*generate, "--random-seed", 9, "--output-dir", tmp_path)
    assert found.code == 6
    assert "--output-dir: expected a folder without index.html" in found.errors
    assert "Loading the models" not in found.errors


@pytest.mark.operation
def test_status_says_where_it_looked(tiny, lstm_music, tmp_path):
    assert lstm_music("status", "--storage", tiny.storage).out.splitlines()[0] == f"Storage: {tiny.storage}"
    (tmp_path / "letter.txt").write_text("Dear")
    found = lstm_music("status", "--storage", tmp_path)
    assert found.out.splitlines()[0] == f"Storage: {tmp_path}: nothing was ever made here"
    assert json.loads(lstm_music("status", "--storage", tmp_path, "--json").out)["recipes"] == {}


@pytest.mark.parametrize("words", ["status --storage '{}'", "status --json --storage '{}'", "--help"])
@pytest.mark.parametrize("stream", [1, 2])
def test_a_closed_stream_is_no_traceback(tiny, words, stream):
    command = f"'{COMMAND}' {words.format(tiny.storage)} {stream}>&-"
    found = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert found.returncode == 0
    assert "Traceback" not in found.stderr


def test_the_result_for_programs_needs_no_place_for_the_log(tiny):
    with Path("/dev/full").open("wb") as full:
        command = [COMMAND, "status", "--json", "--storage", tiny.storage]
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, check=False)
    assert found.returncode == 0
    assert "tiny" in json.loads(found.stdout)["recipes"]


def test_a_command_removes_what_killed_ones_left_and_its_own(lstm_music_here, tmp_path, monkeypatch):
    ended = subprocess.Popen(["true"])
    ended.wait()
    for name in (f"lstm-music-{ended.pid}-left", f"lstm-music-{os.getppid()}-used", "lstm-music-mine"):
        (tmp_path / "tmp" / name / "inner").mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    assert lstm_music_here("--version").code == 0
    assert {path.name for path in (tmp_path / "tmp").iterdir()} == {
        f"lstm-music-{os.getppid()}-used",
        "lstm-music-mine",
    }


@pytest.mark.operation
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
def test_nothing_temporary_is_left_of_a_command_or_its_children(tiny, tmp_path, signal_):
    """A process that ends at once has no time to remove what it wrote."""
    music = ["generate", "--recipe", tiny.recipe, "--storage", tiny.copy(tmp_path), "--random-seed", "77"]
    program = Program(tmp_path / "home", [COMMAND, *map(str, music)])
    own = tmp_path / "home" / "tmp"
    while not any(own.rglob("result_*.mid")):
        assert program.process.poll() is None, program.errors
        time.sleep(0.05)
    program.process.send_signal(signal_)
    program.finish()
    if signal_ == signal.SIGKILL:  # the next command removes what this one left
        next_one = Program(tmp_path / "home", [COMMAND, "status", "--storage", str(tiny.storage)])
        next_one.finish()
    assert list(own.iterdir()) == []

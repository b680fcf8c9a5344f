"""Kaggle from the command line: what a person sees, and where their credentials are not."""

import json
import os
import random
import sys
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import httpx
import pytest
from kaggle_server import SIGNATURE, Answer, Dataset
from program import COMMAND, Program
from tiny_music import piece, write_recipe
from zip_bytes import zip_bytes

from flows.engine.worker_process import WorkerContext
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.store import Store

SECRET = "KGAT_0f9e8d7c6b5a43210f9e8d7c6b5a4321"
PRIVATE = "alice/music"


@pytest.fixture
def server(kaggle):
    """The server with a dataset that only the owner of the credentials may have."""
    data = zip_bytes([(f"bach/{number:02d}.mid", piece(number)) for number in range(8)])
    kaggle.datasets[PRIVATE] = Dataset(data, owner="alice")
    kaggle.tokens[SECRET] = "alice"
    return kaggle


def test_a_dataset_is_taken_in_and_then_found(lstm_music, tmp_path, server):
    storage = tmp_path / "storage"
    arguments = ["ingest", "--source", f"kaggle:{PRIVATE}", "--storage", storage, "--json"]
    first, second = (lstm_music(*arguments, KAGGLE_API_TOKEN=SECRET) for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.errors
    assert "Ingesting kaggle:alice/music …" in first.errors
    size = len(server.datasets[PRIVATE].data)
    assert f"Downloaded {size:,} of {size:,} bytes" in first.errors
    assert "Downloaded" not in second.errors
    assert json.loads(first.out) == json.loads(second.out)
    (inputs,) = Store(storage).refs("inputs")
    rows = read_inputs(Store(storage), inputs)
    assert [row.name for row in rows] == [f"bach/{number:02d}.mid" for number in range(8)]
    assert {(row.composer, row.source) for row in rows} == {("bach", "Kaggle dataset alice/music")}


def test_a_recipe_may_name_kaggle_as_its_source(lstm_music, tmp_path, server):
    recipe = write_recipe(tmp_path)
    recipe.write_text(f'source = "kaggle:{PRIVATE}"\n{recipe.read_text()}')
    server.datasets[PRIVATE].owner = None
    found = lstm_music("prepare", "--recipe", recipe, "--storage", tmp_path / "storage", "--json")
    assert found.code == 0, found.errors
    assert json.loads(found.out)["pieces"] == 8


@pytest.mark.parametrize(
    ("text", "answer", "sentence"),
    [
        (PRIVATE, None, "requires credentials for alice/music (403); create a token"),
        ("alice/gone", None, "alice/gone is not on Kaggle"),
        (
            PRIVATE,
            Answer(418, b"Bearer " + SECRET.encode(), "text/html"),
            "refuses the download of alice/music (status 418)",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_exit_code_3(lstm_music, tmp_path, server, text, answer, sentence):
    server.api += [answer] if answer else []
    found = lstm_music("ingest", "--source", f"kaggle:{text}", "--storage", tmp_path / "storage")
    assert found.code == 3
    assert sentence in found.sentence
    assert SECRET not in found.errors
    assert SIGNATURE not in found.errors


def test_a_run_that_is_killed_leaves_no_process_and_the_next_goes_on(lstm_music, tmp_path, server):
    noise = random.Random(1).randbytes(1_000_000)
    server.datasets[PRIVATE] = Dataset(zip_bytes([("bach/noise.mid", noise)], zipfile.ZIP_STORED))
    server.cuts, server.silent = [300_000], True
    home = tmp_path / "home"
    words = [COMMAND, "ingest", "--source", f"kaggle:{PRIVATE}", "--storage", str(home / "storage"), "--json"]
    killed = Program(home, words)
    partial = home / "storage" / "unfinished" / "kaggle" / "alice" / "music.zip"
    while not partial.exists() or partial.stat().st_size < 4 << 16:
        assert killed.process.poll() is None, killed.errors
        time.sleep(0.02)
    killed.kill()
    assert killed.left_after(10) == []
    found = lstm_music(*words[1:])
    assert found.code == 0, found.errors
    assert server.downloads()[-1].headers["Range"] == f"bytes={4 << 16}-"
    assert list(partial.parent.glob("*.zip*")) == []


FLOW = """
from flows.engine.server import orchestrated
with orchestrated():
    from flows.ingest import ingest
    from lstm_music.errors import SourceError
    try:
        print(ingest(source="kaggle:alice/music"))
    except SourceError as error:
        print(error)
"""


@pytest.mark.slow
def test_the_server_of_prefect_sees_the_download_and_no_secret(tmp_path, server, users_server):
    settings = {**users_server, "KAGGLE_API_TOKEN": SECRET}
    command = [sys.executable, "-c", FLOW]
    assert "inputs/" in Program(tmp_path / "good", command, settings).finish()
    server.tokens.clear()
    assert "rejects the credentials in KAGGLE_API_TOKEN (401)" in Program(tmp_path / "bad", command, settings).finish()
    said = [
        httpx.post(
            f"{users_server['PREFECT_API_URL']}/{kind}/filter",
            json={},
            auth=tuple(users_server["PREFECT_API_AUTH_STRING"].split(":")),
        )
        for kind in ("artifacts", "logs", "flow_runs", "task_runs")
    ]
    assert any(artifact["key"] == "download" and artifact["data"] == 100 for artifact in said[0].json())
    assert any("(401)" in (run["state"]["message"] or "") for run in said[2].json())
    for answer in said:
        assert SECRET not in answer.text
        assert SIGNATURE not in answer.text


def environments(mark):
    """Give (process, command line) → its environment, of every process of a program."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
            # Between its fork and its exec a process is a copy of its parent, with the environment of its parent.
            is_one_program = (folder / "cmdline").read_bytes() == command
            if is_one_program and mark.encode() in environment.split(b"\0"):
                found[int(folder.name), command] = environment
        except OSError:  # it has ended in the meantime, or is not ours
            continue
    return found


@pytest.mark.operation
def test_credentials_are_nowhere_but_where_they_are_needed(tmp_path, server):
    if not Path("/proc/self/environ").exists():
        pytest.skip("reading the environment of other processes needs /proc")
    home = tmp_path / "home"
    arguments = ["run", "--recipe", write_recipe(tmp_path), "--source", f"kaggle:{PRIVATE}"]
    arguments += ["--storage", home / "storage", "--json"]
    program = Program(home, [COMMAND, *map(str, arguments)], {"KAGGLE_API_TOKEN": SECRET})
    seen, ended = {}, threading.Event()

    def watch():
        while not ended.is_set():
            seen.update(environments(program.mark))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out = program.finish()
    ended.set()
    watcher.join()
    assert program.process.returncode == 0, program.errors

    main = {command for (process, command) in seen if process == program.process.pid}
    others = {process: text for (process, command), text in seen.items() if command not in main and command}
    holding = [process for process, text in others.items() if SECRET.encode() in text]
    assert len(holding) == 1  # the child that downloads
    assert len(others) >= 6  # it, the server, three trainings, renderings

    for text in (out, program.errors):
        assert SECRET not in text
        assert SIGNATURE not in text
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 30
    for path in files:
        data = path.read_bytes()
        assert SECRET.encode() not in data, path
        assert SIGNATURE.encode() not in data, path
    assert server.asked_for()[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_the_processes_of_a_pool_have_no_credentials(monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    with ProcessPoolExecutor(1, mp_context=WorkerContext()) as pool:
        assert pool.submit(os.getenv, "KAGGLE_API_TOKEN").result() is None
        assert pool.submit(os.getenv, "HOME").result() == os.environ["HOME"]
    assert os.environ["KAGGLE_API_TOKEN"] == SECRET

"""The whole pipeline as a user meets it: what it says, what it makes, and that it makes the same however it is made."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pandas as pd
import pytest
from kill_run import contents, kill_after, require_valid
from program import COMMAND, Program
from tiny_music import PIECES, write_pieces

from flows.cli.interrupt import KEPT
from lstm_music.encoding.streams import STREAMS
from lstm_music.midi.reader import read_midi
from lstm_music.store import Store

pytestmark = pytest.mark.slow

PREPARED = {
    "pieces",
    "with_warnings",
    "rejected",
    "duplicates",
    "notes",
    "events",
    "windows",
    "classes",
    "events_parquet",
}
SPLIT = {"pieces", "events", "notes", "nats_total", "nll_per_event", "streams", "baselines"}
BASELINES = {"majority", "previous", "ngram", "ngram_joint"}


def result_of(out: str) -> dict:
    """The last thing on standard output, which has to be one JSON object."""
    return json.loads(out.splitlines()[-1])


def test_run_says_all_that_was_made_and_no_library_says_a_word(tiny):
    assert tiny.result.out.count("\n") == 1
    said = result_of(tiny.result.out)
    assert said.keys() == {"prepare", "evaluate", "generate"}
    known = ("Recipe", "Ingesting", "Training", *STREAMS, "The models are promoted", "Read 8 inputs", "960 notes")
    assert tiny.result.errors.startswith(known[0])
    assert "Warning" not in tiny.result.errors.replace("\nWarning: The ", "\n")  # ours, about the models
    assert "Traceback" not in tiny.result.errors
    for sentence in known:
        assert f"\n{sentence}" in f"\n{tiny.result.errors}"


def test_what_is_said_of_the_preparation_is_what_lies_there(tiny):
    said = result_of(tiny.result.out)["prepare"]
    assert said.keys() == PREPARED
    assert (said["pieces"], said["rejected"], said["duplicates"], said["notes"]) == (PIECES, 0, 0, PIECES * 120)
    events = pd.read_parquet(said["events_parquet"])
    assert len(events) == said["events"]
    assert said["classes"] == {stream: events[stream].nunique() for stream in STREAMS}
    assert said["windows"].keys() == {"train", "validation", "test"}
    assert all(said["windows"].values())


def test_the_score_card_has_every_number_that_was_promised(tiny):
    card = result_of(tiny.result.out)["evaluate"]
    assert card["protocol"] == "by piece"
    assert card["splits"].keys() == {"validation", "test"}
    for split in card["splits"].values():
        assert split.keys() >= SPLIT
        assert split["nll_per_event"] == pytest.approx(split["nats_total"] / split["events"])
        assert split["nll_per_event"] == pytest.approx(sum(stream["nll"] for stream in split["streams"].values()))
        assert split["baselines"].keys() == BASELINES
        for predictor in [split, *split["baselines"].values()]:
            assert predictor["streams"].keys() == {*STREAMS}
            for stream in predictor["streams"].values():
                assert stream.keys() >= {"nll", "perplexity", "accuracy", "classes"}


def test_the_generated_music_is_there_and_as_long_as_was_said(tiny):
    said = result_of(tiny.result.out)["generate"]
    assert {"outputs", "name", "directory", "page", "command", "command_for_more", "warnings"} == said.keys()
    assert "<audio" in Path(said["page"]).read_text()
    index = Path(said["directory"]).parent / "index.html"
    assert f"{Path(said['directory']).name}/index.html" in index.read_text()
    assert len(said["outputs"]) == 2
    for output in said["outputs"]:
        assert output.keys() >= {"midi", "prompt_midi", "settings", "events"}
        assert len(read_midi(Path(output["midi"]).read_bytes()).notes) == output["events"] >= 12
        assert len(read_midi(Path(output["prompt_midi"]).read_bytes()).notes) == 16
        assert Path(output["midi"]).parent == Path(said["directory"])
        assert json.loads(Path(output["settings"]).read_text())["events"] == output["events"]


def test_status_verify_and_evaluate_say_the_same_for_programs(tiny, lstm_music):
    said = result_of(tiny.result.out)
    status = lstm_music("status", "--storage", tiny.storage, "--json")
    (recipe,) = result_of(status.out)["recipes"].values()
    assert recipe["nll_per_event"] == {
        split: card["nll_per_event"] for split, card in said["evaluate"]["splits"].items()
    }
    verified = lstm_music("verify", "--storage", tiny.storage, "--json")
    found = result_of(verified.out)
    assert found == {
        "artifacts": len(list(Store(tiny.storage).refs())),
        "files": found["files"],
        "bad": [],
        "missing": [],
    }
    card = lstm_music("evaluate", "--recipe", tiny.recipe, "--storage", tiny.storage, "--json")
    assert result_of(card.out) == said["evaluate"]


def test_without_json_the_same_is_said_on_standard_output(tiny, lstm_music):
    found = lstm_music("run", *tiny.arguments, "--storage", tiny.storage)
    assert (found.code, found.errors) == (0, "")
    assert "ngram_joint" in found.out
    assert f"Listen: {result_of(tiny.result.out)['generate']['page']}" in found.out


def test_a_second_run_makes_nothing_and_starts_no_server(tiny, lstm_music, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tiny.storage.rglob("*") if path.is_file()}
    found = lstm_music(
        "run", *tiny.arguments, "--storage", tiny.storage, "--json", PREFECT_API_URL="http://127.0.0.1:9"
    )
    assert found.code == 0
    assert result_of(found.out) == result_of(tiny.result.out)
    after = {path: path.stat().st_mtime_ns for path in tiny.storage.rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} == set()
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["stderr", "tmp"]


def test_more_files_are_parsed_alone_and_make_the_bytes_of_all_at_once(tiny, lstm_music, tmp_path):
    storage, music = tmp_path / "storage", write_pieces(tmp_path / "music", range(PIECES - 3))
    arguments = ["--recipe", tiny.recipe, "--source", music, "--storage", storage]
    assert lstm_music("prepare", *arguments).code == 0
    (first,) = Store(storage).refs("parsed")
    write_pieces(music)
    assert lstm_music("prepare", *arguments).code == 0
    (second,) = set(Store(storage).refs("parsed")) - {first}
    assert len(Store(storage).open(second).manifest["spec"]["contents"]) == 3
    fresh, grown = contents(tiny.storage), contents(storage)
    made = {place: data for place, data in fresh.items() if place.startswith(("notes/", "events/", "dataset/"))}
    assert {place: grown.get(place) for place in made} == made


@pytest.mark.operation  # a minute; single trainings and stages are killed in tests of their own
def test_a_run_that_is_killed_and_interrupted_goes_on_to_the_same_bytes(tiny, tmp_path):
    storage, home = tmp_path / "storage", tmp_path / "home"
    arguments = [*tiny.arguments, "--storage", str(storage), "--runner", "processes"]
    rng = random.Random(2)
    for longest in (4.0, 15.0):  # while it starts; while it parses or trains
        killed = kill_after(rng.uniform(0, longest), home, arguments)
        assert killed is not None
        require_valid(storage, killed)
    interrupted = Program(home, [COMMAND, "run", *arguments])
    while interrupted.process.poll() is None and not list(storage.glob("checkpoints/*.json")):
        time.sleep(0.05)
    os.killpg(interrupted.process.pid, signal.SIGINT)
    interrupted.finish()
    assert interrupted.process.returncode == 130
    assert interrupted.errors == KEPT
    require_valid(storage, interrupted)
    assert kill_after(float("inf"), home, arguments) is None
    assert contents(storage) == contents(tiny.storage)
    assert Store(storage).verify().bad == []


FLOWS = """
import sys
from flows.engine.server import orchestrated
recipe, music, storage = sys.argv[1:]
with orchestrated():
    from flows.generate import generate
    from flows.train_all import train_all
    print(train_all(recipe, music, storage).reason)
    print(generate(recipe, storage, num_outputs=1, random_seed=9).kind)
"""


@pytest.mark.operation  # test_operation.py runs deployments against a server
def test_the_flows_run_against_a_server_of_the_user_and_are_seen_there(tiny, tmp_path, users_server):
    storage = tiny.copy(tmp_path, "duration", "scorecard", "generations")
    ask = {"auth": tuple(users_server["PREFECT_API_AUTH_STRING"].split(":")), "trust_env": False}
    program = Program(
        tmp_path / "home",
        [sys.executable, "-c", FLOWS, str(tiny.recipe), str(tiny.music), str(storage)],
        users_server,
    )
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    assert out.splitlines()[-2:] == ["the promoted models of this recipe are the same", "generations"]
    made = contents(storage)
    kept = {place: data for place, data in contents(tiny.storage).items() if not place.startswith("generations/")}
    assert {place: made.get(place) for place in kept} == kept

    def found(what: str) -> list[dict]:
        answer = httpx.post(f"{users_server['PREFECT_API_URL']}/{what}/filter", json={"limit": 200}, **ask)
        return answer.json()

    keys = {artifact["key"] for artifact in found("artifacts")}
    assert {"train-duration", "score-card", "curves-tiny", "promotion-tiny", "generation"} <= keys
    lines = [line["message"] for line in found("logs")]
    assert any("duration: epoch 2 of 2" in line for line in lines)
    assert any(line.startswith("The validation split has only 1 piece") for line in lines)
    assert {"train-all", "generate"} <= {flow["name"] for flow in found("flows")}


def test_generation_is_copied_where_it_was_asked_for_or_one_sentence_says_why_not(tiny, lstm_music, tmp_path):
    generate = ["generate", "--recipe", tiny.recipe, "--storage", tiny.storage, "--json"]
    there = result_of(lstm_music(*generate, "--output-dir", tmp_path / "mine").out)
    assert there["directory"] == str(tmp_path / "mine")
    made = result_of(tiny.result.out)["generate"]
    for copy, original in zip(there["outputs"], made["outputs"], strict=True):
        assert Path(copy["midi"]).read_bytes() == Path(original["midi"]).read_bytes()
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        found = lstm_music(*generate, "--output-dir", place)
        assert found.code == 6
        assert found.out == ""
        assert f"--output-dir: {place} cannot be written" in found.errors.splitlines()[-1]
    assert (tmp_path / "file").read_text() == "mine"


def test_what_was_prepared_since_has_no_models_yet(tiny, lstm_music, tmp_path):
    storage, music = tiny.copy(tmp_path), write_pieces(tmp_path / "music", range(PIECES + 2))
    assert lstm_music("prepare", "--recipe", tiny.recipe, "--source", music, "--storage", storage).code == 0
    found = lstm_music("evaluate", "--recipe", tiny.recipe, "--storage", storage)
    assert found.code == 8
    assert "what was prepared last has no trained model yet for offset, note, duration; train with" in (found.sentence)


@pytest.mark.operation  # trains twice; tests of the stages do so, too
def test_a_warm_start_begins_with_the_models_in_use(tiny, lstm_music, tmp_path):
    storage, music = tiny.copy(tmp_path), write_pieces(tmp_path / "music", range(PIECES + 2))
    asked = ("--recipe", tiny.recipe, "--source", music, "--storage", storage)
    found = lstm_music("train", *asked, "--warm-start", "--json")
    assert found.code == 0
    warm = [ref for ref in Store(storage).refs() if ref.kind == "model" and len(Store(storage).open(ref).inputs) == 2]
    epochs = [Store(storage).open(ref).manifest["spec"]["training"]["epochs"] for ref in warm]
    assert epochs == [3, 3, 3]  # the recipe's warm_epochs, and not its 2 epochs
    card = result_of(found.out)
    assert result_of(lstm_music("evaluate", "--recipe", tiny.recipe, "--storage", storage, "--json").out) == card
    again = lstm_music("train", *asked, "--warm-start", "--json")
    assert "Training" not in again.errors
    assert result_of(again.out) == card


@pytest.mark.operation
def test_a_warm_start_without_models_begins_from_nothing_and_says_so(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path, "model", "scorecard", "generations")
    (storage / "current.json").unlink()
    found = lstm_music("train", *tiny.arguments, "--storage", storage, "--warm-start", "--model", "note", "--json")
    assert "No promoted models to start from for offset, note, duration: training starts from scratch" in found.errors
    assert found.code == 0


def test_a_reader_that_goes_away_is_no_traceback(tiny):
    command = f"'{COMMAND}' status --storage '{tiny.storage}' | true"
    found = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in found.stderr

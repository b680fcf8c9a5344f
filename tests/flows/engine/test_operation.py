"""Deployments, schedules, the inbox and killed workers, with a real Prefect server and worker: see docs/operation.md."""

import itertools
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from served import Served
from tiny_music import RECIPE, piece, write_pieces, write_recipe

from lstm_music.recipe import load_recipe
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.inbox.news import remember_seen
from lstm_music.store import Store

CRASHED_WITHIN_SECONDS = 120.0


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("served"))
    yield found
    assert found.close().endswith("a training continues at its next run.\n")
    assert found.program.left_after(10) == []


@pytest.fixture
def storage(tiny, tmp_path):
    """A storage in which the tiny recipe has been trained, with an empty inbox."""
    copied = tiny.copy(tmp_path)
    (copied / "inbox").mkdir()
    return copied


def asked(tiny, storage, **others):
    return {"recipe": str(tiny.recipe), "storage": str(storage), **others}


@pytest.mark.operation
@pytest.mark.slow
def test_what_cannot_be_read_leads_by_a_schedule_and_an_event_to_a_report_without_a_training(served, tmp_path):
    store, path = Store(tmp_path / "storage"), write_recipe(tmp_path)
    recipe = load_recipe(str(path))
    inputs = ingest(store, recipe, str(write_pieces(tmp_path / "music")))
    prepare(store, recipe, inputs)
    remember_seen(store, recipe.name, inputs)
    (store.root / "inbox").mkdir()
    (store.root / "inbox" / "bad.mid").write_bytes(b"MThd and no more")
    with served.scheduled("watch", recipe=str(path), storage=str(store.root), settle_seconds=0.5):
        served.wait(lambda: served.runs("retrain"), 300, "retrain, asked for by the event")
    run = served.ended(served.runs("retrain")[0]["id"], 300)
    assert run["state_type"] == "COMPLETED", served.log_of(run["id"])
    report = served.artifact("retraining-tiny")
    assert "No training needed" in report
    assert "`inbox/bad.mid`: `bad MIDI format" in report
    assert served.runs("train-all") == []
    assert list(store.refs("model")) == []
    assert run["name"] == "retrain tiny: no other music"
    begun = [look for look in served.runs("watch") if look["state_type"] != "CANCELLED"]
    assert {look["name"] for look in begun} == {"watch tiny"}
    said = served.program.errors
    assert not [
        noise for noise in ("HTTP Request", "Traceback", "database is locked", "Action failed") if noise in said
    ]


@pytest.mark.operation
def test_train_all_comes_to_its_end(served, tiny, tmp_path):
    run = served.ended(served.run("train-all", **asked(tiny, tmp_path / "new", source=str(tiny.music))), 300)
    assert run["state_type"] == "COMPLETED", served.log_of(run["id"])
    served.wait(lambda: "note: epoch 2 of 2, loss" in served.log_of(run["id"]), 20, "the lines of a training")
    assert Store(tmp_path / "new").current("tiny")["promoted"]
    assert Store(tmp_path / "new").verify().bad == []


@pytest.mark.operation
def test_a_failed_run_says_what_to_do(served, storage):
    run = served.ended(served.run("ingest", recipe="no-such-recipe", storage=str(storage)), 90)
    assert run["state_type"] == "FAILED"
    served.wait(lambda: "What to do: correct the recipe" in served.log_of(run["id"]), 20, "the hook")


@pytest.mark.operation
def test_the_promoted_recipe_learns_what_is_dropped_into_the_inbox(served, storage, lstm_music):
    """Nobody names a recipe: the one that is promoted learns two new files, and everything says what came of it."""
    before = {run["id"] for run in served.runs("retrain")}
    for number in (50, 51):
        (storage / "inbox" / f"{number}.mid").write_bytes(piece(number))
    with served.scheduled("watch", storage=str(storage), settle_seconds=0.5):
        (run,) = served.wait(lambda: [run for run in served.runs("retrain") if run["id"] not in before], 300, "retrain")
    assert run["parameters"]["recipe"] == "tiny"
    ended = served.ended(run["id"], 600)
    assert ended["state_type"] == "COMPLETED", served.log_of(run["id"])
    last = Store(storage).current("tiny")["retrained"]
    sentence = last["sentence"]
    assert re.fullmatch(
        r"trained on all music with 2 new files; the (new )?models are (not )?promoted: validation NLL \d+\.\d{3} nats "
        r"per event, \d+\.\d{3} for the models before \(.* pieces?\)(; the recipe tolerates 0 more)?",
        sentence,
    )
    served.wait(lambda: f"Recipe tiny: {sentence}" in served.log_of(run["id"]), 30, "the sentence in the log")
    assert ended["name"] == f"retrain tiny: {last['outcome']}"
    report = served.artifact("retraining-tiny")
    assert sentence[1:] in report
    assert "- `inbox/50.mid`" in report
    (event,) = served.wait(lambda: served.events("lstm-music.retrained", str(run["id"])), 60, "the event")
    assert event["payload"]["recipe"] == "tiny"
    assert (event["payload"]["outcome"], event["payload"]["sentence"]) == (last["outcome"], sentence)
    assert event["payload"]["new_nll"] > 0
    status = lstm_music("status", "--storage", storage, "--json")
    assert f"last retraining, {last['at']}: {sentence}" in status.errors
    assert json.loads(status.out)["recipes"]["tiny"]["inbox"]["last_retraining"] == last
    assert ("2 files of the inbox are not in the promoted models" in status.errors) == (last["outcome"] == "kept")
    assert [
        run["parameters"]["recipe"] for run in served.runs("train-all") if run["parameters"]["storage"] == str(storage)
    ] == ["tiny"]
    assert Store(storage).verify().bad == []


@pytest.mark.operation
def test_what_is_asked_for_during_a_retraining_waits_and_learns_all_of_it(served, tiny, storage):
    """Ten uploads during a training: one more training after it, with all ten."""
    (storage / "inbox" / "00.mid").write_bytes(piece(60))
    first = served.run("retrain", **asked(tiny, storage, settle_seconds=0.5))

    def trainings():
        return [run for run in served.runs("train-all") if run["parameters"]["storage"] == str(storage)]

    served.wait(trainings, 120, "the training")
    for number in range(1, 11):
        (storage / "inbox" / f"{number:02d}.mid").write_bytes(piece(60 + number))
    others = [served.run("retrain", **asked(tiny, storage, settle_seconds=0.5)) for _ in range(2)]
    ended = [served.ended(run, 500) for run in (first, *others)]
    assert [run["state_type"] for run in ended] == ["COMPLETED"] * 3
    assert any("AwaitingConcurrencySlot" in served.states(run) for run in others)
    begun = sorted((run["start_time"], run["end_time"]) for run in ended)
    assert all(one[1] <= following[0] for one, following in itertools.pairwise(begun))
    assert len(trainings()) == 2
    assert "No changes in the inbox" in served.artifact("retraining-tiny")


@pytest.mark.operation
def test_a_look_that_meets_another_is_cancelled(served, tiny, storage):
    (storage / "inbox" / "bad.mid").write_bytes(b"MThd")
    runs = [served.run("watch", **asked(tiny, storage, settle_seconds=20)) for _ in range(2)]
    ended = sorted(served.ended(run, 120)["state_type"] for run in runs)
    assert ended == ["CANCELLED", "COMPLETED"]


@pytest.fixture
def long(tiny, tmp_path):
    """Parameters of a training that takes minutes."""
    recipe = tmp_path / "long.toml"
    recipe.write_text(RECIPE.replace('"tiny"', '"long"').replace("epochs = 2", "epochs = 300\npatience = 300"))
    return {"recipe": str(recipe), "source": str(tiny.music), "storage": str(tmp_path / "storage")}


def children(served) -> list[int]:
    return served.program.processes("lstm_music.child")


@pytest.mark.operation
def test_a_cancelled_run_ends_its_trainings_and_is_one_line_of_its_log(served, long):
    run = served.run("train-all", **long)
    served.wait(lambda: len(checkpointed(Path(long["storage"]))) == 3, 300, "trainings")
    before = served.program.errors
    served.ask("POST", f"/flow_runs/{run}/set_state", json={"state": {"type": "CANCELLING", "name": "Cancelling"}})
    served.wait(lambda: children(served) == [], 10, "the end of the trainings")
    assert served.ended(run, 60)["state_type"] == "CANCELLED"
    assert served.log_of(run).count("Flow run was cancelled.") == 1
    assert "Traceback" not in served.log_of(run)
    assert served.program.errors == before


@pytest.mark.operation
def test_a_run_whose_worker_is_killed_before_it_begins_is_seen_within_two_minutes(served, long):
    run = served.run("train-all", **long)
    served.wait(lambda: served.flow_run(run)["state_type"] == "PENDING", 60, "the worker")
    for process in served.program.processes("served_child.py worker", "prefect"):
        os.kill(process, signal.SIGKILL)
    served.wait(lambda: served.flow_run(run)["state_type"] == "CRASHED", CRASHED_WITHIN_SECONDS, "the crash")
    assert "Not begun within 100 seconds" in served.flow_run(run)["state"]["message"]


def checkpointed(storage: Path) -> dict[str, int]:
    """The epoch that each running training has come to, by its key."""
    found = {}
    for path in (storage / "checkpoints").glob("*.json"):
        if path.with_suffix(".npz").exists():
            found[path.stem] = json.loads(path.read_text())["epoch"]
    return found


@pytest.mark.operation
def test_a_killed_worker_is_seen_within_two_minutes_and_the_next_run_goes_on(served, long):
    storage = Path(long["storage"])
    killed = served.run("train-all", **long)
    served.wait(lambda: sum(epoch > 20 for epoch in checkpointed(storage).values()) == 3, 300, "trainings")
    for process in served.program.processes("served_child.py worker", "prefect.engine"):
        os.kill(process, signal.SIGKILL)
    served.wait(lambda: served.flow_run(killed)["state_type"] == "CRASHED", CRASHED_WITHIN_SECONDS, "the crash")
    assert "No heartbeat for 90 seconds" in served.flow_run(killed)["state"]["message"]
    had = checkpointed(storage)
    assert Store(storage).verify().bad == []
    again = served.run("train-all", **long)
    least = dict(had)
    while served.flow_run(again)["state_type"] not in {"COMPLETED", "FAILED", "CRASHED"}:
        least = {key: min(epoch, checkpointed(storage).get(key, epoch)) for key, epoch in least.items()}
        time.sleep(0.1)
    assert served.flow_run(again)["state_type"] == "COMPLETED", served.log_of(again)
    assert all(least[key] >= had[key] - 1 for key in had), (had, least)
    assert len(had) == 3
    assert Store(storage).verify().bad == []

"""`--log-to`: what TensorBoard and MLflow read back, with their own readers."""

import importlib.util
import logging

import pytest
from small_music import tiny_recipe

from lstm_music.errors import RecipeError
from lstm_music.stages.training import tracking
from lstm_music.stages.training.scorecard import read_card
from lstm_music.stages.training.tracking import (
    LoggedRun,
    LogTarget,
    begin_run,
    flat,
    metrics_of,
    parse_log_to,
    record_card,
    record_finished,
    recorded,
)
from lstm_music.stages.training.trained import read_history


@pytest.fixture
def points(tensorflow):
    """Read the points of a TensorBoard folder as {tag: [(step, value)]}."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    def read(folder):
        found = EventAccumulator(str(folder)).Reload()
        return {
            tag: [(event.step, float(make_ndarray(event.tensor_proto))) for event in found.Tensors(tag)]
            for tag in found.Tags()["tensors"]
            if not tag.startswith("_hparams_")
        }

    return read


def begin(made, text, recipe=None):
    return begin_run(text, recipe or made.recipe, made.prepared.dataset, {})


def test_tensorboard_reads_every_epoch_the_parameters_and_the_card(made, trained, evaluated, points, tmp_path):
    run = begin(made, f"tensorboard:{tmp_path}")
    card = read_card(made.store, evaluated.scorecard)
    record_finished(run, made.store, trained, card)
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("tiny-")
    for name, ref in trained.items():
        history = read_history(made.store, ref)
        found = points(folder / name)
        assert found["loss/held_out"] == [(s["epoch"] + 1, pytest.approx(s["held_out"])) for s in history]
        assert found["loss/train"] == [(s["epoch"] + 1, pytest.approx(s["loss"])) for s in history]
        assert found[f"accuracy/held_out/{name}"][0][1] == pytest.approx(history[0]["held_out_accuracy"][name])
    summed = card["splits"]["validation"]["baselines"]["previous"]["nll_per_event"]
    assert points(folder)["validation/previous/all"] == [(0, pytest.approx(summed))]
    assert b"training.epochs" in b"".join(path.read_bytes() for path in folder.glob("events.*"))
    before = sorted(tmp_path.rglob("*"))
    record_finished(begin(made, f"tensorboard:{tmp_path}"), made.store, trained, card)
    assert sorted(tmp_path.rglob("*")) == before  # nothing is logged twice
    begin(made, f"tensorboard:{tmp_path}", tiny_recipe(random_seed=5))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_resumed_training_continues_the_steps(made, trained, points, tmp_path):
    history = read_history(made.store, trained["note"])
    run = begin(made, f"tensorboard:{tmp_path}")

    def killed():
        with recorded(run, made.store, trained["note"], "note") as record:
            record({"epoch": 1, "step": 1, "history": ()})
            record({"epoch": 1, "step": 2, "history": history[:1]})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    (folder,) = tmp_path.iterdir()
    assert [step for step, _ in points(folder / "note")["loss/train"]] == [1]
    with recorded(begin(made, f"tensorboard:{tmp_path}"), made.store, trained["note"], "note") as record:
        record({"epoch": 2, "step": 2, "history": history})
    assert [step for step, _ in points(folder / "note")["loss/train"]] == [1, 2]


def test_mlflow_reads_every_epoch_the_parameters_and_the_card(made, trained, evaluated, tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow")
    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    card = read_card(made.store, evaluated.scorecard)
    for _ in range(2):  # nothing is logged twice
        record_finished(begin(made, f"mlflow:{uri}"), made.store, trained, card)
    client = mlflow.MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("lstm-music").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["training.epochs"] == "2"
    assert run.data.metrics["test/models/all"] == pytest.approx(card["splits"]["test"]["nll_per_event"])
    for name, ref in trained.items():
        found = client.get_metric_history(run.info.run_id, f"{name}/loss/held_out")
        expected = [(s["epoch"] + 1, pytest.approx(s["held_out"])) for s in read_history(made.store, ref)]
        assert [(point.step, point.value) for point in found] == expected


def test_the_start_of_a_training_has_held_out_metrics_alone():
    start = {"epoch": -1, "loss": None, "held_out": 2.5, "accuracy": {}, "held_out_accuracy": {"note": 0.25}}
    assert metrics_of(start) == {"loss/held_out": 2.5, "accuracy/held_out/note": 0.25}


@pytest.mark.parametrize("text", ["", "wandb", "tensorboard", "tensorboard:", "csv:folder"])
def test_another_tool_is_refused(text):
    with pytest.raises(RecipeError, match=r"--log-to: expected tensorboard:DIR, mlflow or mlflow:URI, got "):
        parse_log_to(text)


def test_a_password_does_not_get_into_the_parameters_of_a_flow():
    with pytest.raises(RecipeError, match="without a password; set MLFLOW_TRACKING_URI") as refused:
        parse_log_to("mlflow:https://me:secret@host")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("tool", ["tensorboard", "mlflow"])
def test_a_tool_that_is_not_installed_is_named_with_its_extra(monkeypatch, tool):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(
        RecipeError, match=rf"{tool} is not installed; install it with `pip install 'lstm-music\[{tool}\]'`"
    ):
        parse_log_to(f"{tool}:somewhere")


def test_a_folder_that_cannot_be_written_is_an_error_before_training(made, tensorflow, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RecipeError, match=r"--log-to: tensorboard cannot log to .*file"):
        begin(made, f"tensorboard:{tmp_path / 'file'}")


class Broken:
    """A tool that fails at its first epoch."""

    def __init__(self, where, run):
        self.calls = []

    def epochs(self, model):
        return 0

    def epoch(self, model, epoch, metrics):
        self.calls.append(epoch)
        raise OSError("no route to host")

    def finish(self, metrics):
        raise OSError("no route to host")

    def close(self):
        raise AssertionError("a tool that failed is left alone")


def test_a_tool_that_fails_does_not_end_the_training(made, trained, monkeypatch, caplog):
    monkeypatch.setitem(tracking.TRACKERS, "broken", Broken)
    run = LoggedRun(LogTarget("broken", ""), "")
    history = read_history(made.store, trained["note"])
    with caplog.at_level(logging.WARNING), recorded(run, made.store, trained["note"], "note") as record:
        record({"history": history[:1]})
        record({"history": history})
    assert [line.getMessage() for line in caplog.records] == [
        "--log-to: broken failed and is not used any more: no route to host"
    ]
    record_card(run, {"splits": {}, "protocol": "by piece"})
    assert len(caplog.records) == 2


def test_without_a_log_nothing_is_read(made, trained):
    with recorded(None, made.store, trained["note"], "note") as record:
        record({})
    record_card(None, {})


def test_nested_parameters_get_dotted_names():
    assert flat({"a": {"b": 1, "c": None}, "d": ["x", "y"], "e": True}) == {"a.b": 1, "d": "['x', 'y']", "e": True}

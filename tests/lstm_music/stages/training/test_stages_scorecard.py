"""The stage of the score card: the numbers of the models, on the held-out pieces, beside the baselines."""

import json

import numpy as np
import pytest
from small_music import small_piece, tiny_recipe, write_folder

from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import MismatchError
from lstm_music.inference.exact import log_softmax
from lstm_music.parquet import read_table
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training import scorecard as module
from lstm_music.stages.training.scorecard import evaluate, read_card
from lstm_music.stages.training.trained import load_inference_model
from lstm_music.store import Store


def test_the_card_has_both_sides_the_baselines_and_what_they_chose(made, evaluated):
    card = read_card(made.store, evaluated.scorecard)
    assert card["protocol"] == "by piece"
    assert set(card["splits"]) == {"validation", "test"}
    for side, split in card["splits"].items():
        spans = made.dataset.spans[side]
        assert (split["pieces"], split["events"]) == (len(spans), sum(span.events for span in spans))
        assert split["notes"] == split["events"]  # an event a note, and no drums here
        assert split["nll_per_event"] == pytest.approx(sum(split["streams"][stream]["nll"] for stream in STREAMS))
        assert set(split["baselines"]) == {"majority", "previous", "ngram", "ngram_joint"}
        assert split["nll_per_event"] == made.store.open(evaluated.scorecard).facts["nll_per_event"][side]
    assert set(card["baseline_choices"]["ngram"]) == set(STREAMS)
    table = read_table(made.store.open(evaluated.scorecard).file("card.parquet"))
    assert set(table.column("split").to_pylist()) == {"validation", "test"}


def test_the_numbers_are_those_of_single_steps(made, evaluated):
    """One validation piece through one model, an event at a time."""
    dataset = made.dataset
    card = read_card(made.store, evaluated.scorecard)["splits"]["validation"]
    nats, right, events = 0.0, 0, 0
    model = load_inference_model(made.store, evaluated.models["note"], dataset)
    for span in dataset.spans["validation"]:
        tokens = np.int32(dataset.tokens[span.start : span.stop])
        before = np.zeros_like(tokens[0])
        states = model.after(before[None, None])
        for now in tokens:
            (logits,), states = model.step(before[None], now[None], states)
            logs = log_softmax(logits)[0]
            nats -= logs[now[1]]
            right += now[1] == 3 + logs[3:].argmax()
            events, before = events + 1, now
    assert card["streams"]["note"]["nll"] == pytest.approx(nats / events, rel=1e-4)
    assert card["streams"]["note"]["accuracy"] == pytest.approx(right / events)


def test_what_was_evaluated_is_not_evaluated_again(made, evaluated, monkeypatch):
    monkeypatch.setattr(module, "score_models", None)
    assert evaluate(made.store, made.recipe, made.prepared.dataset, evaluated.models) == evaluated.scorecard


def test_a_leaky_split_is_called_so_and_an_empty_test_side_left_out(tmp_path, publish):
    store, recipe = Store(tmp_path / "storage"), tiny_recipe(split={"by": "folder"})
    contents = {"train/a.mid": small_piece(1), "val/b.mid": small_piece(2, 8), "val/c.mid": small_piece(1)}
    dataset = prepare(store, recipe, ingest(store, recipe, str(write_folder(tmp_path / "m", contents)))).dataset
    ref = evaluate(store, recipe, dataset, publish(store, recipe, dataset))
    card = read_card(store, ref)
    assert card["protocol"] == "by piece, leaky"
    assert set(card["splits"]) == {"validation"}
    assert json.loads(json.dumps(card)) == card


def test_models_of_another_vocabulary_are_refused(made, evaluated, tmp_path):
    copy = made.copy(tmp_path / "storage")
    folder = write_folder(tmp_path / "m", {f"{number}.mid": small_piece(number, 3) for number in (50, 51, 52)})
    other = prepare(copy.store, copy.recipe, ingest(copy.store, copy.recipe, str(folder))).dataset
    with pytest.raises(MismatchError, match="trained with another vocabulary"):
        evaluate(copy.store, copy.recipe, other, evaluated.models)

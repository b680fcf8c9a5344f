"""`watch`, `retrain` and `rollback` on the command line, against a storage in which everything was made."""

import json

import pytest
from tiny_music import piece

from lstm_music.errors import RecipeError, SourceError, StorageError
from lstm_music.recipe import load_recipe
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.inbox.news import ingest_all, look, remember_seen
from lstm_music.stages.inbox.standing import remember_retrained
from lstm_music.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def storage(tiny, tmp_path):
    copied = tiny.copy(tmp_path)
    (copied / "inbox").mkdir(exist_ok=True)
    return copied


@pytest.fixture
def of_tiny(tiny, storage):
    return "--recipe", str(tiny.recipe), "--storage", str(storage)


def test_without_news_nothing_is_started(lstm_music, of_tiny):
    for command in ("watch", "retrain"):
        found = lstm_music(command, *of_tiny, PREFECT_API_URL="http://127.0.0.1:9" if command == "retrain" else "")
        assert (found.code, found.errors) == (0, "")
        assert found.out.splitlines()[-1] == "Recipe tiny: no changes in the inbox since the last training"


def test_watch_names_what_is_new_and_says_how_to_learn_it(lstm_music, of_tiny, storage, tiny):
    (storage / "inbox" / "new.mid").write_bytes(piece(50))
    found = lstm_music("watch", *of_tiny, "--settle-seconds", "0")
    assert "New: inbox/new.mid\n" in found.out
    assert f"`lstm-music retrain --recipe {tiny.recipe}`" in found.out
    said = json.loads(lstm_music("watch", *of_tiny, "--settle-seconds", "0", "--json").out)
    assert said["new"] == said["came"] == ["inbox/new.mid"]
    assert said["recipes"]["tiny"]["new"] == ["inbox/new.mid"]
    assert len(said["fingerprint"]) == 64


@pytest.mark.operation
def test_retrain_reports_what_cannot_be_read_and_trains_nothing_for_it(lstm_music, of_tiny, storage):
    (storage / "inbox" / "bad.mid").write_bytes(b"MThd")
    models = list(Store(storage).refs("model"))
    found = lstm_music("retrain", *of_tiny, "--settle-seconds", "0", "--json")
    assert found.code == 0, found.errors
    said = json.loads(found.out.splitlines()[-1])
    assert list(said["rejected"]) == ["inbox/bad.mid"]
    assert said["promoted"] is None
    assert "Rejected: inbox/bad.mid truncated" in found.errors
    assert "Recipe tiny: no training needed" in found.errors
    lines = found.errors.splitlines()
    assert sorted(set(lines)) == sorted(lines)  # nothing is said twice
    assert list(Store(storage).refs("model")) == models


@pytest.mark.parametrize("command", ["watch", "retrain"])
def test_where_nothing_is_promoted_one_sentence_says_what_to_do(lstm_music, tmp_path, command):
    found = lstm_music(command, "--storage", tmp_path / "empty", "--json", PREFECT_API_URL="http://127.0.0.1:9")
    assert found.code == 0
    assert (
        "no recipe has promoted models, so the inbox serves none; run `lstm-music run --recipe demo`" in found.sentence
    )
    assert json.loads(found.out) == {"recipes": {}}


def refuse(store, recipe):
    """Do what a retraining leaves whose models were refused: the music is seen, and the promoted models lack it."""
    inputs = ingest_all(store, recipe, None, None, look(store, recipe, None, 0.0))
    prepare(store, recipe, inputs)
    remember_seen(store, recipe.name, inputs)
    said = {
        "outcome": "kept",
        "sentence": "the whole sentence",
        "reason": "validation NLL 9 after 8",
        "fingerprint": "f",
    }
    remember_retrained(store, recipe.name, said)


@pytest.mark.operation
def test_after_a_refusal_nothing_says_that_nothing_is_new(lstm_music, tiny, storage):
    (storage / "inbox" / "new.mid").write_bytes(piece(50))
    refuse(Store(storage), load_recipe(str(tiny.recipe)))
    behind = (
        "1 file of the inbox is not in the promoted models; `lstm-music retrain --recipe tiny --again` trains again"
    )
    for command in ("watch", "retrain"):
        found = lstm_music(
            command, "--storage", storage, PREFECT_API_URL="http://127.0.0.1:9" if command == "retrain" else ""
        )
        assert (found.code, found.errors) == (0, "")
        assert found.out.splitlines()[-1].startswith(
            "Recipe tiny: no changes in the inbox since the last training, whose models were refused: "
            f"validation NLL 9 after 8; {behind}"
        )
    status = lstm_music("status", "--storage", storage, "--json")
    assert f"Recipe tiny: {behind}" in status.errors
    said = json.loads(status.out)["recipes"]["tiny"]["inbox"]
    assert said["not_in_promoted_models"] == ["inbox/new.mid"]
    assert said["last_retraining"]["sentence"] == "the whole sentence"
    assert f"Recipe tiny: last retraining, {said['last_retraining']['at']}: the whole sentence" in status.errors


@pytest.mark.operation
def test_again_trains_without_news_and_finds_what_is_finished(lstm_music, of_tiny, storage):
    models = list(Store(storage).refs("model"))
    found = lstm_music("retrain", *of_tiny, "--again", "--json")
    assert found.code == 0, found.errors
    said = json.loads(found.out)
    assert said["outcome"] == "unchanged"
    assert said["sentence"].startswith("trained on the same music again; nothing changed: the promoted models")
    assert list(Store(storage).refs("model")) == models
    assert Store(storage).current("tiny")["retrained"]["sentence"] == said["sentence"]


def test_mistakes_are_one_sentence(lstm_music, of_tiny, tmp_path):
    nowhere = lstm_music("watch", *of_tiny, "--inbox", tmp_path / "nowhere", "--json")
    assert nowhere.code == SourceError.exit_code
    assert nowhere.errors.splitlines()[-1].endswith("create the folder, or give another with --inbox")
    first = lstm_music("rollback", *of_tiny)
    assert first.code == StorageError.exit_code
    assert "has no earlier models to return to" in first.sentence
    unknown = lstm_music("retrain", "--recipe", "no-such-recipe")
    assert unknown.code == RecipeError.exit_code


def test_rollback_says_which_models_are_in_use_again(lstm_music, of_tiny, storage):
    store = Store(storage)
    promoted = store.current("tiny")["promoted"]
    store.set_current("tiny", {"earlier": [promoted]})
    found = lstm_music("rollback", *of_tiny, "--json")
    assert found.code == 0, found.errors
    assert json.loads(found.out) == {"recipe": "tiny", "promoted": promoted, "was_done": False}
    assert store.current("tiny")["earlier"] == []

"""`watch`, `retrain` and `rollback` on the command line, against a storage in which everything was made."""

import json

import pytest
from tiny_music import piece

from lstm_music.errors import RecipeError, SourceError, StorageError
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
        assert found.out.splitlines()[-1] == "No changes in the inbox since the last training"


def test_watch_names_what_is_new_and_says_how_to_learn_it(lstm_music, of_tiny, storage, tiny):
    (storage / "inbox" / "new.mid").write_bytes(piece(50))
    found = lstm_music("watch", *of_tiny, "--settle-seconds", "0")
    assert "New: inbox/new.mid\n" in found.out
    assert f"`lstm-music retrain --recipe {tiny.recipe}`" in found.out
    said = json.loads(lstm_music("watch", *of_tiny, "--settle-seconds", "0", "--json").out)
    assert said["came"] == ["inbox/new.mid"]
    assert len(said["fingerprint"]) == 64


def test_retrain_reports_what_cannot_be_read_and_trains_nothing_for_it(lstm_music, of_tiny, storage):
    (storage / "inbox" / "bad.mid").write_bytes(b"MThd")
    models = list(Store(storage).refs("model"))
    found = lstm_music("retrain", *of_tiny, "--settle-seconds", "0", "--json")
    assert found.code == 0, found.errors
    said = json.loads(found.out.splitlines()[-1])
    assert list(said["rejected"]) == ["inbox/bad.mid"]
    assert said["promoted"] is None
    assert "Rejected: inbox/bad.mid truncated" in found.errors
    assert "No training needed" in found.errors
    assert list(Store(storage).refs("model")) == models


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
    assert json.loads(found.out) == {"recipe": "tiny", "promoted": promoted}
    assert store.current("tiny")["earlier"] == []

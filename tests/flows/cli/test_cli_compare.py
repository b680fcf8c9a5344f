"""What a data scientist asks the command line: warnings, curves, comparisons, logs."""

import json

import pytest

from lstm_music.store import Store

pytestmark = pytest.mark.slow


def result_of(out: str) -> dict:
    """The result for programs, the last line of standard output."""
    return json.loads(out.splitlines()[-1])


def test_doubtful_models_are_named_with_their_scores_and_in_status(tiny, lstm_music):
    card = result_of(tiny.result.out)["evaluate"]
    assert any("The validation split has only 1 piece" in warning for warning in card["warnings"])
    status = lstm_music("status", "--storage", tiny.storage)
    for warning in card["warnings"]:
        assert f"Warning: {warning}" in tiny.result.errors
        assert f"tiny: warning: {warning}" in status.out
    said = result_of(lstm_music("status", "--storage", tiny.storage, "--json").out)
    assert said["recipes"]["tiny"]["warnings"] == card["warnings"]


def test_the_curves_are_where_the_score_card_says(tiny):
    card = result_of(tiny.result.out)["evaluate"]
    assert card["curves"] == str(tiny.storage / "curves" / "tiny.svg")
    assert f"Learning curves: {card['curves']}" in tiny.result.errors
    assert (tiny.storage / "curves" / "tiny.svg").read_text().startswith("<?xml")


def test_two_recipes_are_compared_on_the_terminal_and_as_a_page(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path, "nothing")
    store = Store(storage)
    store.set_current("other", store.current("tiny"))
    found = lstm_music("compare", tiny.recipe, "other", "--storage", storage, "--output-dir", tmp_path / "page")
    assert (found.code, found.errors) == (0, "")
    assert "validation, sum: nats per event" in found.out
    assert f"Made {tmp_path / 'page' / 'comparison.html'}" in found.out
    assert sorted(path.name for path in (tmp_path / "page").iterdir()) == [
        "comparison.html",
        "comparison.json",
        "curves.svg",
    ]
    said = json.loads(lstm_music("compare", "tiny", "other", "--storage", storage, "--json").out)
    assert [one["recipe"] for one in said["recipes"]] == ["tiny", "other"]


@pytest.mark.operation
def test_a_log_of_what_is_trained_already_has_its_epochs(tiny, lstm_music, tmp_path):
    arguments = ["--storage", tiny.storage, "--log-to", f"tensorboard:{tmp_path / 'board'}"]
    found = lstm_music("run", *tiny.arguments, *arguments)
    assert (found.code, found.errors) == (0, "")
    (run,) = (tmp_path / "board").iterdir()
    assert {path.name for path in run.iterdir() if path.is_dir()} == {"offset", "note", "duration"}


def test_a_wrong_log_is_refused_before_anything_is_done(tiny, lstm_music, tmp_path):
    found = lstm_music("run", *tiny.arguments, "--storage", tmp_path / "storage", "--log-to", "wandb")
    assert found.code == 2
    assert found.errors == "lstm-music: --log-to: expected tensorboard:DIR, mlflow or mlflow:URI, got 'wandb'\n"
    assert not (tmp_path / "storage").exists()

"""What changed in a recipe since its promoted models were trained."""

import pytest
from small_music import tiny_recipe

from lstm_music.stages.training.changes import changes_since_training, changes_text
from lstm_music.stages.training.promotion import promote


@pytest.fixture
def store(made, evaluated, tmp_path):
    copy = made.copy(tmp_path / "storage")
    promote(copy.store, copy.recipe, evaluated)
    return copy.store


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"generation": {"num_outputs": 9}, "include": ["bach/*"]}, ""),  # nothing of a model
        ({"model": {"units": 9}}, "model.units (8 → 9)"),
        ({"random_seed": 5}, "random_seed (1 → 5)"),
        ({"models": {"note": {"dropout": 0.5}}}, "models.note.dropout (0.25 → 0.5)"),
        ({"models": {name: {"epochs": 3} for name in ("offset", "note", "duration")}}, "training.epochs (2 → 3)"),
        ({"windows": {"length": 8}}, "windows.length (16 → 8)"),
        ({"windows": {"transpose_to": 1}}, "windows.transpose_to (2 → 1)"),
        ({"split": {"test": 0.3}}, "split.test (0.2 → 0.3)"),
        (
            {"events": {"quarter_length_divisors": [4]}, "model": {"units": 9}},
            "events.quarter_length_divisors ([4, 3] → [4]), model.units (8 → 9)",
        ),
        (
            {"model": {"streams": ["offset", "note", "duration", "velocity"]}},
            "model (duration, note, offset → duration, note, offset, velocity)",
        ),
    ],
)
def test_each_key_that_decides_of_a_model_is_named_with_both_values(store, evaluated, changes, text):
    assert changes_text(changes_since_training(store, tiny_recipe(**changes), evaluated)) == text

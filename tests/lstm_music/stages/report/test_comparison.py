"""The comparison of recipes: both scores, the curves, and sentences about what cannot be compared."""

import pytest
from small_music import tiny_recipe

from lstm_music.errors import MissingArtifactError, RecipeError
from lstm_music.rendering.comparison_page import comparison_table
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.report.comparison import compare, read_comparison, trained_names
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import evaluate, read_card


@pytest.fixture
def copy(made, evaluated, tmp_path, uncompiled):
    """A storage with the promoted models of the recipe `tiny`."""
    copy = made.copy(tmp_path / "storage")
    promote(copy.store, copy.recipe, evaluated)
    return copy


@pytest.fixture
def add(copy, publish):
    """Promote untrained models of another recipe."""

    def promote_other(name, **changes):
        recipe = tiny_recipe(name=name, **changes)
        dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
        models = publish(copy.store, recipe, dataset)
        promote(copy.store, recipe, Promoted(dataset, models, evaluate(copy.store, recipe, dataset, models)))

    return promote_other


def test_the_scores_stand_side_by_side_and_the_page_lies_beside_the_curves(copy, add, evaluated):
    add("other", random_seed=99)
    ref = compare(copy.store, ["tiny", "other"])
    found = read_comparison(copy.store, ref)
    tiny, other = found["recipes"]
    card = read_card(copy.store, evaluated.scorecard)
    assert tiny["splits"]["validation"]["nll_per_event"] == card["splits"]["validation"]["nll_per_event"]
    assert tiny["models"]["note"]["epochs"] == 2
    assert tiny["training_seconds"] > 0
    assert other["models"]["note"]["training_seconds"] is None  # nothing was trained
    assert found["notes"] == []
    head, rows = comparison_table(found)
    assert head == ["", "tiny", "other"]
    shown = {row[0]: row[1:] for row in rows}
    assert shown["training, seconds"][1] == "not known"
    assert shown["validation, sum: nats per event"][0] == f"{card['splits']['validation']['nll_per_event']:.3f}"
    assert {len(row) for row in rows} == {3}
    artifact = copy.store.open(ref)
    page = artifact.file("comparison.html").read_text()
    assert "<h1>Comparison of tiny and other</h1>" in page
    assert 'src="curves.svg"' in page
    assert "other: note" in artifact.file("curves.svg").read_text()
    assert compare(copy.store, ["tiny", "other"]) == ref


@pytest.mark.operation
def test_another_encoding_is_compared_in_nats_per_note(copy, add):
    add("chords", events={"chords": "pitch_set"})
    (note,) = read_comparison(copy.store, compare(copy.store, ["tiny", "chords"]))["notes"]
    assert note == (
        "tiny and chords encode events differently (chords per_note and pitch_set), so nats per event cannot be compared: "
        "compare nats per note"
    )


@pytest.mark.operation
def test_other_held_out_pieces_are_counted(copy, add):
    add("split", split={"validation": 0.4, "test": 0.4})
    notes = read_comparison(copy.store, compare(copy.store, ["tiny", "split"]))["notes"]
    assert notes[0].startswith("tiny and split have other validation pieces (")
    assert notes[1].startswith("tiny and split have other test pieces (")
    assert "tiny was trained on pieces that split holds out" in notes


def test_windows_and_missing_streams_are_named(copy, add):
    alone = {"architecture": "notes_only"}
    windows = {"transpose_from": 0, "transpose_to": 0}
    add("alone", model=alone, windows=windows, generation={"prompt_events": 16})
    found = read_comparison(copy.store, compare(copy.store, ["alone", "tiny"]))
    assert any("predict other streams" in note for note in found["notes"])
    assert any("are scored on other events: from event 16 and 0 of a piece on" in note for note in found["notes"])
    _, rows = comparison_table(found)
    (alone, tiny) = {row[0]: row[1:] for row in rows}["offset: epochs, best"]
    assert (alone, tiny[:3]) == ("", "2, ")


def test_fewer_than_two_recipes_and_one_that_is_not_trained_are_errors(copy):
    with pytest.raises(RecipeError, match="compare: expected two or more different recipes, got tiny"):
        trained_names(copy.store, ["tiny", "tiny"])
    with pytest.raises(MissingArtifactError, match=r"recipe 'other' is not trained yet \(trained: tiny\)"):
        trained_names(copy.store, ["tiny", "other"])

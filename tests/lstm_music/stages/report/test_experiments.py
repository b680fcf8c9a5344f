"""The experiments are the report's, each a recipe like any other."""

import pytest

from lstm_music.errors import RecipeError
from lstm_music.models.spec import WINDOWED
from lstm_music.recipe import load_recipe, parse_recipe
from lstm_music.stages.report.experiments import PROTOCOLS, RECIPE, REPORTED_ARCHITECTURES, plan_experiments

SEED = load_recipe(RECIPE)


def test_every_architecture_of_the_report_comes_under_every_protocol():
    planned = [(one.architecture, one.protocol) for one in plan_experiments(SEED)]
    assert planned == [(architecture, protocol) for architecture in REPORTED_ARCHITECTURES for protocol in PROTOCOLS]
    assert set(REPORTED_ARCHITECTURES) == WINDOWED


def test_an_experiment_is_a_recipe_that_a_file_could_hold():
    experiments = plan_experiments(SEED, budget=3)
    assert len({one.recipe.name for one in experiments}) == len(experiments)
    for one in experiments:
        assert parse_recipe(one.recipe.model_dump(mode="json"), "recipe") == one.recipe
        assert one.recipe.model.architecture == one.architecture
        assert (one.recipe.split.by == "random_windows") == (one.protocol == "random_windows")
        assert one.recipe.training.epochs == 3


def test_a_budget_above_the_reports_epochs_is_the_reports():
    assert plan_experiments(SEED)[0].recipe == plan_experiments(SEED, budget=9999)[0].recipe
    assert plan_experiments(SEED)[0].recipe.training == SEED.training


def test_some_may_be_named_and_come_in_the_order_of_the_plan():
    some = plan_experiments(SEED, ["multi_label", "notes_only"], ["by_piece"])
    assert [(one.architecture, one.protocol) for one in some] == [
        ("notes_only", "by_piece"),
        ("multi_label", "by_piece"),
    ]


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            {"architectures": ["chained_lstm"]},
            "expected one or more of three_streams, notes_only, dual_head, multi_label, got 'chained_lstm'",
        ),
        ({"protocols": ["by_hand"]}, "expected one or more of random_windows, by_piece, got 'by_hand'"),
    ],
)
def test_an_unknown_name_is_one_sentence(named, sentence):
    with pytest.raises(RecipeError, match=sentence):
        plan_experiments(SEED, **named)

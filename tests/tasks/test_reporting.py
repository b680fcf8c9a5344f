"""What a task shows in Prefect: warnings in the log and beside the score card, the decision, the curves."""

import logging
from types import SimpleNamespace

import pytest

from lstm_music.stages.training.promotion import Decision
from tasks import reporting

CARD = {
    "protocol": "by piece",
    "splits": {},
    "warnings": ["The models are worse than the baseline previous: train more"],
}


@pytest.fixture
def shown(monkeypatch):
    """What Prefect is given, as in a task run."""
    found = {}
    monkeypatch.setattr(reporting.TaskRunContext, "get", classmethod(lambda _cls: object()))
    for name in ("create_table_artifact", "create_markdown_artifact"):
        monkeypatch.setattr(reporting, name, lambda key, **said: found.update({key: said}))
    return found


def test_the_warnings_of_a_card_are_in_the_log_and_below_the_table(shown, caplog):
    reporting.publish_card(CARD)
    assert [(line.levelno, line.getMessage()) for line in caplog.records] == [(logging.WARNING, CARD["warnings"][0])]
    assert shown["score-card"]["markdown"].endswith(CARD["warnings"][0])
    assert shown["score-card"]["description"].endswith("by piece")


@pytest.mark.parametrize("outcome", ["promoted", "forced", "unchanged", "kept", "refused"])
def test_the_decision_is_shown_with_its_outcome(shown, outcome):
    decision = Decision(outcome, "the reason")
    reporting.publish_decision("my_recipe", decision)
    assert shown["promotion-my-recipe"]["markdown"] == f"{decision.sentence}."
    assert shown["promotion-my-recipe"]["description"].endswith(outcome)
    assert decision.promoted == (outcome in {"promoted", "forced", "unchanged"})


def test_the_curves_are_shown_by_their_path(shown):
    reporting.publish_curves("demo", "storage/curves/demo.svg")
    assert "`storage/curves/demo.svg`" in shown["curves-demo"]["markdown"]


def test_a_note_is_a_line_of_the_log(shown, caplog):
    with caplog.at_level(logging.INFO):
        reporting.note("It starts again")
        reporting.note(None)
    assert [line.getMessage() for line in caplog.records] == ["It starts again"]


def test_the_result_of_a_retraining_is_a_line_of_the_log_and_a_report(shown, caplog):
    with caplog.at_level(logging.INFO):
        reporting.publish_retraining("my_recipe", "the whole sentence", "# The report")
    assert [line.getMessage() for line in caplog.records] == ["Recipe my_recipe: the whole sentence"]
    assert shown["retraining-my-recipe"]["markdown"] == "# The report"


def test_a_run_that_cannot_be_renamed_goes_on(monkeypatch):
    asked = []

    def unreachable(**settings):
        asked.append(settings)
        raise ConnectionError("no server")

    context = SimpleNamespace(task_run=SimpleNamespace(flow_run_id="some id"))
    monkeypatch.setattr(reporting.TaskRunContext, "get", classmethod(lambda _cls: context))
    monkeypatch.setattr(reporting, "get_client", unreachable)
    reporting.name_run("retrain tiny: promoted")
    assert asked == [{"sync_client": True}]

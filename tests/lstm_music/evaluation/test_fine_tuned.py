"""The verdict on a fine-tuning: whether the files were enough, by the test pieces."""

import pytest

from lstm_music.evaluation.fine_tuned import EARLIER, FROM_NOTHING, Kept, verdict_on, what_is_kept


def split(new, old=None, nothing=None, pieces=3):
    scores = {EARLIER: old, FROM_NOTHING: nothing, "ngram_joint": 9.0}
    baselines = {name: {"nll_per_event": nll} for name, nll in scores.items() if nll is not None}
    return {"nll_per_event": new, "pieces": pieces, "baselines": baselines}


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (
            (2.0, 2.3, 2.5),
            "The files were enough: 2.000 nats per event on 3 pieces of test, 2.300 for the earlier models, 2.5",
        ),
        ((2.0, 2.3), "The files were enough: 2.000 nats per event on 3 pieces of test, 2.300 for the earlier models"),
        ((2.0, 2.04, 2.5), "The files were not enough: 2.000 "),
        ((2.0, 1.9, 2.5), "The files were not enough: 2.000 "),
        ((2.0, 2.3, 2.04), "The earlier models were not needed, a training from nothing is as good: 2.000 "),
    ],
)
def test_it_says_whether_the_files_were_enough(scores, said):
    assert verdict_on({"splits": {"validation": split(1.0, 1.0, 1.0), "test": split(*scores)}}).startswith(said)


def test_validation_decides_where_there_is_no_test():
    said = verdict_on({"splits": {"validation": split(1.0, 2.0, pieces=1)}})
    assert said == "The files were enough: 1.000 nats per event on 1 piece of validation, 2.000 for the earlier models"


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"note": Kept(2, 0.0)}, None),
        (
            {"offset": Kept(0, 0.0), "note": Kept(2, 0.0), "duration": Kept(0, 0.0)},
            "No epoch was better on validation than the earlier model of offset, duration, which is kept",
        ),
        ({"offset": Kept(3, 0.25)}, "The models of offset (25%) hold that share of the earlier weights"),
        (
            {"offset": Kept(0, 0.5), "note": Kept(0, 0.0)},
            (
                "No epoch was better on validation than the earlier model of note, which is kept; the models of offset (50%) "
                "hold that share of the earlier weights"
            ),
        ),
    ],
)
def test_it_says_what_is_kept_of_the_earlier_models(models, said):
    assert what_is_kept(models) == said


def test_other_trainings_have_no_verdict():
    assert verdict_on({"splits": {"test": split(1.0, nothing=2.0)}}) is None
    assert verdict_on({"splits": {}}) is None

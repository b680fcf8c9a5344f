import json

import numpy as np
import pytest

from lstm_music.errors import NotEnoughMusicError
from lstm_music.evaluation.scorecard import BY_PIECE, SplitScores, card_warnings, rows, score_card
from lstm_music.evaluation.targets import StreamScores

CLASSES = {"offset": 20, "note": 128}
LENGTHS = (3, 10)
POSITIONS = np.array([*range(3), *range(10)])


def streams(note_nats: float) -> dict[str, StreamScores]:
    correct = np.arange(13) % 2 == 0
    return {
        "offset": StreamScores(np.full(13, 0.5), correct, np.array([2.0, 4.0])),
        "note": StreamScores(np.full(13, note_nats), ~correct, np.empty(0)),
    }


def card(**changes) -> dict:
    fields = {"lengths": LENGTHS, "positions": POSITIONS, "notes": 26, **changes}
    split = SplitScores(models=streams(1.5), baselines={"majority": streams(3.0)}, **fields)
    return score_card({"test": split}, CLASSES, window=8)


def test_a_card_is_json():
    assert json.loads(json.dumps(card())) == card()
    assert card()["protocol"] == BY_PIECE


def test_nats_are_summed_with_those_of_the_ends_and_divided_by_events():
    test = card()["splits"]["test"]
    assert (test["pieces"], test["events"], test["notes"]) == (2, 13, 26)
    assert test["nats_total"] == pytest.approx(13 * 2.0 + 6)
    assert test["nll_per_event"] == pytest.approx(2 + 6 / 13)
    assert test["nll_per_note"] == pytest.approx((2 + 6 / 13) / 2)
    offset = test["streams"]["offset"]
    assert offset["nll"] == pytest.approx(0.5 + 6 / 13)
    assert offset["perplexity"] == pytest.approx(np.exp(0.5 + 6 / 13))
    assert offset["accuracy"] == pytest.approx(7 / 13)
    assert offset["classes"] == 20
    assert test["nll_per_event"] == pytest.approx(sum(stream["nll"] for stream in test["streams"].values()))


def test_baselines_have_the_same_fields_as_the_models():
    test = card()["splits"]["test"]
    majority = test["baselines"]["majority"]
    assert majority["nll_per_event"] == pytest.approx(test["nll_per_event"] + 1.5)
    assert set(majority) <= set(test)
    assert {name: set(stream) for name, stream in majority["streams"].items()} == {
        name: set(stream) for name, stream in test["streams"].items()
    }


def test_positions_are_binned_inside_and_beyond_the_window_and_add_up():
    test = card()["splits"]["test"]
    bins = test["positions"]
    assert [(one["from"], one["to"], one["events"]) for one in bins] == [(0, 2, 4), (2, 4, 3), (4, 8, 4), (8, None, 2)]
    assert bins[0]["nll_per_event"] == pytest.approx(2.0)
    assert bins[1]["nll_per_event"] == pytest.approx(2.0 + 2 / 3)
    assert bins[3]["nll_per_event"] == pytest.approx(2.0 + 4 / 2)
    assert sum(one["nll_per_event"] * one["events"] for one in bins) == pytest.approx(test["nats_total"])
    assert bins[0]["baselines"] == {"majority": pytest.approx(3.5)}


def test_positions_before_the_first_scored_event_have_no_bin():
    test = card(positions=POSITIONS + 8)["splits"]["test"]
    bins = test["positions"]
    assert test["first_position"] == 8
    assert [(one["from"], one["events"]) for one in bins] == [(8, 11), (16, 2)]


def test_a_split_that_leaks_says_so_in_every_row():
    split = SplitScores(LENGTHS, POSITIONS, 26, streams(1.5))
    leaky = score_card({"test": split}, CLASSES, window=8, protocol="leaky: random windows")
    assert {row["protocol"] for row in rows(leaky)} == {"leaky: random windows"}


def test_rows_lay_out_every_predictor_and_stream():
    table = rows(card())
    assert [(row["predictor"], row["stream"]) for row in table] == [
        (predictor, stream) for predictor in ("models", "majority") for stream in ("all", "offset", "note")
    ]
    assert len({tuple(row) for row in table}) == 1
    assert table[0]["nll"] == pytest.approx(card()["splits"]["test"]["nll_per_event"])


def test_a_split_without_events_is_refused_in_one_sentence():
    nothing = {"note": StreamScores(np.empty(0), np.empty(0, np.bool_), np.empty(0))}
    with pytest.raises(
        NotEnoughMusicError, match="split test: expected at least one event to score, got none in 0 pieces"
    ):
        score_card({"test": SplitScores((), np.empty(0, np.int64), 0, nothing)}, CLASSES, window=64)


@pytest.mark.parametrize("notes", [0, None])
def test_without_a_number_of_notes_there_is_no_cost_per_note(notes):
    assert card(notes=notes)["splits"]["test"]["nll_per_note"] is None


def test_what_a_table_without_learning_knows_stands_beside_the_models():
    assert card(lookup={"note": 0.25})["splits"]["test"]["lookup"] == {"note": 0.25}


def doubtful(models, pieces=12, protocol=BY_PIECE, **baselines) -> dict:
    """A card with a validation split, from the nats of each predictor by stream."""

    def scores(streams):
        return {
            "nll_per_event": sum(streams.values()),
            "streams": {name: {"nll": nll} for name, nll in streams.items()},
        }

    found = {name: scores(streams) for name, streams in baselines.items()}
    return {"protocol": protocol, "splits": {"validation": {"pieces": pieces, **scores(models), "baselines": found}}}


BETTER = {"offset": 0.5, "note": 2.0}


def test_good_models_on_enough_pieces_give_no_warning():
    worse = {"offset": 0.6, "note": 2.5}
    assert card_warnings(doubtful(BETTER, pieces=3, previous=worse, ngram_joint=worse)) == []
    assert card_warnings({"protocol": BY_PIECE, "splits": {}}) == []


def test_models_worse_than_a_baseline_give_one_warning_with_the_scores_of_both():
    worse = {"offset": 1.0, "note": 4.0}
    card = doubtful(worse, majority=BETTER, previous={"offset": 1.0, "note": 5.0}, ngram_joint=BETTER)
    (warning,) = card_warnings(card)
    assert warning == (
        "The models (5.000 nats per event on validation) are worse than the baseline ngram_joint (2.500): "
        "train on more pieces, for more epochs, or with a smaller recipe such as demo"
    )
    (both,) = card_warnings(doubtful(worse, previous=BETTER, ngram_joint=BETTER))
    assert "worse than the baselines previous (2.500) and ngram_joint (2.500): train" in both


def test_a_stream_worse_than_the_previous_token_is_named_where_the_sum_is_good():
    models, previous = {"offset": 0.9, "note": 2.0}, {"offset": 0.8, "note": 3.0}
    (warning,) = card_warnings(doubtful(models, previous=previous, ngram_joint=previous))
    assert warning.startswith(
        "The offset model (0.900 nats per event on validation) is worse than the baseline previous (0.800)"
    )


@pytest.mark.parametrize(("pieces", "counted"), [(1, "only 1 piece,"), (2, "only 2 pieces,")])
def test_a_small_validation_split_is_a_warning(pieces, counted):
    (warning,) = card_warnings(doubtful(BETTER, pieces=pieces))
    assert counted in warning
    assert warning.endswith("add pieces, or raise split.validation in the recipe")


def test_a_warning_about_a_leaky_split_says_so():
    (warning,) = card_warnings(doubtful({"note": 4.0}, protocol="by piece, leaky", previous={"note": 1.0}))
    assert "nats per event on validation, leaky)" in warning

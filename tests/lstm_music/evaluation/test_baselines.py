import numpy as np
import pytest
from token_music import NOTE, SHIFTS, SIZES, STREAMS, TRANSPOSITION, random_piece, random_training

from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.evaluation.baselines import (
    BASELINES,
    Baselines,
    joint_frontier,
    joint_frontiers,
    own_frontier,
    previous,
    repeat_weight,
    score_baselines,
)
from lstm_music.evaluation.contexts import LONGEST_LAG, Element, History, TrainingPiece

NO_UNKNOWN = dict.fromkeys(STREAMS, -np.inf)


def scored(train, validation, held_out, log_unknown=NO_UNKNOWN, **options) -> Baselines:
    sizes = dict(zip(STREAMS, SIZES, strict=True))
    return score_baselines(train, validation, held_out, TRANSPOSITION, sizes, STREAMS, log_unknown, **options)


def chained_piece(rng: np.random.Generator, length: int) -> np.ndarray:
    """A note that the offset of its event decides, and a duration that the note before it decides."""
    tokens = random_piece(rng, length)
    tokens[:, 1] = SPECIAL_IDS + (tokens[:, 0] - SPECIAL_IDS)
    tokens[1:, 2] = SPECIAL_IDS + (tokens[:-1, 1] - SPECIAL_IDS) % (SIZES[2] - SPECIAL_IDS)
    return tokens


def test_every_baseline_is_scored_on_every_event_of_every_split():
    rng = np.random.default_rng(11)
    held_out = {
        "validation": [random_piece(rng, 30)],
        "test": [random_piece(rng, length) for length in (1, 20)],
        "none": [],
    }
    result = scored(random_training(rng, (60, 50)), held_out["validation"], held_out)
    assert set(result.scores) == set(held_out)
    for split, pieces in held_out.items():
        assert tuple(result.scores[split]) == BASELINES
        for streams in result.scores[split].values():
            assert tuple(streams) == STREAMS
            for stream, scores in streams.items():
                assert len(scores.nats) == len(scores.correct) == sum(map(len, pieces))
                assert len(scores.end_nats) == (len(pieces) if stream == "offset" else 0)
                assert np.isfinite(scores.total)


def test_the_joint_ngram_sees_the_chain_and_the_ngram_does_not():
    rng = np.random.default_rng(12)
    train = [TrainingPiece(chained_piece(rng, 300)) for _ in range(3)]
    result = scored(train, [chained_piece(rng, 200)], {"test": [chained_piece(rng, 200)]}).scores["test"]
    for stream in ("note", "duration"):
        assert result["ngram_joint"][stream].nats[1:].mean() < 0.1
        assert result["ngram_joint"][stream].correct[1:].all()
        assert result["ngram"][stream].nats.mean() > 0.5


def test_transpositions_let_the_ngrams_know_a_melody_in_another_key():
    melody = np.full((60, 3), SPECIAL_IDS)
    melody[:, 1] += np.tile([1, 2, 4], 20)
    higher = melody.copy()
    higher[:, 1] += 1

    def accuracy(shifts):
        result = scored([TrainingPiece(melody, shifts)], [melody], {"test": [higher]}).scores["test"]
        return result["ngram"]["note"].correct[1:].mean()

    assert accuracy(SHIFTS) == 1
    assert accuracy((0,)) < 0.5


def test_the_majority_is_the_commonest_value_of_the_pieces_as_written():
    tokens = np.full((10, 3), SPECIAL_IDS)
    tokens[:4, 1] = SPECIAL_IDS + 3
    result = scored([TrainingPiece(tokens, SHIFTS)], [tokens], {"test": [tokens]}).scores["test"]["majority"]
    assert result["note"].correct.tolist() == [False] * 4 + [True] * 6
    assert result["note"].nats[0] > result["note"].nats[-1]


def test_only_chosen_events_are_scored_and_none_is_an_end():
    rng = np.random.default_rng(17)
    train, pieces = random_training(rng, (60, 40)), [random_piece(rng, length) for length in (30, 5, 20)]
    chosen = {
        "train": [rng.random(len(piece.tokens)) < 0.5 for piece in train],
        "validation": [rng.random(30) < 0.5],
        "test": [rng.random(5) < 0.5, rng.random(20) < 0.5],
    }
    held_out = {"validation": pieces[:1], "test": pieces[1:]}
    result = scored(train, pieces[:1], held_out, chosen=chosen, predicted=("offset", "note"))
    for split, marks in chosen.items():
        for name in BASELINES if split in held_out else ():
            assert tuple(result.scores[split][name]) == ("offset", "note")
            for scores in result.scores[split][name].values():
                assert len(scores.nats) == len(scores.correct) == sum(piece.sum() for piece in marks)
                assert len(scores.end_nats) == 0
    assert all(tuple(choices) == ("offset", "note") for choices in result.choices.values())


def test_the_majority_is_that_of_the_chosen_training_events():
    train, heard = np.full((9, 3), SPECIAL_IDS), np.full((6, 3), SPECIAL_IDS)
    train[:, 1] += [0, 0, 0, 0, 0, 1, 1, 2, 2]
    heard[:, 1] += [0, 1, 2, 1, 0, 1]
    counted = np.array([False, False, False, False, True, True, True, False, True])  # of 0 one, of 1 two, of 2 one
    asked = np.array([True, True, False, False, True, True])  # 0 1 0 1
    chosen = {"train": [counted], "validation": [asked], "test": [asked]}

    def majority(train, heard, chosen):
        result = scored([TrainingPiece(train)], [heard], {"test": [heard]}, chosen=chosen, predicted=("note",))
        return result.scores["test"]["majority"]["note"]

    found = majority(train, heard, chosen)
    assert found.correct.tolist() == [False, True, False, True]
    # the majority has no context, so the chosen events by themselves are all that it knows
    everything = {side: [np.ones(4, np.bool_)] for side in chosen}
    assert found.nats.tolist() == majority(train[counted], heard[asked], everything).nats.tolist()


def test_a_chosen_event_is_predicted_from_all_events_before_it():
    rng = np.random.default_rng(18)

    def piece():
        tokens = random_piece(rng, 400)
        tokens[:, 1] = rng.integers(SPECIAL_IDS, SIZES[NOTE], 400)
        tokens[1::2, 1] = tokens[0::2, 1]  # each second note repeats the one before it, which nobody predicts
        return tokens

    train, heard, second = piece(), piece(), np.arange(400) % 2 == 1
    chosen = {side: [second] for side in ("train", "validation", "test")}
    result = scored([TrainingPiece(train)], [heard], {"test": [heard]}, chosen=chosen, predicted=("note",))
    assert result.scores["test"]["ngram"]["note"].correct.all()
    assert result.scores["test"]["previous"]["note"].correct.all()
    assert result.scores["test"]["ngram"]["note"].nats.mean() < 0.2
    assert result.choices["previous"]["note"]["repeat"] > 0.95  # over all events it would be about a half


def test_an_unknown_value_costs_the_same_addition_in_every_baseline():
    rng = np.random.default_rng(13)
    train, piece = random_training(rng, (60,)), random_piece(rng, 20)
    piece[7, 2] = UNKNOWN
    dear, cheap = (
        scored(train, [piece], {"test": [piece]}, {**NO_UNKNOWN, "duration": cost}).scores["test"]
        for cost in (5.0, 1.0)
    )
    for name in BASELINES:
        difference = dear[name]["duration"].nats - cheap[name]["duration"].nats
        assert difference == pytest.approx([4.0 if event == 7 else 0.0 for event in range(20)])
        assert not dear[name]["duration"].correct[7]


def test_the_same_music_gives_the_same_scores_and_choices():
    rng = np.random.default_rng(15)
    train, piece = random_training(rng, (60, 30)), random_piece(rng, 40)
    first, second = (scored(train, [piece], {"test": [piece]}) for _ in range(2))
    assert first.choices == second.choices
    for name in BASELINES:
        for stream in STREAMS:
            one, other = first.scores["test"][name][stream], second.scores["test"][name][stream]
            assert one.nats.tobytes() == other.nats.tobytes()


def test_choices_name_the_tokens_of_each_context():
    rng = np.random.default_rng(16)
    train = [TrainingPiece(chained_piece(rng, 300))]
    choices = scored(train, [chained_piece(rng, 200)], {}).choices
    assert set(choices) == set(BASELINES)
    joint = choices["ngram_joint"]["note"]
    assert sum(joint["weights"]) == pytest.approx(1)
    added = [level["added"] for chain in joint["chains"] for level in chain["levels"][:2]]
    assert added[0] == []
    assert ["offset"] in added
    assert 0 < choices["previous"]["note"]["repeat"] < 1


def test_the_previous_token_is_guessed_where_it_is_the_most_probable_value():
    majority = np.array([0, 0, 0.1, 0.5, 0.3, 0.1])
    tokens = np.array([[4, 3, 3], [4, 3, 3], [UNKNOWN, 3, 3], [5, 3, 3]])
    heard = History.of([tokens], 3, with_end=False)
    light, heavy = previous(majority, heard, 0, 0.1), previous(majority, heard, 0, 0.6)
    assert light.probability == pytest.approx([0.3, 0.1 + 0.9 * 0.3, 0.9 * 0.1, 0.9 * 0.1])
    assert light.guesses.tolist() == [3, 3, 3, 3]
    assert heavy.guesses.tolist() == [3, 4, 4, 3]


def test_the_weight_of_the_previous_token_follows_the_music():
    majority = np.array([0, 0, 0, 0.4, 0.3, 0.3])
    steady = np.full((50, 3), SPECIAL_IDS)
    restless = steady.copy()
    restless[::2, 0] += 1
    assert repeat_weight(majority, History.of([steady], 3, with_end=False), 0) > 0.9
    assert repeat_weight(majority, History.of([restless], 3, with_end=False), 0) < 0.1


def test_contexts_grow_without_gaps_and_never_past_the_longest_lag():
    assert own_frontier(2)([Element(1, 2)]) == [Element(2, 2)]
    assert own_frontier(2)([Element(lag, 2) for lag in range(1, LONGEST_LAG + 1)]) == []
    frontier = joint_frontier(NOTE, 3, Element(0, 0))
    assert frontier([]) == [Element(0, 0)]
    assert frontier([Element(0, 0), Element(1, 2)]) == [Element(1, 0), Element(1, 1), Element(2, 2)]
    every_lag = [Element(lag, column) for lag in range(1, LONGEST_LAG + 1) for column in range(3)]
    assert frontier(every_lag) == [Element(0, 0)]
    firsts = [frontier([])[0] for frontier in joint_frontiers(NOTE, 3)]
    assert firsts == [Element(0, 0), Element(1, 0), Element(1, 1), Element(1, 2)]

"""The flow `retrain` with several recipes: each gets its turn, whatever befalls the others. Its tasks are replaced."""

import pytest

from flows import retrain
from flows.engine.begun import tell_of_trainings, told_of_trainings
from lstm_music.advice import ADVICE, advice
from lstm_music.errors import CorruptArtifactError, NotEnoughMusicError, RetrainingError, SourceError
from lstm_music.recipe import load_recipe
from lstm_music.stages.inbox.news import News
from lstm_music.stages.inbox.serving import Served
from lstm_music.stages.training.promotion import Decision
from lstm_music.store import ArtifactRef

NEWS = News(("a.mid",), (), (), (), {"a.mid": "0" * 64})
BAD = {
    "second": NotEnoughMusicError("recipe 'second': 1 piece left, expected at least 3"),
    "third": CorruptArtifactError("inputs-0.parquet: damaged"),
    "fourth": RuntimeError("a fault\nof many lines"),
}


@pytest.fixture
def recipes(monkeypatch, tmp_path):
    """Have five recipes retrained, of which those of `BAD` fail in their training; return what retrains them."""
    names = ["first", *BAD, "fifth"]
    served = [Served(load_recipe("demo").model_copy(update={"name": name}), name) for name in names]
    monkeypatch.setattr(retrain, "served_recipes", lambda _store, asked: [one for one in served if one.given in asked])
    monkeypatch.setattr(retrain, "look", lambda _storage, them, *_: {one.name: NEWS for one in them})
    monkeypatch.setattr(retrain, "ingest_all", lambda *_: ArtifactRef("inputs", "0" * 64))
    monkeypatch.setattr(retrain, "prepare_inputs", lambda *_: None)
    monkeypatch.setattr(retrain, "holds_other_music", lambda *_: True)
    monkeypatch.setattr(retrain, "report", lambda _storage, result: result)
    monkeypatch.setattr(retrain, "generate", lambda *_: None)

    def train_all(given, *_others, **_options):
        if given in BAD:
            raise BAD[given]
        return Decision("promoted", "no models were promoted before")

    monkeypatch.setattr(retrain, "train_all", train_all)
    return lambda *asked: retrain.retrain.fn(list(asked), None, str(tmp_path / "storage"))


def test_the_error_of_one_recipe_does_not_stop_the_others(recipes, caplog):
    with pytest.raises(RetrainingError) as raised:
        recipes("first", "second", "third", "fourth", "fifth")
    assert str(raised.value) == (
        "3 of 5 recipes not retrained: recipe second: recipe 'second': 1 piece left, expected at least 3; "
        "recipe third: inputs-0.parquet: damaged; recipe fourth: RuntimeError: a fault"
    )
    assert [result.recipe for result in raised.value.done] == ["first", "fifth"]
    assert raised.value.exit_code == NotEnoughMusicError.exit_code
    assert advice(raised.value) == ADVICE[NotEnoughMusicError]
    assert "Recipe second: not retrained: recipe 'second': 1 piece left" in caplog.text  # at once, not at the end


def test_a_single_recipe_fails_with_its_own_error_and_without_errors_nothing_is_raised(recipes):
    with pytest.raises(CorruptArtifactError):
        recipes("third")
    assert [result.recipe for result in recipes("first", "fifth")] == ["first", "fifth"]


def test_what_one_recipe_cannot_look_at_the_others_can(recipes, monkeypatch):
    def look(_storage, them, *_):
        if any(one.name == "first" for one in them):
            raise SourceError("the inbox of the first")
        return {one.name: NEWS for one in them}

    monkeypatch.setattr(retrain, "look", look)
    with pytest.raises(RetrainingError, match=r"^1 of 2 recipes not retrained: recipe first: the inbox of the first$"):
        recipes("first", "fifth")


def test_one_reason_of_several_recipes_is_said_once(recipes, monkeypatch):
    def look(*_):
        raise SourceError("no inbox")

    monkeypatch.setattr(retrain, "look", look)
    with pytest.raises(RetrainingError, match=r"^2 of 2 recipes not retrained: recipe first, fifth: no inbox$"):
        recipes("first", "fifth")


def test_whoever_calls_a_flow_is_told_of_its_trainings():
    told, models = [], {"note": ArtifactRef("model", "0" * 64)}
    with told_of_trainings(lambda *said: told.append(said)):
        tell_of_trainings("demo", models)
    tell_of_trainings("other", models)
    assert told == [("demo", models)]

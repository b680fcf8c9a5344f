"""Fine-tuning: what was learnt is kept by value, is never held out, and stands beside the new models on the score card."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from eager import eagerly
from small_music import QUARTER, piece_of, small_piece, tiny_recipe, write_folder

from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.errors import MissingArtifactError, RecipeError
from lstm_music.evaluation.fine_tuned import EARLIER, FROM_NOTHING
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.stages.bundle.exporting import export_bundle
from lstm_music.stages.bundle.importing import import_bundle
from lstm_music.stages.current import Promoted, keep, kept_form, promoted_models
from lstm_music.stages.data.bundled import learnt_pieces
from lstm_music.stages.data.dataset import learnt_music, load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import Prepared, prepare
from lstm_music.stages.music import reference
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.training.fine_tuning import (
    FOR_FEW_FILES,
    beside,
    fine_tuned,
    from_nothing,
    with_comparison,
)
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import evaluate, models_of_card, read_card
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import load_model, model_stages, start_of
from lstm_music.stages.upkeep.lineage import pieces_behind
from lstm_music.stages.upkeep.repair import plan_repair
from lstm_music.store import ArtifactRef, Store

SLOW = [(3 * QUARTER * number, 5 * QUARTER, 60 + number % 5) for number in range(20)]
QUARTERS = 8
"""The length of the pieces: models are scored without compiling, which takes the longer the longer they are."""


@dataclass(frozen=True)
class Home:
    """A storage, the recipe whose models are promoted there, and its prepared music."""

    store: Store
    recipe: Recipe
    prepared: Prepared


def short_pieces(name, numbers):
    return {f"{name} {number}.mid": small_piece(number, QUARTERS) for number in numbers}


@pytest.fixture(scope="module", autouse=True)
def short_chunks(tensorflow):
    """Score no more steps than the pieces have events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstm_music.models.scoring.CHUNK", 48)
        yield


@pytest.fixture(scope="module")
def home(publish_untrained, tmp_path_factory):
    """A storage with promoted models. Their weights are those of another random seed than the recipe's."""
    root = tmp_path_factory.mktemp("home")
    store, recipe = Store(root / "storage"), tiny_recipe()
    folder = write_folder(root / "music", short_pieces("piece", range(8)))
    prepared = prepare(store, recipe, ingest(store, recipe, str(folder)))
    models = publish_untrained(store, tiny_recipe(random_seed=7), prepared.dataset)
    with eagerly():
        card = evaluate(store, recipe, prepared.dataset, models)
    promoted = Promoted(prepared.dataset, models, card)
    keep(store, "tiny", {"promoted": promoted.to_json(), "recipe": kept_form(recipe)})
    return Home(store, recipe, prepared)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """Music of one's own, with values that the earlier models do not know; pieces of theirs are among it."""
    music = {**short_pieces("new", range(60, 68)), "slow.mid": piece_of(SLOW), **short_pieces("known", range(8))}
    return write_folder(tmp_path_factory.mktemp("own") / "mine", music)


@pytest.fixture(scope="module")
def fine(home, mine):
    """The recipe that starts from the models in `home`, and its prepared music."""
    recipe = fine_tuned(home.store, "tiny", None, str(mine))
    return recipe, prepare(home.store, recipe, ingest(home.store, recipe, str(mine)))


@pytest.fixture(scope="module")
def tuned(home, fine, publish_untrained):
    """The promoted models of that recipe, beside a training from nothing; give the facts of them."""
    (recipe, prepared), store = fine, home.store
    cold = from_nothing(recipe)
    publish_untrained(store, cold, prepare(store, cold, prepared.inputs).dataset)
    models = publish_untrained(store, recipe, prepared.dataset)
    with eagerly():
        card = evaluate(store, recipe, prepared.dataset, models, beside(recipe, prepared))
    keep(store, recipe.name, {"recipe": kept_form(recipe)})
    old, new = promoted_models(store, "tiny"), Promoted(prepared.dataset, models, card)
    assert promote(store, recipe, new).promoted
    assert promoted_models(store, "tiny") == old
    return new


def test_the_recipe_is_a_new_one_with_the_settings_of_the_earlier(home, fine, mine):
    recipe, _ = fine
    assert recipe.name == "tiny_mine"
    changed = {"name", "source", "start", "training"}
    assert {key: value for key, value in kept_form(recipe).items() if key not in changed} == {
        key: value for key, value in kept_form(home.recipe).items() if key not in changed
    }
    assert recipe.training == home.recipe.training.model_copy(update=FOR_FEW_FILES)
    assert recipe.start.models == {name: ref.key for name, ref in promoted_models(home.store, "tiny").models.items()}
    assert parse_recipe(kept_form(recipe), "kept") == recipe


def test_vocabularies_grow_behind_the_earlier_ids(home, fine):
    before, now = (load_dataset(home.store, ref).vocabularies for ref in (home.prepared.dataset, fine[1].dataset))
    for stream in STREAMS:
        assert now[stream].values[: len(before[stream].values)] == before[stream].values
        assert sum(now[stream].counts) > sum(before[stream].counts)
    assert {"3", "5"} <= {*now["offset"].values[len(before["offset"].values) :], *now["duration"].values}
    tokens = load_dataset(home.store, fine[1].dataset).tokens[:, : len(STREAMS)]
    trained_on = np.concatenate(
        [tokens[span.start : span.stop] for span in load_dataset(home.store, fine[1].dataset).spans[TRAIN]]
    )
    assert not (trained_on == UNKNOWN).any()


def test_what_earlier_models_learnt_is_trained_on_and_not_held_out(home, fine):
    dataset = load_dataset(home.store, fine[1].dataset)
    learnt = learnt_music(home.store, home.prepared.dataset)
    rows = {row["piece_id"]: row["music_hash"] for row in read_pieces(home.store, dataset.notes_ref)}
    known = {piece for piece, music in rows.items() if {piece, music} & learnt}
    assert known
    held_out = {span.piece_id for split in (VALIDATION, TEST) for span in dataset.spans[split]}
    assert held_out
    assert not held_out & known
    assert known <= {span.piece_id for span in dataset.spans[TRAIN]}
    assert learnt_music(home.store, dataset.ref) > learnt


def test_without_models_a_start_decides_nothing_but_the_split(home, fine):
    recipe, prepared = fine
    cold = from_nothing(recipe)
    found = load_dataset(home.store, prepare(home.store, cold, prepared.inputs).dataset)
    warm = load_dataset(home.store, prepared.dataset)
    assert {split: [span.piece_id for span in spans] for split, spans in found.spans.items()} == {
        split: [span.piece_id for span in spans] for split, spans in warm.spans.items()
    }
    own, grown = (sum(one.vocabularies["duration"].counts) for one in (found, warm))
    assert own < grown
    assert from_nothing(cold) is None
    assert from_nothing(home.recipe) is None
    assert all(stage.inputs == (found.ref,) for stage in model_stages(cold, found.ref).values())


@pytest.mark.usefixtures("uncompiled")
def test_training_starts_from_the_earlier_models(home, fine, tensorflow):
    recipe, prepared = fine
    slow = {"learning_rate": 1e-6, "warm_epochs": 1, "least_events": 0}
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update=slow)})
    ref = train_model(home.store, recipe, prepared.dataset, "duration")
    start = promoted_models(home.store, "tiny").models["duration"]
    assert start_of(home.store, ref) == start
    before, now = (
        load_model(home.store, one, load_dataset(home.store, dataset))
        for one, dataset in ((start, home.prepared.dataset), (ref, prepared.dataset))
    )
    np.testing.assert_allclose(now.stack[0].cell.recurrent_kernel, before.stack[0].cell.recurrent_kernel, atol=1e-5)
    ids = before.head.kernel.shape[1]  # the values that both know come first
    np.testing.assert_allclose(now.head.kernel[:, :ids], before.head.kernel, atol=1e-5)
    assert now.head.kernel.shape[1] > ids


def test_the_card_has_the_models_beside_each_other_on_the_same_pieces(home, fine, tuned):
    recipe, store = fine[0], home.store
    card = read_card(store, tuned.scorecard)
    assert models_of_card(store, tuned.scorecard) == tuned.models
    for split in (VALIDATION, TEST):
        found = card["splits"][split]["baselines"]
        assert all(math.isfinite(found[name]["nll_per_event"]) for name in (EARLIER, FROM_NOTHING, "ngram_joint"))
    assert "for the earlier models" in card["verdict"]
    assert "verdict" not in read_card(store, promoted_models(store, "tiny").scorecard)
    before = store.current(recipe.name)["promoted"]
    store.set_current(recipe.name, {"promoted": None})
    assert plan_repair(store, []).facts[recipe.name]["promoted"] == before
    store.set_current(recipe.name, {"promoted": before})


@pytest.mark.usefixtures("uncompiled")
def test_a_score_beside_is_that_of_the_earlier_card(home, fine):
    """The same pieces, scored beside other models, cost what they cost at home."""
    promoted = promoted_models(home.store, "tiny")
    others = beside(tiny_recipe(start=fine[0].start.model_dump()), home.prepared, with_nothing=False)
    card = read_card(home.store, evaluate(home.store, home.recipe, promoted.dataset, promoted.models, others))
    at_home = read_card(home.store, promoted.scorecard)["splits"]
    for split, found in card["splits"].items():
        scores = found["baselines"][EARLIER]["streams"]
        assert {stream: one["nll"] for stream, one in scores.items()} == pytest.approx(
            {stream: one["nll"] for stream, one in at_home[split]["streams"].items()}, rel=1e-4
        )


def test_few_files_are_compared_with_a_training_from_nothing(home, fine):
    recipe, prepared = fine
    assert with_comparison(home.store, recipe, prepared.inputs, None).start.compare
    assert not with_comparison(home.store, recipe, prepared.inputs, False).start.compare
    assert EARLIER in beside(with_comparison(home.store, recipe, prepared.inputs, False), prepared)
    assert beside(home.recipe, home.prepared) == {}


@pytest.mark.usefixtures("uncompiled")
def test_a_bundle_is_a_start_and_knows_what_it_learnt(home, mine, fine, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "MOST_EXCERPTS", 2)
    export_bundle(home.store, home.recipe, tmp_path / "tiny.lstm")
    there = Store(tmp_path / "there")
    assert import_bundle(tmp_path / "tiny.lstm", there).name == "tiny"
    recipe = fine_tuned(there, "tiny", None, str(mine))
    dataset = load_dataset(there, prepare(there, recipe, ingest(there, recipe, str(mine))).dataset)
    at_home = load_dataset(home.store, fine[1].dataset)
    assert learnt_music(there, dataset.ref) == learnt_music(home.store, at_home.ref)
    assert dataset.spans == at_home.spans
    assert dataset.vocabularies == at_home.vocabularies
    behind = {piece["sha256"] for piece in pieces_behind(there, dataset.ref)}
    imported = there.open(promoted_models(there, "tiny").dataset)
    assert behind >= {piece["sha256"] for piece in learnt_pieces(imported)}


@pytest.mark.usefixtures("uncompiled")
def test_fine_tuned_models_make_the_same_music_from_a_bundle_and_are_a_start_again(
    home, fine, tuned, mine, tmp_path, monkeypatch
):
    monkeypatch.setattr(reference, "MOST_EXCERPTS", 2)
    recipe, there = fine[0], Store(tmp_path / "there")
    export_bundle(home.store, recipe, tmp_path / "fine.lstm")
    assert import_bundle(tmp_path / "fine.lstm", there).name == recipe.name
    spec = recipe.generation.model_copy(update={"num_outputs": 2, "num_events": 12, "prompt": "none"})
    at_home, elsewhere = (
        [one.midi for one in read_music(store, make_music(store, models.dataset, models.models, spec, 5))]
        for store, models in ((home.store, tuned), (there, promoted_models(there, recipe.name)))
    )
    assert at_home == elsewhere
    again = fine_tuned(there, recipe.name, None, str(mine))
    assert learnt_music(there, ArtifactRef("dataset", again.start.dataset)) == learnt_music(home.store, tuned.dataset)


def test_a_start_that_does_not_go_with_the_recipe_is_refused(home, mine):
    def start(own, source=str(mine), earlier="tiny"):
        return fine_tuned(home.store, earlier, own, source)

    with pytest.raises(RecipeError, match="its units is 8, and the recipe's is 9; leave out --recipe"):
        start(tiny_recipe(name="other", model={"units": 9}))
    with pytest.raises(RecipeError, match=r"their \[events\] differ from the recipe's"):
        start(tiny_recipe(name="other", events={"quarter_length_divisors": [2]}))
    with pytest.raises(RecipeError, match=r"their streams are offset, note, duration, and the recipe's are .*velocity"):
        start(tiny_recipe(name="other", model={"streams": [*STREAMS, "velocity"]}))
    with pytest.raises(RecipeError, match="--start-from: needs --source"):
        start(None, None)
    with pytest.raises(MissingArtifactError, match="'absent' is not trained yet"):
        start(None, earlier="absent")


def test_a_recipe_of_ones_own_keeps_its_name_and_others_are_not_taken_over(home, mine):
    other = fine_tuned(home.store, "tiny", tiny_recipe(name="other", training={"warm_epochs": 2}), str(mine))
    assert other.name == "other"
    assert {key: getattr(other.training, key) for key in FOR_FEW_FILES} == {**FOR_FEW_FILES, "warm_epochs": 2}
    assert fine_tuned(home.store, "tiny", tiny_recipe(), str(mine)).name == "tiny_mine"
    assert fine_tuned(home.store, "tiny", None, "https://example.org/My%20Music.zip").name == "tiny_my-20music"
    assert fine_tuned(home.store, "tiny", None, "kaggle:owner/piano").name == "tiny_piano"
    promoted = promoted_models(home.store, "tiny")
    keep(home.store, "taken", {"promoted": promoted.to_json(), "recipe": kept_form(tiny_recipe(name="taken"))})
    with pytest.raises(RecipeError, match="'taken' has models that do not start from tiny"):
        fine_tuned(home.store, "tiny", tiny_recipe(name="taken"), str(mine))


def test_split_pieces_named_by_folders_are_moved_too(home, mine, tmp_path):
    music = {
        f"{split}/{number}.mid": small_piece(60 + number, QUARTERS)
        for number, split in enumerate(("train", "validation", "test"))
    }
    music |= short_pieces("test/known", range(8))
    folder = write_folder(tmp_path / "by folder", music)
    recipe = fine_tuned(home.store, "tiny", tiny_recipe(name="folders", split={"by": "folder"}), str(folder))
    dataset = load_dataset(home.store, prepare(home.store, recipe, ingest(home.store, recipe, str(folder))).dataset)
    assert any("earlier models learnt 'test/known" in warning for warning in dataset.warnings)
    assert len(dataset.spans[TRAIN]) > 1
    assert len(dataset.spans[VALIDATION]) == 1

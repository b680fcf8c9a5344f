"""Models of music with parts make the same music from a bundle as at home."""

import pytest
from band_music import band_piece
from small_music import tiny_recipe, write_folder

from lstm_music.recipe import load_recipe
from lstm_music.stages.bundle.exporting import export_bundle
from lstm_music.stages.bundle.importing import import_bundle
from lstm_music.stages.current import Promoted, keep, kept_form, promoted_models
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music import reference
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.store import Store

pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture(autouse=True)
def little_is_measured(monkeypatch):
    monkeypatch.setattr("lstm_music.models.scoring.CHUNK", 48)
    monkeypatch.setattr(reference, "MOST_EXCERPTS", 2)


def small_version(name):
    """Give a recipe of this project with tiny models."""
    of_project = kept_form(load_recipe(name))
    model = {key: of_project["model"][key] for key in ("experts", "controls", "echoes")}
    return tiny_recipe(name=f"small_{name}", events=of_project["events"], model=model)


def promote_untrained(store, recipe, folder, publish):
    """Prepare music and promote untrained models for it."""
    prepared = prepare(store, recipe, ingest(store, recipe, str(folder)))
    models = publish(store, recipe, prepared.dataset)
    card = evaluate(store, recipe, prepared.dataset, models)
    promoted = Promoted(prepared.dataset, models, card)
    keep(store, recipe.name, {"promoted": promoted.to_json(), "recipe": kept_form(recipe)})


def music_of(store, recipe):
    """Make music without a prompt: a bundle has few of the held-out pieces, so it chooses other prompts."""
    promoted = promoted_models(store, recipe.name)
    spec = recipe.generation.model_copy(update={"num_outputs": 2, "num_events": 16, "prompt": "none"})
    return [one.midi for one in read_music(store, make_music(store, promoted.dataset, promoted.models, spec, 5))]


@pytest.mark.parametrize("name", ["ensemble", "quartet"])
def test_music_with_parts_is_that_of_home(name, publish, tmp_path):
    folder = write_folder(
        tmp_path / "bands", {f"piece {number}.mid": band_piece(number, quarters=6) for number in range(6)}
    )
    store, there, recipe = Store(tmp_path / "storage"), Store(tmp_path / "there"), small_version(name)
    assert "part" in recipe.model.models
    promote_untrained(store, recipe, folder, publish)
    export_bundle(store, recipe, tmp_path / "it.lstm")
    assert import_bundle(tmp_path / "it.lstm", there).name == recipe.name
    made = music_of(there, recipe)
    assert made == music_of(store, recipe)
    assert len(set(made)) == 2

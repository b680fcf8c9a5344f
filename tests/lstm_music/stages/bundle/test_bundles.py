"""Trained models go out of one storage and into another, and make the same music there."""

import dataclasses
import json

import numpy as np
import pytest

from lstm_music.bundle import read_bundle, write_bundle
from lstm_music.bundle.manifest import Contents
from lstm_music.encoding.splits import TRAIN
from lstm_music.errors import BundleError, MissingArtifactError, NotEnoughMusicError, RecipeError
from lstm_music.models.weights import read_weights
from lstm_music.recipe import load_recipe
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.bundle.exporting import export_bundle
from lstm_music.stages.bundle.importing import import_bundle, opened
from lstm_music.stages.current import keep, kept_form, promoted_models
from lstm_music.stages.data.bundled import learnt_pieces
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music import reference as reference_module
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.music.control_ranges import RANGES
from lstm_music.stages.music.copies import NO_INDEX, copies_stage, index_copies, load_index, training_titles
from lstm_music.stages.music.generation import Plan, describe_generation, generate
from lstm_music.stages.music.lengths import DENSITY, usual_density
from lstm_music.stages.music.quality import measure_quality
from lstm_music.stages.music.reference import measure_reference, read_reference
from lstm_music.stages.music.segments import piece_rows
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.stages.upkeep.holders import artifacts_with, find_contents
from lstm_music.stages.upkeep.lineage import pieces_of
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.store import Store
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

QUIET = RenderingSpec(audio=(), sheet_music=False)

pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture(scope="module")
def home(made, evaluated, tmp_path_factory):
    """A storage with promoted models."""
    copied = made.copy(tmp_path_factory.mktemp("home") / "storage")
    facts = {"promoted": evaluated.to_json(), "recipe": kept_form(made.recipe)}
    keep(copied.store, made.recipe.name, facts)
    return copied


@pytest.fixture(scope="module")
def bundle(home, tmp_path_factory):
    """The bundle of these models; `whole.lstm` beside it has the index of copies, too. Few excerpts are measured."""
    folder = tmp_path_factory.mktemp("bundles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference_module, "MOST_EXCERPTS", 4)
        export_bundle(home.store, home.recipe, folder / "whole.lstm", with_copy_index=True)
        export_bundle(home.store, home.recipe, folder / "tiny.lstm")
    return folder / "tiny.lstm"


@pytest.fixture(scope="module")
def there(bundle, tmp_path_factory):
    """Another storage, into which the bundle was imported."""
    store = Store(tmp_path_factory.mktemp("there") / "storage")
    assert import_bundle(bundle, store).name == "tiny"
    return store


def music_of(store, recipe, **changes):
    """Make music with the promoted models of a recipe; give the candidates."""
    promoted = promoted_models(store, recipe.name)
    spec = recipe.generation.model_copy(update={"num_outputs": 2, "num_events": 12, **changes})
    ref = make_music(store, promoted.dataset, promoted.models, spec, 5)
    return read_music(store, ref)


def midi_of(made):
    return [one.midi for one in made]


def split_of_pieces(home):
    """Give the split of each piece by its name."""
    dataset = load_dataset(home.store, home.prepared.dataset)
    rows = piece_rows(home.store, dataset)
    return {rows[span.piece_id]["name"]: split for split, spans in dataset.spans.items() for span in spans}


def test_the_same_models_give_the_same_bytes(home, bundle, tmp_path):
    export_bundle(home.store, home.recipe, tmp_path / "again.lstm")
    assert (tmp_path / "again.lstm").read_bytes() == bundle.read_bytes()


def test_weights_are_safetensors_with_the_arrays_of_keras(home, there, evaluated):
    promoted = promoted_models(there, "tiny")
    for name, ref in promoted.models.items():
        path = there.open(ref).file("model")
        new, old = read_weights(path), read_weights(home.store.open(evaluated.models[name]).file("model"))
        assert path.suffix == ".safetensors"
        assert new.keys() == old.keys()
        assert all(np.array_equal(new[key], old[key]) and new[key].dtype == old[key].dtype for key in old)


def test_without_a_prompt_music_is_that_of_home(home, there):
    """Bars ask how dense training music is, which a bundle has to say."""
    asked = {"prompt": "none", "bars": 2}
    assert midi_of(music_of(there, home.recipe, **asked)) == midi_of(music_of(home.store, home.recipe, **asked))


def test_prompts_of_a_bundle_are_those_of_held_out_pieces(home, bundle, there):
    with opened(bundle) as found:
        made = music_of(found.store, home.recipe)
    assert midi_of(made) == midi_of(music_of(there, home.recipe))
    held_out = [name for name, split in split_of_pieces(home).items() if split != TRAIN]
    for one in made:
        prompt = one.facts["prompt"]
        assert prompt["events"] == home.recipe.generation.prompt_events
        assert prompt["replaced_values"] == 0
        assert any(prompt["piece"].startswith(name.removesuffix(".mid")) for name in held_out)
        assert prompt["composer"] == "composer"


def test_a_bundle_lists_what_was_learnt_and_holds_none_of_it(home, there, bundle, tmp_path):
    dataset = load_dataset(there, promoted_models(there, "tiny").dataset)
    training = learnt_pieces(dataset.artifact)
    assert {one["name"]: one["split"] for one in training} == split_of_pieces(home)
    learnt = {one["sha256"] for one in training if one["split"] == TRAIN}
    assert learnt
    manifest = read_bundle(bundle, tmp_path / "unpacked")
    assert not {name.rpartition("/")[2] for name in manifest.members} & learnt
    assert not dataset.spans[TRAIN]
    assert usual_density(dataset) == usual_density(load_dataset(home.store, home.prepared.dataset))
    card = (tmp_path / "unpacked" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: lstm-music\nlicense: ")
    assert all(f"| {number} " in card for number in range(1, 14))  # the categories of MusGO
    assert "Copies cannot be searched for" in card


def test_an_import_is_whole_and_may_be_repeated(there, bundle):
    assert there.verify().bad == find_missing(there) == []
    before = promoted_models(there, "tiny")
    assert import_bundle(bundle, there).was_there
    assert import_bundle(bundle, there, "other").name == "other"
    assert promoted_models(there, "other") == promoted_models(there, "tiny") == before
    assert there.recipes() == ["other", "tiny"]


def test_what_a_bundle_learnt_is_known_where_it_was_imported(there):
    promoted = promoted_models(there, "tiny")
    learnt = next(one for one in learnt_pieces(there.open(promoted.dataset)) if one["split"] == TRAIN)
    contents = find_contents(there, learnt["name"])
    assert contents == {learnt["sha256"]: learnt["name"]}
    assert artifacts_with(there, contents).keys() >= {*promoted.models.values(), promoted.scorecard}
    assert {one["sha256"] for one in pieces_of(there, promoted.dataset)} > contents.keys()


def test_other_models_of_a_recipe_are_not_replaced(home, bundle, evaluated):
    with pytest.raises(
        RecipeError, match="recipe 'tiny' has other models; import these under another name with --name"
    ):
        import_bundle(bundle, home.store)
    assert promoted_models(home.store, "tiny") == evaluated
    with pytest.raises(RecipeError, match="recipe 'demo': that of this version has other settings"):
        import_bundle(bundle, home.store, "demo")
    with pytest.raises(RecipeError, match="name"):
        import_bundle(bundle, home.store, "../x")


def test_nobody_says_that_nothing_is_copied_where_nobody_searched(home, bundle):
    with opened(bundle) as found:
        recipe = found.recipe
        spec = recipe.generation.model_copy(update={"num_outputs": 1, "num_events": 12})
        settings = dataclasses.replace(GenerationSettings.of(recipe, "tiny"), spec=spec, rendering=QUIET)
        ref = generate(found.store, Plan(settings, found.promoted.dataset, found.promoted.models))
        said = describe_generation(found.store, ref)
        facts = json.loads(found.store.open(ref).file("result_001.json").read_text())
        page = found.store.open(ref).file("index").read_text()
        assert load_index(found.store, copies_stage(found.promoted.dataset).ref) is None
    assert said["outputs"][0]["longest_copy"] is None
    assert NO_INDEX in said["warnings"]
    assert facts["measured"]["longest_copy"] is None
    assert "copies were not searched for" in page
    assert "in a row also" not in page


def test_the_index_of_copies_is_that_of_home(home, bundle):
    index = load_index(home.store, index_copies(home.store, home.prepared.dataset))
    with opened(bundle.with_name("whole.lstm")) as found:
        ref = index_copies(found.store, found.promoted.dataset)
        again = load_index(found.store, ref)
        assert all(np.array_equal(array, index.arrays()[name]) for name, array in again.arrays().items())
        titles = training_titles(found.store, ref)
        assert len(titles) == len(load_dataset(home.store, home.prepared.dataset).spans[TRAIN])
        assert "holds the training pieces as events" in (found.store.root / "README.md").read_text()


def test_the_nearest_of_the_measured_lengths_is_taken(bundle):
    with opened(bundle) as found:
        copies = index_copies(found.store, found.promoted.dataset)
        lengths = {
            asked: read_reference(
                found.store, measure_reference(found.store, found.promoted.dataset, copies, asked)
            ).events
            for asked in (1, 6, 20, 24, 40, 1000)
        }
    assert lengths == {1: 6, 6: 6, 20: 24, 24: 24, 40: 48, 1000: 48}


def test_what_a_bundle_cannot_do_is_said(home, bundle, there, tmp_path):
    promoted = promoted_models(there, "tiny")
    with pytest.raises(BundleError, match="its models came in a bundle"):
        export_bundle(there, home.recipe, tmp_path / "x.lstm")
    with pytest.raises(NotEnoughMusicError, match="without held-out music to compare with"):
        measure_quality(there, promoted.dataset, promoted.models, home.recipe.generation, 1)
    with pytest.raises(MissingArtifactError, match="is not trained yet"):
        export_bundle(Store(tmp_path / "empty"), home.recipe, tmp_path / "x.lstm")
    with pytest.raises(BundleError, match="its folder is missing"):
        export_bundle(home.store, home.recipe, tmp_path / "gone" / "x.lstm")
    assert [path.name for path in tmp_path.iterdir()] == []


def with_facts(members, facts):
    """Let the dataset of a bundle say other things of its music."""
    (name,) = (name for name in members if name.startswith("dataset/") and name.endswith("manifest.json"))
    manifest = load_checksummed(members[name], name, "")
    return {**members, name: dump_checksummed({**manifest, "facts": {**manifest["facts"], **facts}})}


def test_contents_that_do_not_fit_together_are_refused_in_one_sentence(bundle, tmp_path):
    manifest = read_bundle(bundle, tmp_path / "unpacked")
    members = {name: (tmp_path / "unpacked" / name).read_bytes() for name in manifest.members}
    said = manifest.model_dump(include=set(Contents.model_fields))
    demo = kept_form(load_recipe("demo"))
    (card,) = (name for name in members if name.startswith("scorecard/") and name.endswith("manifest.json"))
    (splits,) = (name for name in members if "/splits-" in name)
    fewer = {name: data for name, data in members.items() if not name.startswith("notes/")}
    for changed, left in (
        ({**said, "recipe": demo}, members),
        ({**said, "recipe": {"name": "tiny", "nonsense": 1}}, members),
        ({**said, "name": "other"}, members),
        ({**said, "promoted": {**said["promoted"], "scorecard": "0" * 64}}, members),
        ({**said, "promoted": {**said["promoted"], "models": {"note": "0" * 64}}}, members),
        (said, fewer),
        (said, {**members, card: b"{}"}),
        (said, {**members, splits: b"PAR1"}),
        (said, with_facts(members, {RANGES: {"density": "2"}})),
        (said, with_facts(members, {RANGES: {"density": [1, 1e9]}})),
        (said, with_facts(members, {DENSITY: "x"})),
    ):
        path = tmp_path / "changed.lstm"
        write_bundle(path, Contents(**changed), left)
        with pytest.raises(BundleError, match="its contents do not fit together") as caught, opened(path):
            pass
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 10

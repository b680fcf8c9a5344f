"""Storages that commit 7c7d950 wrote are found by today's code: the same keys, and nothing made again.

`music` and `generations` are not compared: newer versions may make them again, see docs/upgrading.md.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from program import COMMAND, Program
from stage_keys import RECIPES, all_keys
from tiny_music import write_pieces, write_recipe

from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.current import earlier_models, kept_form, promoted_models
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import batches_to_parse, last_prepared, prepare
from lstm_music.stages.inbox.news import look, seen_inputs
from lstm_music.stages.music.copies import index_copies
from lstm_music.stages.music.reference import measure_reference
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.stages.training.trained import load_model, model_stages
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.stages.upkeep.pruning import plan_pruning, prune
from lstm_music.stages.upkeep.repair import plan_repair, repair
from lstm_music.stages.upkeep.survey import Limits
from lstm_music.store import Store
from lstm_music.store.versions import migrate

REPOSITORY = Path(__file__).parents[1]
COMMIT = "7c7d950"
FOUND_AGAIN = ("inputs", "parsed", "notes", "events", "dataset", "model", "scorecard", "copies", "reference")
PIECES = range(4)

# Made by: git worktree add ../before 7c7d950 && PYTHONPATH=../before python tests/stage_keys.py
GOLDEN = {
    "inputs": {
        "folder": "inputs/a63ae805727ab3c6",
        "folder by the reading music21-5": "inputs/9f31a767702358f8",
        "zip": "inputs/92228995a52ab0ad",
    },
    "parsed": {
        "midi": "parsed/c712d2ea22cc3814",
        "abc": "parsed/2c41c4c4923fca35",
    },
    "demo": {
        "notes": "notes/4e8e35df0a43aaf4",
        "events": "events/a713a20c22cf6eba",
        "dataset": "dataset/5a4aa2a1511b1415",
        "model offset": "model/ca31e579887fb6d5",
        "model note": "model/e86485e62dfd576a",
        "model duration": "model/0f5d8f4f1ca944c6",
        "warm model offset": "model/6412b1b30e2b64c1",
        "warm model note": "model/53eea82e7b5a5085",
        "warm model duration": "model/632d12cb3c5272ba",
        "scorecard": "scorecard/2e16d4ce9205cc17",
        "copies": "copies/186aaa784220296c",
        "reference": "reference/d3dccb0f8bff9800",
    },
    "default": {
        "notes": "notes/4e8e35df0a43aaf4",
        "events": "events/343c90daed953c75",
        "dataset": "dataset/a79f78d143e0ce57",
        "model offset": "model/ee400aa4f3d6beaa",
        "model note": "model/4db3ad6262d50380",
        "model duration": "model/9994f2d6ed6a975e",
        "warm model offset": "model/55b6ed6d9abf504e",
        "warm model note": "model/1d87547b3345970b",
        "warm model duration": "model/ad991dbc759884a9",
        "scorecard": "scorecard/929ba43a85e0f09e",
        "copies": "copies/b326fc679516217d",
        "reference": "reference/9293bd7c4385f0c7",
    },
    "expressive": {
        "notes": "notes/4e8e35df0a43aaf4",
        "events": "events/343c90daed953c75",
        "dataset": "dataset/0fd4a43df92137e3",
        "model offset": "model/9c7882e3f3a54e6e",
        "model note": "model/0b97ccccdb78740a",
        "model duration": "model/7a46e56e9af1e0de",
        "model velocity": "model/f0b76e99d5ff6575",
        "warm model offset": "model/7e906171eae93a96",
        "warm model note": "model/6b4e51baf924ece9",
        "warm model duration": "model/e755f7f68381ad31",
        "warm model velocity": "model/1761cfdb58ab8169",
        "scorecard": "scorecard/9f25f2e8219b54d8",
        "copies": "copies/a8328e2b49ffc03d",
        "reference": "reference/b080f25ebe522476",
    },
    "polyphony": {
        "notes": "notes/4e8e35df0a43aaf4",
        "events": "events/211fc5eefcf78b7c",
        "dataset": "dataset/8ccc199501acf2e3",
        "model offset": "model/2ed7042d6e0c7e5f",
        "model note": "model/3cefd1f80a70c815",
        "model duration": "model/42f820c6db76da85",
        "warm model offset": "model/39c6524af77f857c",
        "warm model note": "model/a166b1cbfae04897",
        "warm model duration": "model/77dc7758f6dc32a2",
        "scorecard": "scorecard/8dfdaba6bff86cf6",
        "copies": "copies/cd7170309f1fafd1",
        "reference": "reference/16a5d37ef65d5207",
    },
    "seed": {
        "notes": "notes/4e8e35df0a43aaf4",
        "events": "events/c242bf8220fd135c",
        "dataset": "dataset/95807f48e153d3e6",
        "model offset": "model/bf93d373756d2194",
        "model note": "model/f7e9373828969cad",
        "model duration": "model/1f67a0941941c7de",
        "warm model offset": "model/c1503becaedf34b6",
        "warm model note": "model/d7f0833a67ecaaaa",
        "warm model duration": "model/9c83ca1bbcc52195",
        "scorecard": "scorecard/7b0f769a9d7430ac",
        "copies": "copies/27f86befbfbd934f",
        "reference": "reference/6d415f947d148f84",
    },
}

# The pipeline of 7c7d950 up to what generation is compared with, by its library. Arguments: recipe, music, storage.
PIPELINE = """
import sys

from lstm_music.recipe import load_recipe
from lstm_music.stages.copies import index_copies
from lstm_music.stages.ingest import ingest
from lstm_music.stages.models import train_model
from lstm_music.stages.prepare import prepare
from lstm_music.stages.promotion import Current, promote, remember_heard
from lstm_music.stages.reference import measure_reference
from lstm_music.stages.scorecard import evaluate
from lstm_music.store import Store

recipe, store = load_recipe(sys.argv[1]), Store(sys.argv[3])
with store.session():
    inputs = ingest(store, recipe, sys.argv[2])
    dataset = prepare(store, recipe, inputs).dataset
    models = {name: train_model(store, recipe, dataset, name) for name in recipe.model.models}
    decision = promote(store, recipe, Current(dataset, models, evaluate(store, recipe, dataset, models)))
    assert decision.promoted, decision.reason
    remember_heard(store, recipe.name, inputs)
    measure_reference(store, dataset, index_copies(store, dataset), recipe.generation.num_events)
"""


@pytest.fixture(scope="module")
def keys() -> dict[str, dict[str, str]]:
    return all_keys()


@pytest.mark.parametrize("part", ["inputs", "parsed", *RECIPES])
def test_the_keys_are_those_of_7c7d950(keys, part):
    assert keys[part] == GOLDEN[part]


@pytest.fixture
def code_before(tmp_path: Path) -> Path:
    """The code of 7c7d950, from the history of this repository."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, so the code of 7c7d950 is not there")
    folder = tmp_path / "before"
    archive = tmp_path / "before.tar"
    command = [git, "archive", "--output", archive, COMMIT]
    made = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"the history of this checkout does not hold {COMMIT}: {made.stderr.strip()}")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture
def storage_before(code_before: Path, recipe_file: Path, music: Path, tmp_path: Path) -> Path:
    """A storage that 7c7d950 wrote, with all stages up to the reference."""
    storage = tmp_path / "storage"
    command = [sys.executable, "-c", PIPELINE, recipe_file, music, storage]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # not this code
    environment = {**inherited, "PYTHONPATH": str(code_before), "HOME": str(tmp_path)}
    made = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return storage


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = write_recipe(tmp_path)
    path.write_text(path.read_text().replace("prompt_events = 16\n", ""))  # it had another name then
    return path


@pytest.fixture
def music(tmp_path: Path) -> Path:
    return write_pieces(tmp_path / "music", PIECES)


def folders(storage: Path) -> set[str]:
    """The artifacts of the kinds that stay, as `kind/key`."""
    return {f"{kind}/{found.name}" for kind in FOUND_AGAIN for found in (storage / kind).iterdir()}


@pytest.mark.slow
def test_a_storage_of_7c7d950_is_used_and_nothing_is_made_again(storage_before, recipe_file, music, tmp_path):
    before = folders(storage_before)
    assert {folder.partition("/")[0] for folder in before} == {*FOUND_AGAIN}
    recipe, store = load_recipe(str(recipe_file)), Store(str(storage_before))
    facts = store.current(recipe.name)
    with store.session():
        assert used_refs(store, recipe, music) == before
    assert folders(storage_before) == before

    promoted = promoted_models(store, recipe.name)
    assert promoted is not None
    assert promoted.dataset == last_prepared(store, recipe.name).dataset
    dataset = load_dataset(store, promoted.dataset)
    for name, ref in promoted.models.items():
        assert load_model(store, ref, dataset).count_params() > 0, name
    assert earlier_models(store, recipe.name) == []
    assert seen_inputs(store, recipe.name) == last_prepared(store, recipe.name).inputs
    assert not look(store, recipe, None, 0.0).is_any
    assert store.current(recipe.name) == facts | {"recipe": kept_form(recipe)}

    command = [COMMAND, "evaluate", "--recipe", str(recipe_file), "--storage", str(storage_before)]
    program = Program(tmp_path / "home", command)
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    assert "nats" in out + program.errors
    assert folders(storage_before) == before

    assert migrate(storage_before) == []
    assert store.verify().bad == find_missing(store) == []
    with store.alone():
        planned = plan_pruning(store, Limits(older_than_days=0.0), now=4e9)
        prune(store, planned)
    assert {item.kind for item in planned.items} <= {"curves"}
    assert folders(storage_before) == before
    (storage_before / "current.json").unlink()
    repair(store, plan_repair(store, [str(recipe_file)]))
    assert promoted_models(store, recipe.name) == promoted


def used_refs(store: Store, recipe: Recipe, music: Path) -> set[str]:
    """Run the stages of today's code; return the artifacts that they use, as `kind/key`."""
    inputs = ingest(store, recipe, str(music))
    assert batches_to_parse(store, inputs) == []
    prepared = prepare(store, recipe, inputs)
    models = {name: stage.ref for name, stage in model_stages(recipe, prepared.dataset).items()}
    assert all(store.has(ref) for ref in models.values())
    scorecard = evaluate(store, recipe, prepared.dataset, models)
    copies = index_copies(store, prepared.dataset)
    reference = measure_reference(store, prepared.dataset, copies, recipe.generation.num_events)
    made = (inputs, prepared.notes, prepared.events, prepared.dataset, *models.values(), scorecard, copies, reference)
    return {f"{ref.kind}/{ref.key}" for ref in (*made, *store.refs("parsed"))}

"""Storages that commit 7c7d950 wrote are used by today's code, and the keys of all stages change only on purpose.

Today's code reads files in another way, so it reads music again when it prepares; see docs/upgrading.md. Everything that was
made before stays and is used, without a training.
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

from lstm_music.recipe import load_recipe
from lstm_music.stages.current import earlier_models, promoted_models
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.stages.inbox.news import look, seen_inputs
from lstm_music.stages.training.trained import load_model
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

# Made by: python tests/stage_keys.py. The inputs are those of 7c7d950.
GOLDEN = {
    "inputs": {
        "folder": "inputs/a63ae805727ab3c6",
        "folder by the reading music21-5": "inputs/9f31a767702358f8",
        "zip": "inputs/92228995a52ab0ad",
    },
    "parsed": {"midi": "parsed/8ef786088a6cab28", "abc": "parsed/30426f37f2293a52"},
    "demo": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/1b4d5e9519a8870d",
        "dataset": "dataset/8bda509f34081a91",
        "model offset": "model/a0cc3acbbe7e769e",
        "model note": "model/27a3084a59c5f5dd",
        "model duration": "model/3b28dc0682220147",
        "warm model offset": "model/cfc331255f497ab5",
        "warm model note": "model/cb4c427dc56a3670",
        "warm model duration": "model/2d768283fc60a9a2",
        "scorecard": "scorecard/3df4a078f71c111d",
        "copies": "copies/ed3124e7d48e4179",
        "reference": "reference/2d281f6773f9c1fb",
    },
    "default": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/560646378225e45d",
        "dataset": "dataset/5ab2a131b3290991",
        "model offset": "model/58e23aa95bfcc3f5",
        "model note": "model/78d416a877899ad4",
        "model duration": "model/236cf32524151e54",
        "warm model offset": "model/eb4ed7c14ea7109c",
        "warm model note": "model/1709b6d67b9a4c4a",
        "warm model duration": "model/0fbad61acae58fcf",
        "scorecard": "scorecard/92aecba0dae4c07a",
        "copies": "copies/c91752a1835af446",
        "reference": "reference/0b4f76301a37aa3e",
    },
    "expressive": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/560646378225e45d",
        "dataset": "dataset/df52a36ad0f7a404",
        "model offset": "model/480c430a1ea3a5fc",
        "model note": "model/cfa56e3697a4af70",
        "model duration": "model/e57bcc6ad7451a6f",
        "model velocity": "model/1c46ca9d92356c3a",
        "warm model offset": "model/b70c5499c9468709",
        "warm model note": "model/bb2fd87d5e233a76",
        "warm model duration": "model/880f4195837dc84a",
        "warm model velocity": "model/a6594c77d61f5d92",
        "scorecard": "scorecard/f2859a3e50ffb314",
        "copies": "copies/b496c2b1c5930ac4",
        "reference": "reference/2f6607a72cbee213",
    },
    "polyphony": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/7859ec959f85a938",
        "dataset": "dataset/c5bfe18b5261c541",
        "model offset": "model/e1ca83ea53c1f2e9",
        "model note": "model/1709ea964abe78f6",
        "model duration": "model/bd26acf515e5ebe6",
        "warm model offset": "model/8e518fc0483136d3",
        "warm model note": "model/048f442baa4bd1a6",
        "warm model duration": "model/aed6e33850a15987",
        "scorecard": "scorecard/3dd54eba9fb7a33d",
        "copies": "copies/ee623fa3dbeb5427",
        "reference": "reference/bb8c370a0a13aba9",
    },
    "seed": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/dc187e4b49067932",
        "dataset": "dataset/4149930a8fa1014d",
        "model offset": "model/0cc0e9721127542a",
        "model note": "model/698297b098574692",
        "model duration": "model/e4ed049b91c97256",
        "warm model offset": "model/60f50b899b2dcb78",
        "warm model note": "model/2ce2c15a489b5322",
        "warm model duration": "model/1b31512f959e8eba",
        "scorecard": "scorecard/5c348096069e7f81",
        "copies": "copies/06ff0d9f0ee39b26",
        "reference": "reference/01d6815a354e2e4b",
    },
    "quartet": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/3d33a027c60de602",
        "dataset": "dataset/471fcd91c16b09a1",
        "model offset": "model/bbd4fc615dbc3113",
        "model note": "model/178c08ff1a1649ab",
        "model duration": "model/36e6de6b854de3dc",
        "model part": "model/a839ffe9f417ef58",
        "warm model offset": "model/d2126dee6dfa6be1",
        "warm model note": "model/5ba31ba8ffb6176c",
        "warm model duration": "model/48990c9060de22f3",
        "warm model part": "model/e21f117eb3102507",
        "scorecard": "scorecard/2997144098784096",
        "copies": "copies/418be2f72de0c7da",
        "reference": "reference/5c4b7ba73358b860",
    },
    "steerable": {
        "notes": "notes/f49d5fab4c167d05",
        "events": "events/560646378225e45d",
        "dataset": "dataset/adc7c1e961ce5b08",
        "model offset": "model/5c3ef771ffc7cc64",
        "model note": "model/db0bfbbd9e7a7e78",
        "model duration": "model/cb77f03e846ce204",
        "warm model offset": "model/0cf36a9b99329247",
        "warm model note": "model/a1700b9d17578c88",
        "warm model duration": "model/85ef18b729215e81",
        "scorecard": "scorecard/8f4dae49eab54548",
        "copies": "copies/5257abcb18293c39",
        "reference": "reference/839a40592b293b6d",
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
def test_the_keys_change_only_on_purpose(keys, part):
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


@pytest.mark.operation
@pytest.mark.slow
def test_a_storage_of_7c7d950_is_used_without_a_training(storage_before, recipe_file, music, tmp_path):
    before = folders(storage_before)
    assert {folder.partition("/")[0] for folder in before} == {*FOUND_AGAIN}
    recipe, store = load_recipe(str(recipe_file)), Store(str(storage_before))
    facts = store.current(recipe.name)
    with store.session():
        assert ingest(store, recipe, str(music)) == last_prepared(store, recipe.name).inputs
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
    assert store.current(recipe.name) == facts

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

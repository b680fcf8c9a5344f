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
    "parsed": {"midi": "parsed/8ef786088a6cab28", "abc": "parsed/8ba6fc2071d91c3b"},
    "demo": {
        "notes": "notes/5660fd093f640a0f",
        "events": "events/08130c8e9389dcc5",
        "dataset": "dataset/d3805b6b68685214",
        "model offset": "model/6eed93cdf72478cd",
        "model note": "model/63115dcd2a1c6bfa",
        "model duration": "model/6bf5d18e9a3209ed",
        "warm model offset": "model/983593db8ea8683e",
        "warm model note": "model/1dc5a461c22c1bb2",
        "warm model duration": "model/75addb70d4e82c22",
        "scorecard": "scorecard/0559ccd46cf0226c",
        "copies": "copies/723f7bc04559e486",
        "reference": "reference/1d02d83cb19ebb4c",
    },
    "default": {
        "notes": "notes/5660fd093f640a0f",
        "events": "events/f324f627b960e79a",
        "dataset": "dataset/ae5a80bc7025a939",
        "model offset": "model/09acf519826624d7",
        "model note": "model/362ec541c8dcc563",
        "model duration": "model/a7daf25ee460b9cc",
        "warm model offset": "model/b0ce2946df5f3094",
        "warm model note": "model/ba59e03a15fe19d1",
        "warm model duration": "model/4afe84c59ef8199f",
        "scorecard": "scorecard/5dff958187481701",
        "copies": "copies/9e8b5599c139077d",
        "reference": "reference/2272d2d131d8bac8",
    },
    "expressive": {
        "notes": "notes/5660fd093f640a0f",
        "events": "events/f324f627b960e79a",
        "dataset": "dataset/d80a362682995889",
        "model offset": "model/2326edd46d6e4115",
        "model note": "model/dd4386ca96dc6c3b",
        "model duration": "model/07470307cc76ab30",
        "model velocity": "model/0f6af36c537fbb23",
        "warm model offset": "model/9f8e21934195c3d3",
        "warm model note": "model/5eccc962781fada9",
        "warm model duration": "model/ad5e1f5e3c256ffa",
        "warm model velocity": "model/b648b98dda3fda47",
        "scorecard": "scorecard/8d7ca055b92731e0",
        "copies": "copies/6badd4fa413142cc",
        "reference": "reference/07eefdac2ba24360",
    },
    "polyphony": {
        "notes": "notes/5660fd093f640a0f",
        "events": "events/f9c1aa16fc048ab6",
        "dataset": "dataset/b80b0982ae86e0dd",
        "model offset": "model/8453c34dffb6e79e",
        "model note": "model/9893ffa251e92ef5",
        "model duration": "model/e60d6a415d0b958d",
        "warm model offset": "model/92b0a75f006e1706",
        "warm model note": "model/c5c00dd2d9f47e52",
        "warm model duration": "model/bc1cf4986d9ad57f",
        "scorecard": "scorecard/cadd675559e94b61",
        "copies": "copies/f329bbf6375ea90b",
        "reference": "reference/390a6b678b40a9ba",
    },
    "seed": {
        "notes": "notes/5660fd093f640a0f",
        "events": "events/7e47ec7d5419bf1f",
        "dataset": "dataset/44d7892f09a30c5b",
        "model offset": "model/3d825f3ae8008840",
        "model note": "model/525e39b92c6525a6",
        "model duration": "model/8c975872593238b4",
        "warm model offset": "model/9be1dad93c1a2921",
        "warm model note": "model/97f7bf311bd5d920",
        "warm model duration": "model/35da94c51f6430d9",
        "scorecard": "scorecard/40b1c954128edde6",
        "copies": "copies/cbc61e4a2718c92e",
        "reference": "reference/83f3dd8ff83800f1",
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

"""Commands without `--recipe`, and with a recipe that changed since its models were trained."""

import json

import pytest

from lstm_music.store import Store

pytestmark = pytest.mark.slow

QUICK = ("--num-outputs", "1", "--num-events", "12", "--audio", "none", "--no-sheet-music")


def test_without_a_recipe_commands_take_the_trained_one_though_its_file_is_gone(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    line = "Recipe tiny: the only trained one in this storage\n"
    for words in (["evaluate"], ["generate"]):
        found = lstm_music(*words, "--storage", storage, "--json")
        assert found.code == 0, found.errors
        assert found.errors.removeprefix("Loading lstm-music …\n").startswith(line)
    said = json.loads(found.out)
    assert said == json.loads(tiny.result.out)["generate"] | {
        key: said[key] for key in ("directory", "page", "outputs", "command", "command_for_more")
    }
    assert said["command_for_more"] == f"lstm-music generate --recipe tiny --random-seed 2 --storage {storage}"
    assert len(list(Store(storage).refs("generations"))) == 1  # what `run` made, found again
    named = lstm_music("generate", "--recipe", "tiny", "--storage", storage, "--json")
    assert json.loads(named.out) == said


def test_of_several_trained_recipes_the_latest_is_taken_and_the_others_are_named(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    store = Store(storage)
    store.set_current(
        "other", {**store.current("tiny"), "recipe": {**store.current("tiny")["recipe"], "name": "other"}}
    )
    found = lstm_music("evaluate", "--storage", storage)
    assert found.out.splitlines()[0] == "Recipe tiny: trained last; this storage holds other, too (--recipe)"


def test_run_with_nothing_named_takes_what_is_trained_and_promotes_nothing_anew(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    store = Store(storage)
    store.set_current("tiny", {"recipe": {**store.current("tiny")["recipe"], "source": str(tiny.music)}})
    found = lstm_music("run", "--storage", storage, PREFECT_API_URL="http://127.0.0.1:9")
    assert found.code == 0, found.errors
    assert found.out.startswith("Recipe tiny: the only trained one in this storage\n")
    assert "Nothing changed: the promoted models of this recipe are the same\n" in found.out
    assert "are promoted" not in found.out


def test_a_first_run_and_one_with_a_source_take_default_and_say_so(tiny, lstm_music, tmp_path):
    for storage in (tmp_path / "none", tiny.storage):
        found = lstm_music("ingest", "--source", tmp_path / "gone", "--storage", storage)
        assert found.out == "Recipe default: no --recipe was given\n"
        assert "gone': not found" in found.sentence


@pytest.mark.operation  # generates; what changed is named by tests of the stages, too
def test_a_changed_recipe_is_named_key_by_key(tiny, lstm_music, tmp_path):
    storage, changed = tiny.copy(tmp_path), tmp_path / "changed.toml"
    changed.write_text(tiny.recipe.read_text().replace("units = 8", "units = 9"))
    asked = ("--recipe", changed, "--storage", storage)
    refused = lstm_music("evaluate", *asked)
    assert refused.code == 8
    assert refused.sentence == (
        "lstm-music: recipe 'tiny': changed since its models were trained: model.units (8 → 9); "
        "train with `lstm-music train --recipe tiny`, or undo the change"
    )
    made = lstm_music("generate", *asked, *QUICK)
    assert made.code == 0, made.errors
    assert "Recipe tiny changed since its models were trained: model.units (8 → 9)." in made.out
    assert f"train again with `lstm-music train --recipe {changed}`" in made.out


@pytest.mark.operation
def test_generate_reports_its_stages_and_only_the_files_that_exist(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    found = lstm_music("generate", "--storage", storage, *QUICK)
    lines = found.out.splitlines()
    assert lines[0] == "Loading lstm-music …"
    assert lines[2:4] == ["Generating 1 piece of up to 12 events …", "Loading the models and making events …"]
    first = [
        "Indexing the training music …",
        "Measuring held-out music …",
    ]  # done before, unless this is the first music
    stages = [line for line in lines[4:] if line.endswith(" …")]
    assert [stage for stage in stages if stage not in first] == ["Searching for copies and rendering …"]
    assert lines[-3].startswith("Made 1 piece in ")
    assert lines[-3].endswith(": MIDI, piano roll (SVG), settings (JSON)")
    assert lines[-1].startswith("Look: ")
    assert found.errors == ""


def test_doctor_is_content_with_a_whole_storage_and_names_a_damaged_one(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    found = lstm_music("doctor", "--storage", storage, "--json")
    assert found.code == 0, found.errors
    checks = {one["check"]: one for one in json.loads(found.out)["checks"]}
    assert checks["Storage"]["level"] == checks["Packages"]["level"] == "ok"
    next(storage.glob("model/*/model-*.h5")).write_bytes(b"short")
    damaged = lstm_music("doctor", "--storage", storage, PREFECT_API_URL="http://127.0.0.1:9/api")
    assert damaged.code == 1
    assert damaged.sentence == ("lstm-music: 2 problems: Prefect, Storage; follow the advice of each line above")
    assert "problem  Storage: 1 damaged or missing, the first is " in damaged.out

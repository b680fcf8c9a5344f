"""The library in a few calls: the same artifacts as the command, as tables, paths and players."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_music import write_pieces, write_recipe

import lstm_music
from lstm_music import accompany, errors, generate, load_recipe, mirex, prepare, train
from lstm_music.generation.spec import OF_TASKS, GenerationSpec
from lstm_music.options import options_of
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.current import promoted_models
from lstm_music.store import Store

HEAVY = ("pandas", "numpy", "pydantic", "prefect", "tensorflow")


def loaded_after(code):
    """Give which heavy modules a fresh Python has loaded after some code."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(sorted(set({HEAVY}) & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.strip()


def test_the_package_alone_imports_nothing_heavy():
    assert loaded_after("import lstm_music; dir(lstm_music)") == "[]"


@pytest.mark.slow
def test_the_calls_are_imported_without_prefect_and_tensorflow():
    found = loaded_after("from lstm_music import generate, load_recipe, prepare, train")
    assert "prefect" not in found
    assert "tensorflow" not in found


def test_every_name_is_there_and_documented():
    for name in lstm_music.__all__:
        assert name in dir(lstm_music)
        assert inspect.getdoc(getattr(lstm_music, name))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = lstm_music.nothing


def test_generate_takes_every_setting_of_a_recipe_and_says_what_each_is():
    parameters = set(inspect.signature(generate).parameters)
    settings = {*GenerationSpec.model_fields, *RenderingSpec.model_fields} - {*OF_TASKS}
    assert parameters == settings | {
        "recipe",
        "storage",
        "random_seed",
        "prompt_midi",
        "soundfont",
        "like",
        "variation",
    }
    assert {name for name in parameters if f"\n    {name}: " not in inspect.getdoc(generate)} == set()


# --- prepare


@pytest.fixture
def prepared(tmp_path):
    recipe = load_recipe(str(write_recipe(tmp_path)))
    write_pieces(tmp_path / "music")
    (tmp_path / "music" / "bad.mid").write_bytes(b"MThd and no more")
    return prepare(recipe, source=tmp_path / "music", storage=tmp_path / "storage")


def test_prepared_music_is_tables(prepared):
    assert prepared.counts["pieces"] == 8
    assert len(prepared.events) == prepared.counts["events"]
    assert {"piece_id", "note", "offset", "duration", "onset"} <= set(prepared.events.columns)
    assert set(prepared.pieces["split"]) == {"train", "validation", "test"}
    assert prepared.pieces["events"].sum() == prepared.counts["events"]
    (bad,) = prepared.inputs.query("status == 'rejected'").itertuples()
    assert (bad.name, bad.reason[:10]) == ("bad.mid", "bad MIDI f")
    assert repr(prepared) == f"PreparedMusic('tiny', 8 pieces, {prepared.counts['events']:,} events)"


def test_a_recipe_may_be_its_path_and_its_source_a_text(prepared, tmp_path):
    again = prepare(tmp_path / "tiny.toml", str(tmp_path / "music"), str(tmp_path / "storage"))
    assert again.prepared == prepared.prepared


def test_a_changed_recipe_gives_another_dataset(prepared, tmp_path):
    events = prepared.recipe.events.model_copy(update={"quarter_length_divisors": (2,)})
    changed = prepared.recipe.model_copy(update={"events": events})
    assert prepare(changed, tmp_path / "music", tmp_path / "storage").prepared.dataset != prepared.prepared.dataset


def test_mistakes_are_errors_of_the_library(tmp_path):
    with pytest.raises(errors.RecipeError, match="no-such"):
        prepare("no-such", storage=tmp_path)
    with pytest.raises(errors.SourceError, match="gone"):
        prepare("demo", tmp_path / "gone", tmp_path / "storage")
    with pytest.raises(errors.MissingArtifactError, match="demo"):
        train("demo", tmp_path / "storage")
    with pytest.raises(errors.MissingArtifactError, match="demo"):
        generate("demo", tmp_path / "storage")


# --- train


@pytest.mark.slow
@pytest.mark.operation  # trains; the tutorial does, too
def test_training_makes_the_models_of_the_command(tiny, tmp_path):
    storage, seen = tiny.copy(tmp_path, "model", "scorecard"), []
    before = promoted_models(Store(storage), "tiny")
    models = train(str(tiny.recipe), storage, on_progress=seen.append)
    assert models.models == before.models
    assert {progress["model"] for progress in seen} == {"offset", "note", "duration"}
    assert models.promoted
    said = json.loads(tiny.result.out)["evaluate"]
    assert models.card == {key: value for key, value in said.items() if key != "curves"}
    scores = models.scores.set_index(["split", "predictor", "stream"])["nll"]
    assert scores["test", "models", "all"] == models.card["splits"]["test"]["nll_per_event"]
    assert list(models.history.query("model == 'note'")["epoch"]) == [1, 2]
    assert repr(models).startswith("TrainedModels('tiny', offset, note, duration; unchanged: ")


# --- generate


@pytest.fixture(scope="module")
def storage(tiny, tmp_path_factory):
    return tiny.copy(tmp_path_factory.mktemp("api"))


@pytest.mark.slow
def test_generate_finds_what_the_command_made(tiny, storage):
    music = generate(str(tiny.recipe), storage)
    said = json.loads(tiny.result.out)["generate"]
    assert music.directory.name == Path(said["directory"]).name
    assert [path.name for path in music.midi] == [Path(output["midi"]).name for output in said["outputs"]]
    assert len(music.audio) == len(music.sheet_music) == len(music.pictures) == 2
    assert all(path.exists() for path in (music.page, *music.midi, *music.audio, *music.pictures))
    shown = music._repr_html_()
    assert shown.count("<audio controls") == shown.count("<img ") == 2
    assert "<script>" not in shown  # the pieces are called so


@pytest.mark.slow
def test_a_melody_is_accompanied_and_a_result_gives_more_like_it(tiny, storage):
    options = {"num_outputs": 1, "best_of": 1, "audio": "none", "sheet_music": False}
    recipe = load_recipe(str(tiny.recipe))
    music = accompany(tiny.music / "<script>alert(00)<" / "script>.mid", recipe, storage, **options)
    assert music.outputs[0]["given"]["notes"] == 120
    more = generate(recipe, storage, like="latest/1", num_outputs=1, audio="none", sheet_music=False)
    assert more.outputs[0]["like"]["result"].endswith("/1")
    assert more.outputs[0]["given"] != music.outputs[0]["given"]  # other notes around the same ones
    assert more.outputs[0]["given"]["notes"] == 120
    with pytest.raises(errors.RecipeError, match=r"^variation: .* is made of script>\.mid, whose notes stay anyway"):
        generate(recipe, storage, like=f"{music.directory.name}/1", variation=0.5)


def test_accompany_and_mirex_take_the_options_of_their_commands():
    for call, command, own in (
        (accompany, "accompany", {"melody", "recipe", "storage", "part"}),
        (mirex, "mirex", {"prompt_json", "recipe", "storage", "output_dir"}),
    ):
        parameters = set(inspect.signature(call).parameters)
        assert parameters == own | options_of(command).keys()
        assert {name for name in parameters if f"\n    {name}: " not in inspect.getdoc(call)} == set()


@pytest.mark.slow
def test_settings_override_the_recipe(tiny, storage):
    music = generate(
        load_recipe(str(tiny.recipe)), storage, num_outputs=1, temperature={"note": 0.5}, audio=[], sheet_music=False
    )
    assert music.audio == music.sheet_music == []
    assert "<audio" not in music._repr_html_()
    assert repr(music) == f"GeneratedMusic(1 piece, {str(music.page)!r})"
    (settings,) = (json.loads(path.read_text()) for path in music.files("settings"))
    assert settings["temperature"] == {"offset": 0.95, "note": 0.5, "duration": 0.95}

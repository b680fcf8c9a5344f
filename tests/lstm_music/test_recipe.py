"""Recipes: what comes with the project, and the sentence for whatever is wrong in one."""

import hashlib
import zipfile

import pytest
from small_music import tiny_recipe

from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import RecipeError
from lstm_music.recipe import Recipe, RunnerSpec, load_recipe, parse_recipe
from lstm_music.recipe_files import RECIPES


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_that_comes_with_the_project_has_the_name_of_its_file(path):
    assert load_recipe(path.stem).name == path.stem
    assert load_recipe(str(path)) == load_recipe(path.stem)


def test_a_recipe_is_read_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nrandom_seed = 7\n[model]\nunits = 12\n[generation]\ntemperature = 0.5\n')
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.random_seed, recipe.model.units) == ("mine", 7, 12)
    assert recipe.generation.temperature == {"offset": 0.5, "note": 0.5, "duration": 0.5}
    assert recipe.events == Recipe(name="other").events


def test_what_a_recipe_says_survives_json():
    recipe = tiny_recipe(include=["bach/*"])
    assert parse_recipe(recipe.model_dump(mode="json"), "recipe") == recipe


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": "a", "windows": {"lenght": 5}}, "r.toml: windows.lenght: unknown key. Did you mean 'length'?"),
        ({"name": "a", "modle": {}}, "r.toml: modle: unknown key. Did you mean 'model'?"),
        (
            {"name": "a", "promotion": {"zzz": 1}},
            "r.toml: promotion.zzz: unknown key; expected tolerance",
        ),
        ({}, "r.toml: name: this key is missing"),
        (
            {"name": "a", "model": {"units": 0}},
            "r.toml: model.units: expected at least 1, got 0",
        ),
        ({"name": "a", "model": {"dropout": "much"}}, "r.toml: model.dropout: expected a number, got 'much'"),
        ({"name": "No Name"}, "r.toml: name: expected 1 to 64 lower-case letters, digits, '-' and '_', got 'No Name'"),
        ({"name": "a", "model": {"architecture": "gpt"}}, "r.toml: model.architecture: expected chained_lstm, "),
        (
            {"name": "a", "generation": {"min_events": 300}},
            "r.toml: generation.min_events: expected at most the num_events, 256, got 300",
        ),
        (
            {"name": "a", "generation": {"top_k": {"note": 3}}},
            "r.toml: generation.top_k: expected a number for each of ['offset', 'note', 'duration'], got numbers for ['note']",
        ),
        (
            {"name": "a", "generation": {"temperature": {"note": -1, "offset": 1, "duration": 1}}},
            "r.toml: generation.temperature.note: expected at least 0, got -1",
        ),
        ({"name": "a", "events": {"quarter_length_divisors": [0]}}, "r.toml: events.quarter_length_divisors: "),
        (
            {"name": "a", "split": {"validation": 0.6, "test": 0.6}},
            "r.toml: split: validation + test: expected a sum below 1",
        ),
        ({"name": "a", "include": 3}, "r.toml: include: expected a list, got 3"),
    ],
)
def test_the_first_fault_is_said_in_one_sentence(data, sentence):
    with pytest.raises(RecipeError) as caught:
        parse_recipe(data, "r.toml")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there_names_those_that_are():
    with pytest.raises(
        RecipeError, match=r"recipe 'demoo': not found; expected one of choir, default, demo.*, or the path of a"
    ):
        load_recipe("demoo")


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"{}"])
def test_what_is_no_toml_is_refused(tmp_path, content):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="cannot be read as TOML"):
        load_recipe(str(path))


def test_bars_of_a_file_are_asked_for_on_the_command_line_alone(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[generation]\nprompt_bars = "1-2"\n')
    with pytest.raises(
        RecipeError, match=r"^mine\.toml: generation\.prompt_bars: takes bars of a file of yours, .*; leave"
    ):
        load_recipe(str(path))


def test_a_fault_of_several_keys_of_a_table_names_one(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[generation]\nbars = 8\nseconds = 20\n')
    with pytest.raises(RecipeError, match=r"^mine\.toml: generation\.bars: excludes seconds, because both say"):
        load_recipe(str(path))


def test_a_folder_is_no_recipe(tmp_path):
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(RecipeError, match="cannot be read as TOML"):
        load_recipe(str(folder))


def test_a_recipe_takes_what_it_includes_and_does_not_exclude():
    recipe = tiny_recipe(include=["bach/*", "top.mid"], exclude=["*fugue*"])
    taken = [name for name in ("bach/a.mid", "bach/fugue.mid", "top.mid", "liszt/a.mid") if recipe.takes(name)]
    assert taken == ["bach/a.mid", "top.mid"]


BACH, LISZT = (hashlib.sha256(name).hexdigest() for name in (b"bach", b"liszt"))
WINDOWED = {
    "windows": {"length": 16, "transpose_from": 0, "transpose_to": 0},
    "model": {"architecture": "three_streams"},
    "generation": {"prompt_events": 16},
}


def test_a_recipe_takes_a_content_by_its_bytes_whatever_it_is_called():
    recipe = tiny_recipe(include=["top/*", {"name": "bach/a.mid", "sha256": BACH}], exclude=["*fugue*"])
    assert recipe.contents == {BACH: "bach/a.mid"}
    assert recipe.takes("renamed.mid", BACH)
    assert recipe.takes("top/b.mid", LISZT)
    assert recipe.takes("top/b.mid")
    assert not recipe.takes("bach/a.mid", LISZT)
    assert not recipe.takes("bach/a.mid")
    assert not recipe.takes("a fugue.mid", BACH)
    assert not recipe.takes("top/fugue.mid")


def test_a_recipe_with_contents_survives_json():
    recipe = tiny_recipe(include=["top/*", {"name": "bach/a.mid", "sha256": BACH}])
    assert parse_recipe(recipe.model_dump(mode="json"), "recipe") == recipe


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"name": "a.mid", "sha256": "0123"}, "sha256"),
        ({"name": "a.mid", "sha256": BACH.upper()}, "sha256"),
        ({"name": "a.mid"}, "sha256"),
        ({"name": "a.mid", "sha256": BACH, "siez": 3}, "siez"),
    ],
)
def test_a_fault_in_a_content_is_said_of_its_key(content, key):
    with pytest.raises(RecipeError, match=rf"^r\.toml: include\.1\..*{key}") as caught:
        parse_recipe({"name": "a", "include": ["*", content]}, "r.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [{"name": "a.mid", "sha256": "0123"}, {"name": "a.mid"}, {}, 3])
def test_what_is_neither_a_pattern_nor_a_content_is_refused_in_one_sentence(content):
    with pytest.raises(RecipeError, match=r"^r\.toml: include\.1\.") as caught:
        parse_recipe({"name": "a", "include": ["*", content]}, "r.toml")
    assert "\n" not in str(caught.value)


def test_the_recipe_of_the_report_names_37_contents():
    recipe = load_recipe("seed")
    assert len(recipe.contents) == len(recipe.include) == 37
    assert len(set(recipe.contents.values())) == 37
    assert (recipe.events.reading, recipe.first_target) == ("music21-5", 64)


@pytest.mark.corpus
def test_the_contents_of_the_recipe_of_the_report_lie_in_the_collection_under_their_names(collection_zip):
    contents = load_recipe("seed").contents
    with zipfile.ZipFile(collection_zip) as archive:
        names = {hashlib.sha256(archive.read(name)).hexdigest(): name for name in archive.namelist()}
    assert all(names[sha256].endswith(name) for sha256, name in contents.items())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"model": {"architecture": "chained_lstm"}, "split": {"by": "random_windows"}},
            "split.by 'random_windows' works with the report's architectures only, not with 'chained_lstm'",
        ),
        (
            {"windows": {"length": 16, "transpose_from": -1, "transpose_to": 0}},
            "windows.transpose_from and transpose_to: expected 0, because 'three_streams' knows no transpositions",
        ),
        (
            {"windows": {"length": 16, "transpose_from": 0, "transpose_to": 1}},
            "windows.transpose_from and transpose_to: expected 0, because 'three_streams' knows no transpositions",
        ),
        (
            {"generation": {"prompt_events": 15}},
            "generation.prompt_events: expected at least 16, the events of a window",
        ),
        (
            {"model": {"architecture": "dual_head", "layers": 2}},
            "model: layers: expected 1 for the architecture 'dual_head', got 2",
        ),
    ],
)
def test_what_does_not_fit_the_architecture_is_said_in_one_sentence(changes, sentence):
    assert parse_recipe({"name": "a", **WINDOWED}, "r.toml").model.is_windowed
    with pytest.raises(RecipeError) as caught:
        parse_recipe({"name": "a", **WINDOWED, **changes}, "r.toml")
    assert str(caught.value).startswith("r.toml: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sentence_about_two_tables_names_no_empty_place():
    with pytest.raises(RecipeError, match=r"^r\.toml: split\.by 'random_windows'"):
        parse_recipe({"name": "a", "split": {"by": "random_windows"}}, "r.toml")


def test_the_first_event_that_is_predicted_stands_behind_a_full_window():
    assert parse_recipe({"name": "a", **WINDOWED}, "r.toml").first_target == 16
    assert tiny_recipe().first_target == 0


def test_a_runner_is_what_was_asked_for_or_else_the_environments_or_else_the_recipes(monkeypatch):
    recipe = load_recipe("demo")
    assert recipe.run_by(None, None, None).runner == recipe.runner == RunnerSpec()
    monkeypatch.setenv("LSTM_MUSIC_RUNNER", "dask")
    monkeypatch.setenv("LSTM_MUSIC_WORKERS", "7")
    monkeypatch.setenv("LSTM_MUSIC_DASK_SCHEDULER", "tcp://host:8786")
    of_environment = RunnerSpec(name="dask", workers=7, dask_scheduler="tcp://host:8786")
    assert recipe.run_by(None, None, None).runner == of_environment
    assert recipe.run_by("processes", None, None).runner == RunnerSpec(name="processes", workers=7)
    assert recipe.run_by("dask", None, None).runner == of_environment
    monkeypatch.setenv("LSTM_MUSIC_RUNNER", "threads")
    monkeypatch.delenv("LSTM_MUSIC_DASK_SCHEDULER")
    asked = recipe.run_by(None, None, "tcp://other:1").runner  # a scheduler is asked for, so Dask is
    assert asked == RunnerSpec(name="dask", workers=7, dask_scheduler="tcp://other:1")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("snails", None, None), "runner: name: expected threads, processes or dask, got 'snails'"),
        ((None, 0, None), "runner: workers: expected at least 1, got 0"),
        ((None, None, "host"), "dask_scheduler: expected the address of a Dask scheduler, such as tcp://host:8786"),
        ((None, None, "tcp://me:secret@host:1"), "expected the address of a Dask scheduler"),
        ((None, None, "tcp://host"), "expected the address of a Dask scheduler"),
        ((None, None, "http://host:8786"), "expected the address of a Dask scheduler"),
        (
            ("threads", None, "tcp://host:1"),
            "runner: dask_scheduler belongs to the runner 'dask'; leave it out for 'threads'",
        ),
    ],
)
def test_a_runner_that_cannot_be_is_one_sentence(asked, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        load_recipe("demo").run_by(*asked)
    assert "secret" not in str(caught.value)


def test_a_password_in_an_address_of_a_recipe_is_not_shown():
    wrong = {"name": "a", "runner": {"name": "dask", "dask_scheduler": "tcp://me:secret@host:1"}}
    with pytest.raises(RecipeError, match=r"r\.toml: runner\.dask_scheduler: expected the address") as caught:
        parse_recipe(wrong, "r.toml")
    assert "secret" not in str(caught.value)


def test_a_setting_of_the_velocity_is_for_recipes_that_model_it():
    table = {"offset": 1, "note": 0.5, "duration": 1}
    plain = parse_recipe({"name": "a", "generation": {"temperature": table}}, "r.toml")
    assert plain.generation.temperature == table
    assert parse_recipe({"name": "a"}, "r.toml").generation.top_p == dict.fromkeys(STREAMS, 0.98)
    streams = {"model": {"streams": [*STREAMS, "velocity"]}}
    with_velocity = parse_recipe({"name": "a", "generation": {"temperature": table}, **streams}, "r.toml")
    assert with_velocity.generation.temperature == {**table, "velocity": 0.95}
    assert parse_recipe(with_velocity.model_dump(), "r.toml") == with_velocity
    said = {"name": "a", "generation": {"temperature": {**table, "velocity": 0.1}}}
    assert parse_recipe({**said, **streams}, "r.toml").generation.temperature["velocity"] == 0.1
    with pytest.raises(RecipeError, match=r"^r\.toml: generation\.temperature: 'velocity' is not among"):
        parse_recipe(said, "r.toml")
    with pytest.raises(
        RecipeError, match=r"generation\.top_p: expected a number for each of .* got numbers for \['note', 'velocity'\]"
    ):
        parse_recipe({"name": "a", "generation": {"top_p": {"note": 1, "velocity": 1}}, **streams}, "r.toml")


def test_former_keys_of_a_recipe_are_understood_and_a_line_says_the_new_ones(caplog):
    said = {"name": "mine", "source": "corpus", "generation": {"seed_segment": "none", "seed_segment_events": 300}}
    spec = parse_recipe(said, "mine.toml").generation
    assert (spec.prompt, spec.prompt_events) == ("none", 300)
    assert sorted(caplog.messages) == [
        f"mine.toml: generation.{old} is now {new}; the old name works for one more release"
        for old, new in [("seed_segment", "prompt"), ("seed_segment_events", "prompt_events")]
    ]


def test_a_scheduler_of_a_recipe_needs_the_users_word(monkeypatch):
    address = "tcp://host:8786"
    recipe = load_recipe("demo").model_copy(update={"runner": RunnerSpec(name="dask", dask_scheduler=address)})
    with pytest.raises(RecipeError, match=r"names tcp://host:8786, which could run any code .*--dask-scheduler"):
        recipe.run_by(None, None, None)
    assert recipe.run_by(None, None, address).runner.dask_scheduler == address
    assert recipe.run_by("threads", None, None).runner.dask_scheduler is None
    monkeypatch.setenv("LSTM_MUSIC_DASK_SCHEDULER", address)
    assert recipe.run_by(None, None, None).runner.dask_scheduler == address


@pytest.mark.parametrize("text", [f'name = "a"\nrandom_seed = {"9" * 6000}\n', f"name = {'[' * 5000}\n"])
def test_a_recipe_that_python_cannot_hold_is_one_sentence(tmp_path, text):
    (tmp_path / "huge.toml").write_text(text)
    with pytest.raises(RecipeError, match="cannot be read as TOML"):
        load_recipe(str(tmp_path / "huge.toml"))


def test_experts_are_refused_where_every_set_of_pitches_has_an_id():
    with pytest.raises(RecipeError, match=r"model\.experts: expected none with events\.chords = 'pitch_set'"):
        tiny_recipe(model={"experts": ["ngrams"]}, events={"chords": "pitch_set"})

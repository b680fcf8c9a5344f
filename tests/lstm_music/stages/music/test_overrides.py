"""Settings that override the recipe's: what each may be, and the sentence for what it may not."""

import shlex

import pytest
from small_music import tiny_recipe

from lstm_music.errors import RecipeError, SourceError
from lstm_music.stages.music.overrides import overridden, settings_of


def spec_of(**overrides):
    return settings_of(tiny_recipe(), "tiny", overrides).spec


@pytest.mark.parametrize(
    "given", ["0.5", 0.5, {"note": 0.5, "offset": 0.5, "duration": 0.5}, "note=0.5,offset=0.5,duration=0.5"]
)
def test_a_setting_per_stream_is_a_number_a_mapping_or_a_text(given):
    assert spec_of(temperature=given).temperature == dict.fromkeys(("offset", "note", "duration"), 0.5)


def test_a_stream_that_is_not_named_keeps_the_value_of_the_recipe():
    assert spec_of(top_k={"note": 4}).top_k == {"offset": 0, "note": 4, "duration": 0}


@pytest.mark.parametrize("given", ["ogg,mp3", ["ogg", "mp3"], "ogg, mp3"])
def test_forms_of_audio(given):
    assert settings_of(tiny_recipe(), "tiny", {"audio": given}).rendering.audio == ("ogg", "mp3")


@pytest.mark.parametrize("given", ["none", []])
def test_no_audio(given):
    assert settings_of(tiny_recipe(), "tiny", {"audio": given}).rendering.audio == ()


def test_none_leaves_the_value_of_the_recipe():
    recipe = tiny_recipe()
    assert overridden(recipe, {"num_events": None}, {"audio": None}) == (recipe.generation, recipe.rendering)
    assert settings_of(recipe, "tiny", {}).random_seed == recipe.random_seed


def test_fewer_events_than_the_least_of_the_recipe_lower_the_least():
    assert spec_of(num_events=4).min_events == 4


def test_an_instrument_has_its_name_of_general_midi_and_the_piano_is_as_if_none_was_named():
    assert spec_of(instrument="49").instrument == spec_of(instrument="strings").instrument == "string ensemble 1"
    settings = settings_of(tiny_recipe(), "tiny", {"instrument": "49"})
    assert "--instrument 'string ensemble 1'" in settings.command
    assert settings.summary[0] == "instrument string ensemble 1"
    assert spec_of(instrument="piano") == spec_of()
    assert "instrument" not in spec_of().model_dump()
    played = tiny_recipe(events={"parts": "names", "part_names": ["soprano", "alto"]})
    assert settings_of(played, "tiny", {"instrument": "alto = oboe"}).spec.instrument == "alto=oboe"
    for one in ("piano", "1", "violin"):
        with pytest.raises(
            RecipeError, match=r"^--instrument: this recipe has parts, so say which part plays it: soprano="
        ):
            settings_of(played, "tiny", {"instrument": one})


@pytest.mark.parametrize(
    ("overrides", "setting", "given"),
    [
        ({"num_outputs": 0}, "--num-outputs: ", "got 0"),
        ({"temperature": -1}, "--temperature: ", "got -1.0"),
        ({"temperature": "nose=1"}, "--temperature: ", "got 'nose=1'"),
        ({"audio": ["wav"]}, "--audio: ", "got 'wav'"),
        ({"stems": True, "audio": "none"}, "stems: expected a format of audio", "got none"),
        ({"instrument": "vilin"}, "--instrument: expected an instrument", "such as violin or viola"),
        ({"instrument": "soprano=flute"}, "--instrument: one plays all", "give its name alone: flute"),
        (
            {"add_drums": True},
            "--add-drums: the models know no drums (they know no parts)",
            "run --recipe ensemble --source",
        ),
        ({"avoid_parallels": True}, "--avoid-parallels: needs a recipe with parts", "leave it out"),
        ({"max_quarters": 0}, "--max-quarters: ", "got 0"),
        ({"min_events": 500}, "--min-events: expected at most the num_events, ", "got 500"),
        ({"max_repeats": 1}, "--max-repeats: expected 2 or more, or 0 for no limit", "got 1"),
        (
            {"composer": "bach", "prompt": "none"},
            "--composer: goes with the prompt 'auto' or 'random' only",
            "got 'bach'",
        ),
    ],
)
def test_an_error_names_the_setting_and_what_was_given(overrides, setting, given):
    with pytest.raises(RecipeError) as raised:
        spec_of(**overrides)
    assert str(raised.value).startswith(setting)
    assert given in str(raised.value)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            {"bars": 8, "num_events": 100},
            "--bars: excludes --num-events, because it says where the music ends; leave one out",
        ),
        (
            {"seconds": 8, "min_events": 9},
            "--seconds: excludes --min-events, because it says where the music ends; leave one out",
        ),
        ({"bars": 8, "seconds": 20}, "--bars: excludes --seconds, because it says where the music ends; leave one out"),
        (
            {"prompt_bars": "1-8"},
            "--prompt-bars: takes bars of a file of yours; give it with --prompt-midi, or leave it out",
        ),
        ({"key": "A moll"}, "--key: expected a key such as 'A minor', 'Bb major' or 'F# minor', got 'A moll'"),
        ({"tempo": 1000}, "--tempo: expected 10 to 500 quarter notes a minute, got 1000"),
        (
            {"key": "A minor", "prompt": "none"},
            "--key: the prompt is moved to it, and with prompt 'none' there is nothing to move; leave one out",
        ),
        ({"velocity": 200}, "--velocity: expected at most 127, got 200"),
    ],
)
def test_a_contradiction_or_a_wrong_value_is_one_sentence(overrides, sentence):
    with pytest.raises(RecipeError) as raised:
        spec_of(**overrides)
    assert str(raised.value) == sentence


def test_bars_of_a_prompt_exclude_a_number_of_its_events(tmp_path):
    with pytest.raises(RecipeError, match=r"^--prompt-bars: excludes --prompt-events, because the bars are the prompt"):
        settings_of(
            tiny_recipe(), "tiny", {"prompt_bars": "1-2", "prompt_events": 8, "prompt_midi": tmp_path / "mine.mid"}
        )


def test_bars_of_a_recipe_that_is_made_in_python_need_a_file(tmp_path):
    recipe = tiny_recipe(generation={"prompt_bars": "1-2"})
    with pytest.raises(RecipeError, match=r"^--prompt-bars: takes bars of a file of yours"):
        settings_of(recipe, "tiny", {})
    with pytest.raises(RecipeError, match=r"^--prompt-bars: excludes --prompt-events"):
        settings_of(recipe, "tiny", {"prompt_events": 9, "prompt_midi": tmp_path / "mine.mid"})


def test_a_length_replaces_that_of_the_recipe():
    recipe = tiny_recipe(generation={"bars": 8})
    assert settings_of(recipe, "tiny", {"num_events": 10}).spec.bars == 0
    by_seconds = settings_of(recipe, "tiny", {"seconds": 10})
    assert (by_seconds.spec.bars, by_seconds.spec.seconds) == (0, 10)
    assert settings_of(recipe, "tiny", {}).spec.bars == 8
    assert "no bars" in settings_of(recipe, "tiny", {"num_events": 10}).summary


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ({"num_events": 50}, "--num-events 50 --min-events 50"),
        ({"num_events": 512}, "--num-events 512"),
        ({"seconds": 20}, "--seconds 20"),
        ({"tempo": 92.1234567, "top_k": 1234567, "bars": 2}, None),
    ],
)
def test_the_command_with_another_length_than_the_recipe_asks_for_the_same_again(length, words):
    recipe = tiny_recipe(generation={"bars": 4, "num_events": 512, "min_events": 64})
    settings = settings_of(recipe, "tiny", length)
    if words:
        assert settings.command == f"lstm-music generate --recipe tiny {words} --random-seed 1"
    said = iter(shlex.split(settings.command)[4:])
    again = {option.removeprefix("--").replace("-", "_"): value for option, value in zip(said, said, strict=True)}
    del again["random_seed"]
    read = {name: float(value) if name in {"tempo", "seconds"} else value for name, value in again.items()}
    read |= {name: int(value) for name, value in again.items() if name in {"bars", "num_events", "min_events"}}
    assert settings_of(recipe, "tiny", read).spec == settings.spec


def test_models_that_choose_velocities_refuse_one():
    recipe = tiny_recipe(model={"streams": ["offset", "note", "duration", "velocity"]})
    with pytest.raises(RecipeError, match=r"^--velocity: these models choose how loud each note is; leave it out"):
        settings_of(recipe, "tiny", {"velocity": 80})


def test_the_command_names_what_is_asked():
    asked = {"bars": 8, "tempo": 92.5, "key": "A minor", "pitch_range": "C3-C6"}
    settings = settings_of(tiny_recipe(), "tiny", asked)
    assert settings.command == (
        "lstm-music generate --recipe tiny --bars 8 --tempo 92.5 --key 'A minor' --pitch-range C3-C6 --random-seed 1"
    )
    assert settings.summary == ["8 bars", "tempo 92.5", "key A minor", "pitch range C3-C6", "random seed 1"]


def test_a_python_caller_reads_python_names():
    with pytest.raises(RecipeError, match=r"^num_outputs: "):
        settings_of(tiny_recipe(), "tiny", {"num_outputs": 0}, spell=str)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_random_seed_has_bounds(seed):
    with pytest.raises(
        RecipeError, match=rf"^--random-seed: expected a whole number from 0 to 4294967295, got {seed}$"
    ):
        settings_of(tiny_recipe(), "tiny", {"random_seed": seed})


def test_an_option_that_is_none_names_the_one_that_was_meant(tmp_path):
    with pytest.raises(RecipeError, match=r"^temprature: unknown option\. Did you mean temperature\?$"):
        settings_of(tiny_recipe(), "tiny", {"temprature": 1}, spell=str)
    with pytest.raises(RecipeError, match=r"^--bars: lstm-music accompany does not take it; leave it out$"):
        settings_of(tiny_recipe(), "tiny", {"bars": 4}, melody=tmp_path / "a.mid")


@pytest.mark.parametrize("other", ["prompt", "composer"])
def test_a_file_to_continue_excludes_other_prompts(tmp_path, other):
    with pytest.raises(RecipeError, match=r"^--prompt-midi: excludes --prompt and --composer"):
        settings_of(tiny_recipe(), "tiny", {other: "bach", "prompt_midi": tmp_path / "a.mid"})


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"a\.mid"):
        settings_of(tiny_recipe(), "tiny", {"prompt_midi": tmp_path / "a.mid"})
    with pytest.raises(SourceError, match=r"a\.sf2"):
        settings_of(tiny_recipe(), "tiny", {"soundfont": tmp_path / "a.sf2"})


def test_a_recipe_of_random_windows_makes_no_music():
    recipe = tiny_recipe()
    recipe = recipe.model_copy(update={"split": recipe.split.model_copy(update={"by": "random_windows"})})
    with pytest.raises(RecipeError, match=r"split\.by is 'random_windows' \(leaky\), so its models are never promoted"):
        settings_of(recipe, "tiny", {})

"""Answers to a prompt of the MIREX task: its notes are the prompt, and twelve bars in sixteenths follow it."""

import json
import shlex
from dataclasses import replace

import pytest
from small_music import tiny_recipe

from lstm_music.errors import NotEnoughMusicError, RecipeError, RejectedInputError, SourceError, StorageError
from lstm_music.midi.reader import read_midi
from lstm_music.scores.mirex import BEGINS
from lstm_music.stages.music import generation
from lstm_music.stages.music.candidates import go_on
from lstm_music.stages.music.generation import Plan
from lstm_music.stages.music.mirex import answers, mirex_settings, write_answers
from lstm_music.stages.music.prompt_files import segment_of_file
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.steering import finest_steps

ROWS = [(12, 60, 4), (16, 48, 4), *((start, 62 + start % 5, 4) for start in range(16, 80, 4)), (77, 60, 1)]
"""Start, pitch and duration, in sixteenths; the first note is a pickup."""


@pytest.fixture
def path(tmp_path):
    notes = [dict(zip(("start", "pitch", "duration"), row, strict=True)) for row in ROWS]
    path = tmp_path / "a prompt.json"
    path.write_text(json.dumps({"prompt": notes}))
    return path


def rows_of(midi, begins):
    piece = read_midi(midi)
    step = piece.ticks_per_quarter // 4
    notes = zip(*(piece.notes[name].tolist() for name in ("onset_ticks", "pitch", "duration_ticks")), strict=True)
    return sorted((onset // step + begins, pitch, length // step) for onset, pitch, length in notes)


def test_answers_are_bars_in_sixteenths_and_the_best_comes_first(made, trained, path, tmp_path):
    own = made.copy(tmp_path / "storage")
    settings = mirex_settings(own.recipe, "tiny", path, {"num_outputs": 3, "bars": 1})  # twelve would take longer
    ref = generation.generate(own.store, Plan(settings, own.prepared.dataset, trained))
    found = answers(own.store, ref)
    artifact = own.store.open(ref)
    assert rows_of(artifact.file("prompt_001.mid").read_bytes(), 0) == sorted(ROWS)
    penalties = [artifact.facts["results"][number - 1]["penalty"] for number, _ in found]
    assert penalties == sorted(penalties)
    for number, data in found:
        notes = [tuple(note.values()) for note in json.loads(data)["generation"]]
        assert notes == rows_of(artifact.file(f"result_{number:03d}.mid").read_bytes(), BEGINS)
        assert BEGINS <= notes[0][0] < BEGINS + 16
        assert max(start + length for start, _, length in notes) == BEGINS + 16
    paths = write_answers(tmp_path / "samples", [data for _, data in found])
    assert [one.name for one in paths] == ["sample_01.json", "sample_02.json", "sample_03.json"]
    assert write_answers(tmp_path / "samples", [data for _, data in found]) == paths
    with pytest.raises(StorageError, match=r"which has sample_03\.json; give another$"):
        write_answers(tmp_path / "samples", [data for _, data in found[:2]])


def test_a_prompt_whose_last_bar_rests_is_followed_by_the_bar_after_it(made, path):
    notes = json.loads(path.read_text())["prompt"]
    path.write_text(json.dumps({"prompt": [note for note in notes if 16 <= note["start"] < 64]}))
    settings = mirex_settings(made.recipe, "tiny", path, {})
    segment, warnings = segment_of_file(made.dataset, settings.prompt_midi, settings.spec)
    assert (segment.bars, segment.rest_steps, warnings) == ((1, 4), segment.bar_steps, [])


def test_the_command_names_the_prompt_and_what_differs(path):
    settings = mirex_settings(tiny_recipe(), "tiny", path, {"best_of": 2, "random_seed": 5})
    words = shlex.split(settings.command)
    assert words == ["lstm-music", "mirex", str(path), "--recipe", "tiny", "--best-of", "2", "--random-seed", "5"]


def test_the_task_needs_models_of_piano_music_as_single_notes(path):
    recipe = tiny_recipe(events={"quarter_length_divisors": [4], "chords": "normal_order"})
    with pytest.raises(RecipeError, match="know chords as one value; use another --recipe"):
        mirex_settings(recipe, "tiny", path, {})
    with pytest.raises(RecipeError, match="know parts"):
        mirex_settings(tiny_recipe(events={"parts": "families"}), "tiny", path, {})


def test_sixteenths_need_models_that_know_them(made, tmp_path):
    spec = made.recipe.generation.model_copy(update={"in_sixteenths": True})
    steps = made.dataset.events.grid.steps_per_quarter
    assert finest_steps(made.dataset, spec) * 4 == steps
    coarse = replace(made.dataset, events=made.dataset.events.model_copy(update={"quarter_length_divisors": (3,)}))
    with pytest.raises(RecipeError, match="know no sixteenths"):
        finest_steps(coarse, spec)


def test_models_that_cannot_begin_in_the_bar_after_the_prompt_say_so(made, trained, path):
    notes = json.loads(path.read_text())["prompt"]
    path.write_text(json.dumps({"prompt": notes[:5]}))  # a rest that no offset of the models passes
    settings = mirex_settings(made.recipe, "tiny", path, {"num_outputs": 1, "bars": 1})
    origins = choose_prompts(made.store, made.dataset, settings.spec, 1, settings.prompt_midi)
    far = [replace(one, segment=replace(one.segment, last_position_in_bar_steps=0)) for one in origins]
    with pytest.raises(NotEnoughMusicError, match="into the bar after it"):
        go_on(made.store, made.dataset, trained, settings.spec, 1, far)


def test_a_prompt_that_is_none_is_named(path):
    with pytest.raises(SourceError, match=r"gone\.json: cannot be read"):
        mirex_settings(tiny_recipe(), "tiny", path.with_name("gone.json"), {})
    with pytest.raises(SourceError, match="expected a JSON file, got a folder"):
        mirex_settings(tiny_recipe(), "tiny", path.parent, {})
    path.write_text("{}")
    with pytest.raises(RejectedInputError, match=r"a prompt\.json: expected \{"):
        mirex_settings(tiny_recipe(), "tiny", path, {})

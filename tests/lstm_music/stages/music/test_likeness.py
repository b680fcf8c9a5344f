"""More like a result: its prompt and what was asked of it, other notes, and the share of its notes that stays."""

import json
import shlex
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_music.errors import MissingArtifactError, RecipeError, SourceError
from lstm_music.midi.reader import read_midi
from lstm_music.stages.music import generation
from lstm_music.stages.music.likeness import asked_settings, recipe_of
from lstm_music.stages.music.names import read_names
from lstm_music.stages.music.prompt_files import PromptMidi, segment_of_file
from lstm_music.stages.music.results import choose_result, names_a_result
from lstm_music.store import Store

ASKED = {"bars": 2, "tempo": 90, "key": "C major", "num_outputs": 2, "audio": "none", "sheet_music": False}


@pytest.fixture(scope="session")
def asked(made, trained, tmp_path_factory):
    """A generation of two results of which something was asked, and how to make another in its storage."""
    own = made.copy(tmp_path_factory.mktemp("like") / "storage")

    def make(options):
        chosen = asked_settings(own.store, own.recipe, "tiny", options)
        ref = generation.generate(own.store, generation.Plan(chosen, own.prepared.dataset, trained))
        return SimpleNamespace(settings=chosen, ref=ref, artifact=own.store.open(ref))

    first = make(ASKED)
    return SimpleNamespace(made=own, store=own.store, make=make, first=first, name=read_names(own.store).of(first.ref))


def settings_like(asked, **options):
    return asked_settings(asked.store, asked.made.recipe, "tiny", options)


def notes_of(artifact, number):
    piece = read_midi(artifact.file(f"result_{number:03d}.mid").read_bytes())
    columns = (piece.notes[name].tolist() for name in ("onset_ticks", "pitch", "duration_ticks", "velocity"))
    return piece, {*zip(*columns, strict=True)}


def test_it_has_the_prompt_and_what_was_asked_and_another_random_seed(asked):
    of_result = json.loads(asked.first.artifact.file("result_002.json").read_bytes())["prompt"]
    settings = settings_like(asked, like=f"{asked.name}/2")
    assert settings.random_seed == asked.first.settings.random_seed + 1
    same = ("bars", "tempo", "key", "temperature", "best_of")
    assert [getattr(settings.spec, name) for name in same] == [
        getattr(asked.first.settings.spec, name) for name in same
    ]
    assert settings.spec.prompt == f"{of_result['piece']}:{of_result['first_event']}"
    assert settings.spec.prompt_events == of_result["events"]
    made = asked.make({**ASKED, "bars": None, "tempo": 120, "key": None, "num_outputs": 1, "like": f"{asked.name}/2"})
    facts = json.loads(made.artifact.file("result_001.json").read_bytes())
    assert facts["prompt"] == of_result
    assert facts["like"] == {"result": f"{asked.name}/2"}
    assert made.artifact.facts["results"][0]["like"] == {"result": f"{asked.name}/2"}
    assert (facts["bars"], facts["tempo"]) == (2, 120)
    assert notes_of(made.artifact, 1)[1] != notes_of(asked.first.artifact, 2)[1]
    assert f"like {asked.name}/2" in made.artifact.file("index").read_text()


def test_the_whole_share_gives_the_result_again(asked):
    made = asked.make({**ASKED, "bars": None, "key": None, "tempo": None, "like": f"{asked.name}/2", "variation": 1})
    for number in (1, 2):
        assert made.artifact.file(f"result_{number:03d}.mid").read_bytes() == (
            asked.first.artifact.file("result_002.mid").read_bytes()
        )


def test_a_share_stays_note_for_note_and_nothing_new_begins_in_its_bar(asked):
    options = {"num_outputs": 2, "best_of": 1, "audio": "none", "sheet_music": False}
    made = asked.make({**options, "like": f"{asked.name}/1", "variation": 0.5})
    piece, of_result = notes_of(asked.first.artifact, 1)
    whole = []
    for number, figures in enumerate(made.artifact.facts["results"], start=1):
        like = figures["like"]
        kept, events = like["kept_events"], like["of_events"]
        assert 0 < 0.5 * events - kept < 4 or kept == round(0.5 * events)
        new, found = notes_of(made.artifact, number)
        stays = found & of_result
        assert len(stays) >= kept
        first = sorted(of_result)[:kept]  # two bars: those of the first, then those at the beginning of the second
        assert {*first} <= found
        last = first[-1][0]
        assert {note for note in found if note[0] <= last} == {note for note in of_result if note[0] <= last}
        assert (new.notes["onset_ticks"] + new.notes["duration_ticks"]).max() == 8 * piece.ticks_per_quarter
        whole.append(frozenset(found))
    assert len({*whole, frozenset(of_result)}) == 3


def test_a_file_of_the_users_is_known_without_it(asked, tmp_path):
    path = tmp_path / "mine.mid"
    path.write_bytes(asked.first.artifact.file("result_001.mid").read_bytes())
    options = {"prompt_bars": "1", "bars": 1, "num_outputs": 1, "audio": "none", "sheet_music": False}
    made = asked.make({**options, "prompt_midi": path})
    path.unlink()
    name = read_names(asked.store).of(made.ref)
    settings = settings_like(asked, like=name)
    assert settings.prompt_midi == PromptMidi(
        "mine.mid", asked.first.artifact.file("result_001.mid").read_bytes(), "midi"
    )
    assert (settings.spec.prompt_bars, settings.spec.bars) == ("1", 1)
    assert shlex.split(settings.command)[-2:] == ["--like", f"{name}/1"]
    assert settings_like(asked, like=name, variation=0.25).like.variation.music == made.artifact.inputs[0]


def test_a_result_is_a_prompt_by_its_name(asked):
    settings = settings_like(asked, prompt=f"{asked.name}/2", prompt_events=4)
    assert shlex.split(settings.command)[4:6] == ["--prompt-events", "4"]
    assert f"--prompt {asked.name}/2" in settings.command
    segment, _ = segment_of_file(asked.made.dataset, settings.prompt_midi, settings.spec)
    last = np.sort(read_midi(asked.first.artifact.file("result_002.mid").read_bytes()).notes["onset_ticks"])[-1]
    grid = asked.made.dataset.events.grid
    assert segment.last_onset_steps == last * grid.steps_per_quarter // grid.ticks_per_quarter
    assert segment.last_position_in_bar_steps == segment.last_onset_steps % segment.bar_steps
    with pytest.raises(
        RecipeError, match=r"^--composer: chooses among held-out pieces, and the prompt is .*/2; leave one"
    ):
        settings_like(asked, prompt=f"{asked.name}/2", composer="bach")


def test_results_are_chosen_by_name_number_key_or_path(asked, monkeypatch):
    second = choose_result(asked.store, f"{asked.name}/2", "--like")
    folder = asked.store.root / "generations"
    texts = [f" {asked.name}/2/ ", f"{asked.first.ref.key}/2", f"{asked.first.ref.key[:12]}/2"]
    texts += [str(folder / asked.name / "2"), str(folder / asked.name / "result_002.mid")]
    for text in texts:
        found = choose_result(asked.store, text, "--like")
        assert (found.name, found.number, found.midi) == (f"{asked.name}/2", 2, second.midi)
    monkeypatch.chdir(folder / asked.name)
    assert choose_result(asked.store, "result_002_part_1.ogg", "--like").name == f"{asked.name}/2"
    assert choose_result(asked.store, "1", "--like").generation.ref.key == read_names(asked.store).latest
    assert choose_result(asked.store, "latest/1", "--like").generation.ref.key == read_names(asked.store).latest
    assert names_a_result(asked.store, f"{asked.name}/2")
    assert names_a_result(asked.store, "latest/7")
    assert not any(names_a_result(asked.store, text) for text in ("bach", "bach/bwv_1.mid", "2026-01-01_gone_1/2", "1"))
    assert recipe_of(asked.store, f"{asked.name}/2") == "tiny"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        (
            {"like": "NAME"},
            SourceError,
            r"^--like: NAME has 2 results; expected one of them, such as NAME/1, got 'NAME'$",
        ),
        (
            {"like": "NAME/3"},
            SourceError,
            r"^--like: NAME has results 1 to 2; expected one of them, such as NAME/2, got",
        ),
        ({"like": "gone/3"}, MissingArtifactError, r"^gone: no generation in "),
        ({"prompt": "NAME"}, SourceError, r"^--prompt: NAME has 2 results; "),
        (
            {"prompt": "auto", "like": "NAME/1"},
            RecipeError,
            r"^--like: takes .*, so it excludes --prompt; leave one out$",
        ),
        ({"composer": "bach", "like": "NAME/1"}, RecipeError, "excludes --composer"),
        (
            {"variation": 0.5},
            RecipeError,
            r"^--variation: keeps notes of a result; name it with --like, or leave it out$",
        ),
        ({"like": "NAME/1", "variation": 2}, RecipeError, r"^--variation: expected the share .*, from 0 to 1, got 2$"),
        ({"like": "NAME/1", "variation": float("nan")}, RecipeError, "got nan$"),
        (
            {"bars": 3, "like": "NAME/1", "variation": 0.5},
            RecipeError,
            r"^--variation: keeps notes .* excludes --bars; ",
        ),
        (
            {"like": "NAME/1", "random_seed": 1},
            RecipeError,
            r"^--random-seed: expected another than 1, with which NAME/1",
        ),
    ],
)
def test_contradictions_are_answered_in_one_sentence(asked, options, error, sentence):
    named = {
        key: value.replace("NAME", asked.name) if isinstance(value, str) else value for key, value in options.items()
    }
    with pytest.raises(error, match=sentence.replace("NAME", asked.name)):
        settings_like(asked, **named)


def test_a_result_of_other_streams_is_no_model_for_these(asked):
    recipe = asked.made.recipe
    other = {**recipe.generation.temperature, "velocity": 1.0}
    louder = recipe.model_copy(update={"generation": recipe.generation.model_copy(update={"temperature": other})})
    with pytest.raises(
        RecipeError, match=r"^--like: .* was made in another way than by recipe 'tiny' .* leave --recipe out$"
    ):
        asked_settings(asked.store, louder, "tiny", {"like": f"{asked.name}/1"})


def test_a_storage_without_results_knows_none(tmp_path):
    assert not names_a_result(Store(tmp_path / "none"), "2026-01-01_demo_1/2")

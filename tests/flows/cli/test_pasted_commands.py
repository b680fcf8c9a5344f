"""The command that makes more of some music works when it is pasted: the shell and our parser read what was asked for."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_music import piece, write_recipe
from typer.main import get_command

from flows.cli.app import app
from flows.cli.options import DEFAULT_STORAGE
from lstm_music.generation.command import USUAL_STORAGE, in_storage
from lstm_music.recipe import load_recipe, parse_recipe
from lstm_music.stages.music.likeness import asked_settings
from lstm_music.stages.music.mirex import mirex_settings
from lstm_music.store import Store

PARTS = {"streams": ["offset", "note", "duration", "part"]}


def parsed(line):
    """Let a shell split a command, and our parser read it; give the sub-command and what it gets."""
    show = [sys.executable, "-c", "import sys; print('\\0'.join(sys.argv[1:]), end='')"]
    shown = subprocess.run(["sh", "-c", f"{shlex.join(show)} {line}"], capture_output=True, text=True, check=True)
    words = shown.stdout.split("\0")
    assert words == shlex.split(line)
    assert words[0] == "lstm-music"
    context = get_command(app).commands[words[1]].make_context(words[1], words[2:])
    return words[1], {name: value for name, value in context.params.items() if name not in {"json", "output_dir"}}


@pytest.fixture
def recipe(tmp_path):
    return load_recipe(str(write_recipe(tmp_path)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "bars": 8,
            "tempo": 92.5,
            "key": "A minor",
            "meter": "3/4",
            "pitch_range": "C3-C6",
            "velocity": 70,
            "best_of": 3,
        },
        {
            "prompt": 'it\'s <b>$HOME `x`</b> \\ "a".mid:12',
            "prompt_events": 9,
            "include_prompt": True,
            "num_outputs": 7,
        },
        {
            "seconds": 12.25,
            "composer": "bach & sons",
            "temperature": "note=0.9,offset=1,duration=0",
            "top_k": 5,
            "audio": "mp3",
        },
        {"num_events": 9, "any_pitch": True, "sheet_music": False, "instrument": "string ensemble 1", "audio": "none"},
    ],
)
def test_the_command_for_more_asks_for_the_same_with_another_random_seed(tmp_path, recipe, options):
    store = Store(tmp_path / "my storage")
    settings = asked_settings(store, recipe, "my recipe's.toml", options)
    verb, found = parsed(in_storage(settings.command_for_more, store.where))
    assert (verb, found.pop("recipe"), found.pop("storage")) == ("generate", "my recipe's.toml", store.where)
    again = asked_settings(store, recipe, "my recipe's.toml", found)
    assert (again.spec, again.rendering) == (settings.spec, settings.rendering)
    assert again.random_seed == settings.random_seed + 1


def test_what_is_asked_of_parts_is_in_the_command(tmp_path, recipe):
    ensemble = parse_recipe({"name": "tiny", "events": {"parts": "families"}, "model": PARTS, "rendering": {}}, "")
    options = {"instruments": "piano,bass", "add_drums": True, "stems": True, "parts": True, "avoid_parallels": True}
    settings = asked_settings(Store(tmp_path), ensemble, "tiny", options)
    _, found = parsed(settings.command_for_more)
    assert found.pop("storage") == USUAL_STORAGE == DEFAULT_STORAGE
    again = asked_settings(Store(tmp_path), ensemble, found.pop("recipe"), found)
    assert (again.spec, again.rendering) == (settings.spec, settings.rendering)


def test_files_are_named_as_they_were_given(tmp_path, recipe, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my song's.mid").write_bytes(piece(1))
    store = Store("storage")
    settings = asked_settings(store, recipe, "tiny", {"prompt_midi": "my song's.mid", "prompt_bars": "1-2"})
    _, found = parsed(settings.command_for_more)
    assert (found["prompt_midi"], found["prompt_bars"]) == (Path("my song's.mid"), "1-2")
    settings = asked_settings(store, recipe, "tiny", {}, melody=Path("my song's.mid"), part="2nd violin")
    verb, found = parsed(settings.command_for_more)
    assert (verb, found["melody"], found["part"]) == ("accompany", Path("my song's.mid"), "2nd violin")
    settings = asked_settings(store, recipe, "tiny", {}, melody=Path("my song's.mid"), rewrite_bars="3-4")
    verb, found = parsed(settings.command_for_more)
    assert (verb, found["file"], found["bars"]) == ("rewrite", Path("my song's.mid"), "3-4")
    Path("a prompt.json").write_text('{"prompt": [{"start": 16, "pitch": 60, "duration": 4}]}')
    settings = mirex_settings(recipe, "tiny", Path("a prompt.json"), {"num_outputs": 3, "temperature": 0.5})
    verb, found = parsed(settings.command_for_more)
    assert (verb, found.pop("prompt"), found.pop("recipe")) == ("mirex", Path("a prompt.json"), "tiny")
    del found["storage"]
    assert mirex_settings(recipe, "tiny", Path("a prompt.json"), found).spec == settings.spec

"""`--help`, `--version` and completion: groups, defaults, whole lines at any width."""

import os
import subprocess

import pytest
from program import COMMAND, REPOSITORY

from flows.cli.app import app

COMMANDS = [
    "run",
    "generate",
    "accompany",
    "rewrite",
    "mirex",
    "studio",
    "ingest",
    "prepare",
    "train",
    "evaluate",
    "compare",
    "export",
    "import",
    "inspect",
    "watch",
    "retrain",
    "rollback",
    "status",
    "verify",
    "doctor",
    "prune",
    "keep",
    "repair",
    "lineage",
    "forget",
    "migrate",
    "reproduce",
]


@pytest.fixture
def help_of(monkeypatch, capsys):
    """Give the help of a command, or of the program, in a terminal of so many columns."""

    def show(*words: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        assert app([*words, "--help"], prog_name="lstm-music", standalone_mode=False) == 0
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_no_line_is_wider_than_the_terminal_and_none_is_cut(help_of, command, columns):
    text = help_of(*filter(None, [command]), columns=columns)
    assert max(map(len, text.splitlines())) <= columns
    assert not [line for line in text.splitlines() if line.endswith("...") and "Usage" not in line]
    assert text.isascii()  # no frames


def test_the_program_lists_every_command_in_a_group(help_of):
    text = help_of()
    assert [word for word in COMMANDS if f"\n  {word} " not in text] == []
    for group in ("Make music:", "Step by step:", "Give models away:", "New music:", "Storage and machine:"):
        assert f"\n{group}\n" in text
    assert sorted(app.names) == sorted(COMMANDS)


def test_the_options_of_generate_stand_in_groups_with_their_defaults(help_of):
    text = help_of("generate", columns=102)
    groups = [line.rstrip(":") for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert groups == [
        "Music",
        "Tempo, key and range",
        "Bar by bar",
        "Prompt",
        "Sampling",
        "Storage",
        "Output",
        "General",
    ]
    text = " ".join(text.split())
    assert "[default: the recipe's; at least 1]" in text
    assert "[default: storage]" in text
    assert "[default: the recipe trained last in the storage]" in text


@pytest.mark.parametrize("words", [[], ["generate"]])
def test_a_short_option_shows_the_same_help(help_of, capsys, words):
    long = help_of(*words)
    app([*words, "-h"], prog_name="lstm-music", standalone_mode=False)
    assert capsys.readouterr().out == long


def run(*words: str, **variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **variables}
    return subprocess.run([COMMAND, *words], env=environment, capture_output=True, text=True, check=True).stdout


def test_the_version_is_that_of_the_package():
    name, version = run("--version").split()
    assert name == "lstm-music"
    assert version[0].isdigit()


def test_completion_is_shown_installed_and_knows_commands_options_and_recipes(tmp_path):
    shown = run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_LSTM_MUSIC_COMPLETE=complete_bash" in shown
    run("--install-completion", "bash", HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert list(tmp_path.rglob("*lstm-music*"))

    def complete(line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        return run(_LSTM_MUSIC_COMPLETE="complete_bash", **words).split()

    assert complete("lstm-music gen") == ["generate"]
    assert complete("lstm-music generate --num-o") == ["--num-outputs"]
    assert {"demo", "default"} <= set(complete("lstm-music run --recipe "))


@pytest.mark.parametrize("command", ["run", "prepare", "train", "generate", "watch"])
def test_the_help_names_every_recipe_that_comes_with_the_project(help_of, command):
    text = " ".join(help_of(command, columns=200).split())
    assert ", ".join(sorted(path.stem for path in (REPOSITORY / "recipes").glob("*.toml"))) in text

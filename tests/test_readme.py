"""The README's commands run, in order, in a copy of the checkout: the quick ones always, all of them with `-m readme`.

A comment before a code block says what it needs. `<!-- needs: … -->` is never run here, `<!-- slow: … -->` only with `-m readme`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tiny_music import write_pieces
from tiny_run import Tiny
from typer.main import get_command

from flows.cli.app import app
from lstm_music.store import Store

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^(?:<!-- (needs|slow): ([^\n]+?) -->\n)?```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LEFT_OUT = (".git", ".venv", "storage", "build", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
SONG = "my_music/song.mid"  # as the README calls it


@dataclass(frozen=True)
class Step:
    """A command or a program of the README, and what its comment says."""

    code: str
    language: str
    mark: str
    reason: str

    @property
    def command(self) -> list[str]:
        """What runs it."""
        return ["bash", "-c", self.code] if self.language == "sh" else [".venv/bin/python", "-c", self.code]


def steps() -> list[Step]:
    """Give every line of the shell, and every program in Python, in the order of the README."""
    found = []
    for mark, reason, language, text in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        codes = text.splitlines() if language == "sh" else [text]
        found += [Step(code, language, mark, reason) for code in codes]
    return found


STEPS = steps()


def name_of(step: Step) -> str:
    """Name a test after the last line of what it runs."""
    return step.code.strip().splitlines()[-1].partition("#")[0].strip()


each_step = pytest.mark.parametrize("step", STEPS, ids=name_of)


def copy_of_the_checkout(folder: Path) -> Path:
    """Copy what a fresh clone has, and put music of the reader's own beside it."""
    clone = folder / "lstm-music"
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (clone / "storage").mkdir()
    write_pieces(clone / "my_music")
    shutil.copy(next((clone / "my_music").rglob("*.mid")), clone / SONG)
    return clone


def run(clone: Path, step: Step) -> subprocess.CompletedProcess[str]:
    """Run a step in the copy, with its environment activated, and nothing of ours in the way."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("PREFECT_", "COV", "LSTM_MUSIC_"))}
    own = {
        "PREFECT_HOME": str(clone.parent / "prefect"),
        "PYTHONPATH": str(clone),
        "PATH": f"{clone}/.venv/bin:{os.environ['PATH']}",
    }
    return subprocess.run(step.command, cwd=clone, env=kept | own, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def prepared(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which a small recipe is trained; it engraves nothing. Its environment is that of the tests."""
    clone = copy_of_the_checkout(tmp_path_factory.mktemp("readme"))
    (clone / ".venv").symlink_to(sys.prefix)
    (clone / "storage").rmdir()
    store = Store(tiny.copy(clone))
    recipe = store.current("tiny")["recipe"]
    store.set_current("tiny", {"recipe": recipe | {"rendering": recipe["rendering"] | {"sheet_music": False}}})
    return clone


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with nothing installed and nothing trained."""
    return copy_of_the_checkout(tmp_path_factory.mktemp("fresh"))


def test_every_block_says_how_it_is_run():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == len(re.findall(r"^```\w+$", text, re.MULTILINE))
    assert {"", "slow"} <= {step.mark for step in STEPS} <= {"", "slow", "needs"}


@pytest.mark.parametrize("step", [step for step in STEPS if step.code.startswith("lstm-music ")], ids=name_of)
def test_every_command_of_the_readme_is_one_that_can_be_given(step, monkeypatch, tmp_path):
    """It is parsed, but does nothing."""
    monkeypatch.chdir(tmp_path)
    program: Any = get_command(app)
    _, name, *words = shlex.split(step.code, comments=True)
    with program.make_context("lstm-music", [name]) as context:
        command = program.get_command(context, name)
        assert command.make_context(name, words, parent=context).params


def quick_step(step: Step) -> Any:
    """What makes music is left out: each takes half a minute, and other tests give such commands."""
    marks = pytest.mark.operation if "generate" in step.code else ()
    return pytest.param(step, marks=marks, id=name_of(step))


@pytest.mark.slow
@pytest.mark.parametrize("step", [quick_step(step) for step in STEPS])
def test_the_quick_commands_of_the_readme_run(step, prepared):
    if step.mark:
        pytest.skip(f"{step.mark}: {step.reason}")
    done = run(prepared, step)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.readme
@pytest.mark.operation
@each_step
def test_all_commands_of_the_readme_run_from_the_first_on(step, fresh):
    if step.mark == "needs":
        pytest.skip(f"needs: {step.reason}")
    done = run(fresh, step)
    assert done.returncode == 0, done.stdout + done.stderr

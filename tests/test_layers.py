"""The layers of the packages: the contracts hold, and each of them notices what it is there for."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("flows", "tasks", "lstm_music")
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def run(code, folder):
    """Run Python in `folder`, whose packages come before those that are installed."""
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tree(tmp_path):
    """A copy of the packages, and of the contracts."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept_in_the_tree_and_in_a_copy_of_it(tree):
    for folder in (ROOT, tree):
        linted = run(LINT, folder)
        assert linted.returncode == 0, linted.stdout + linted.stderr
        assert "6 kept, 0 broken" in linted.stdout


@pytest.mark.parametrize(
    ("module", "planted", "complaint"),
    [
        ("lstm_music/midi/notes.py", "import prefect", "the library knows no orchestrator BROKEN"),
        ("lstm_music/stages/data/ingest.py", "from prefect import task", "the library knows no orchestrator BROKEN"),
        ("lstm_music/midi/notes.py", "import tasks.training", "flows order, tasks wrap, the library means BROKEN"),
        ("tasks/training.py", "import flows.engine.runners", "flows order, tasks wrap, the library means BROKEN"),
        ("lstm_music/midi/notes.py", "import lstm_music.recipe", "layers of the library BROKEN"),
        ("lstm_music/store/files.py", "import lstm_music.child", "layers of the library BROKEN"),
        ("lstm_music/in_no_layer.py", "", "in_no_layer"),
        ("flows/in_no_room.py", "", "in_no_room"),
        ("flows/engine/runners.py", "import flows.watch", "rooms of the flows BROKEN"),
        ("flows/watch.py", "import flows.cli.display", "rooms of the flows BROKEN"),
        ("lstm_music/stages/in_no_room.py", "", "in_no_room"),
        (
            "lstm_music/stages/data/prepare.py",
            "import lstm_music.stages.training.promotion",
            "rooms of the stages BROKEN",
        ),
        ("lstm_music/stages/inbox/news.py", "import lstm_music.stages.upkeep.needs", "rooms of the stages BROKEN"),
        ("lstm_music/stages/training/trained.py", "import lstm_music.stages.training.train", "no circles BROKEN"),
    ],
)
def test_a_planted_import_is_found(tree, module, planted, complaint):
    with (tree / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{planted}\n")
    linted = run(LINT, tree)
    assert linted.returncode == 1
    assert complaint in linted.stdout


def imported(path):
    """Give the name of each module and of each thing that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_modules_of_runners_alone_name_a_task_runner():
    naming = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(name.startswith("prefect") and "runner" in name.lower() for name in imported(path))
    }
    assert naming == {"flows/engine/runners.py", "flows/engine/dask_runner.py"}


@pytest.mark.parametrize(
    "module",
    ["flows.cli.app", "flows.cli.commands", "lstm_music.stages.data.parse", "lstm_music.stages.music.candidates"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(module):
    heavy = ("prefect", "tensorflow", "keras", "music21")
    loaded = run(f"import {module}, sys; print(sorted(set({heavy}) & set(sys.modules)))", ROOT)
    assert loaded.stdout == "[]\n", loaded.stderr

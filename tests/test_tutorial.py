"""The tutorial: it is committed without results, and runs from its first cell to its last."""

import json
import sys
from pathlib import Path

import pytest
from program import REPOSITORY, Program

TUTORIAL = REPOSITORY / "docs" / "tutorial.ipynb"


def code_cells(path):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_no_results_are_committed():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells(TUTORIAL))


@pytest.mark.operation
@pytest.mark.slow
def test_the_tutorial_runs(tmp_path):
    copied, executed = tmp_path / TUTORIAL.name, tmp_path / "executed.ipynb"
    copied.write_bytes(TUTORIAL.read_bytes())  # its kernel runs in its folder
    command = [str(Path(sys.executable).with_name("jupyter-execute")), str(copied), f"--output={executed}"]
    program = Program(tmp_path / "home", command)
    program.finish()
    assert program.process.returncode == 0, program.errors
    shown = [output.get("data", {}).get("text/html", "") for cell in code_cells(executed) for output in cell["outputs"]]
    html = "".join("".join(lines) for lines in shown)
    assert "<th>offset</th>" in html  # events
    assert "<th>ngram_joint</th>" in html  # the score card
    assert html.count("<audio controls") == html.count('alt="piano roll of') == 3
    assert program.left_after(10.0) == []

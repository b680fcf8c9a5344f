"""The command `reproduce`, with a recipe as small as the tests need: from music to the report's page."""

import json
import sys
from pathlib import Path

import pytest
from program import Program
from tiny_music import RECIPE, write_pieces

pytestmark = pytest.mark.slow

# The command, with another recipe than the report's own, whose 37 files nobody may publish here.
COMMAND = """
import sys
from lstm_music.stages.report import experiments
experiments.RECIPE = sys.argv.pop(1)
from flows.cli.app import main
main()
"""

WINDOWED = """
[events]
reading = "music21-5"
chords = "normal_order"
quarter_length_divisors = [4, 3]

[windows]
length = 16
transpose_from = 0
transpose_to = 0

[model]
architecture = "three_streams"
units = 8

[training]
epochs = 4
batch_size = 64
schedule = "constant"

[generation]
num_outputs = 1
num_events = 24
min_events = 12
prompt_events = 16
"""


@pytest.fixture
def reproduce(tmp_path):
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE.partition("[")[0] + WINDOWED)
    music = write_pieces(tmp_path / "music")

    def run(*arguments: str) -> tuple[int, str, str]:
        options = ["--source", str(music), "--storage", str(tmp_path / "storage"), "--json"]
        program = Program(
            tmp_path / "home", [sys.executable, "-c", COMMAND, str(recipe), "reproduce", *arguments, *options]
        )
        out = program.finish()
        return program.process.returncode, out, program.errors

    return run


@pytest.mark.operation  # a minute of trainings; the stages of the report have tests of their own
def test_the_report_is_written_and_a_larger_budget_goes_on_from_a_smaller(reproduce, tmp_path):
    asked = ["notes_only", "--protocol", "random_windows"]
    asked += ["--output-dir", str(tmp_path / "page")]
    code, out, errors = reproduce(*asked, "--budget", "1")
    assert code == 0, errors
    (first,) = json.loads(out.splitlines()[-1])["experiments"]
    code, out, errors = reproduce(*asked, "--budget", "2")
    assert code == 0, errors
    said = json.loads(out.splitlines()[-1])
    (second,) = said["experiments"]
    assert (first["epochs"], second["epochs"]) == ({"note": 1}, {"note": 2})
    assert second["histories"]["note"][:1] == first["histories"]["note"]
    assert "leaky" in second["split"]
    assert "leaky" in errors
    assert "Training 1 model, 2 at once, then writing the report" in errors
    page = Path(said["page"])
    assert page.parent == tmp_path / "page"
    assert "notes_only" in page.read_text()
    assert {path.suffix for path in page.parent.iterdir()} == {".html", ".md", ".json", ".svg", ".mid"}
    assert json.loads((page.parent / "report.json").read_text()) == said["experiments"]
    code, out, errors = reproduce(
        *asked, "--budget", "1"
    )  # what was trained for longer stays so; there is nothing to do
    assert (code, json.loads(out.splitlines()[-1])) == (0, said)
    assert "then writing the report" not in errors


def test_an_architecture_that_the_report_did_not_have_is_one_sentence(reproduce, tmp_path):
    code, out, errors = reproduce("transformer")
    assert (code, out) == (2, "")
    known = "three_streams, notes_only, dual_head, multi_label"
    assert errors == f"lstm-music: reproduce: expected one or more of {known}, got 'transformer'\n"
    assert not (tmp_path / "storage").exists()

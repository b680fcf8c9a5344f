"""The examples in "The first hour" of steering, of more like a result, and of rewriting run, and what each asks for is kept."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from program import Program

PAGE = Path(__file__).parents[3] / "docs" / "first_hour.md"
RUN = """
import json, sys
from flows.cli.app import app
for words in json.loads(sys.argv[1]):
    rendering = [] if words[0] == "mirex" else ["--audio", "none", "--no-sheet-music"]
    app([*words, "--num-outputs", "2", *rendering, "--json"], standalone_mode=False)
"""


def examples(begins):
    """Give the words of each command in the block below a line that begins so."""
    text = PAGE.read_text(encoding="utf-8")
    block = re.search(rf"^{begins}.*?^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines()]


@pytest.fixture
def home(tiny, tmp_path):
    """A folder whose `storage` is where commands look."""
    (tmp_path / "home").mkdir()
    tiny.copy(tmp_path / "home")
    return tmp_path / "home"


def made_by(home, commands):
    """Run commands, and give what each of them made."""
    program = Program(home, [sys.executable, "-c", RUN, json.dumps(commands)])
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


@pytest.mark.slow
@pytest.mark.operation  # makes music eight times
def test_the_examples_run_and_results_keep_what_they_ask_for(home):
    commands = examples("Say how long")
    options = {word for words in commands for word in words if word.startswith("--")}
    assert options >= {f"--{name}" for name in ("bars", "seconds", "tempo", "meter", "key", "pitch-range", "velocity")}
    made = made_by(home, commands)
    assert len(made) == len(commands)
    for words, one in zip(commands, made, strict=True):
        for output in one["outputs"]:
            asked = [said for said in output["asked"] if said["name"] != "key, as estimated"]
            assert asked, words
            assert [said for said in asked if not said["is_kept"]] == [], words


@pytest.mark.slow
@pytest.mark.operation  # makes music three times
def test_the_examples_of_controls_run_and_what_each_asks_for_is_compared(home):
    commands = examples("Models that were taught")
    made = made_by(home, commands)
    names = [{said["name"] for output in one["outputs"] for said in output["asked"]} for one in made]
    assert names == [{"notes a bar"}, {"notes at once"}, {"mean pitch"}]


@pytest.mark.slow
@pytest.mark.operation  # makes music five times
def test_the_examples_of_more_like_a_result_run(home):
    notes = [{"start": start, "pitch": 60 + start % 5, "duration": 4} for start in range(12, 80, 4)]
    (home / "prompt.json").write_text(json.dumps({"prompt": notes}))
    commands = examples("You like one of the results")
    options = {word for words in commands for word in words}
    assert options >= {"--like", "--variation", "--prompt", "mirex"}
    like, variation, after, samples = made_by(home, commands)
    assert like["outputs"][0]["like"]["result"].endswith("/1")
    assert 0 < variation["outputs"][0]["like"]["kept_events"] < variation["outputs"][0]["like"]["of_events"]
    assert after["outputs"][0]["prompt_piece"].endswith("/1")
    assert [Path(path).name for path in samples["samples"]] == ["sample_01.json", "sample_02.json"]
    for path in samples["samples"]:
        found = json.loads((home / path).read_text())["generation"]
        assert max(note["start"] + note["duration"] for note in found) == 272


@pytest.mark.slow
@pytest.mark.operation  # makes music twice
def test_the_bars_of_the_example_are_rewritten(home):
    commands = examples("Write some bars")
    made = made_by(home, commands)
    found = [[output["rewritten"]["bars"] for output in one["outputs"]] for one in made]
    assert found == [["2-3", "2-3"], ["2", "2"]]

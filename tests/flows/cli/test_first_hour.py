"""The examples of steering and rewriting in "The first hour" run, and what each asks for is kept."""

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
    app([*words, "--num-outputs", "2", "--audio", "none", "--no-sheet-music", "--json"], standalone_mode=False)
"""


def examples(begin="Say how long"):
    """Give the words of each command in the block that is introduced so: the one about length, tempo and key."""
    text = PAGE.read_text(encoding="utf-8")
    block = re.search(rf"^{begin}.*?^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines()]


@pytest.mark.slow
@pytest.mark.operation  # makes music eight times
def test_the_examples_run_and_results_keep_what_they_ask_for(tiny, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    tiny.copy(home)  # its folder `storage` is where commands look
    commands = examples()
    options = {word for words in commands for word in words if word.startswith("--")}
    assert options >= {f"--{name}" for name in ("bars", "seconds", "tempo", "meter", "key", "pitch-range", "velocity")}
    words = [sys.executable, "-c", RUN, json.dumps(commands)]
    program = Program(home, words)
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    made = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert len(made) == len(commands)
    for words, one in zip(commands, made, strict=True):
        for output in one["outputs"]:
            asked = [said for said in output["asked"] if said["name"] != "key, as estimated"]
            assert asked, words
            assert [said for said in asked if not said["is_kept"]] == [], words


@pytest.mark.slow
@pytest.mark.operation  # makes music twice
def test_the_bars_of_the_example_are_rewritten(tiny, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    tiny.copy(home)
    commands = examples("Write some bars")
    program = Program(home, [sys.executable, "-c", RUN, json.dumps(commands)])
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    made = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    found = [[output["rewritten"]["bars"] for output in one["outputs"]] for one in made]
    assert found == [["2-3", "2-3"], ["2", "2"]]

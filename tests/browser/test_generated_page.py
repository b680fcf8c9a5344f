"""The page of `lstm-music generate`, in a real Chromium: from hostile file names to music that plays."""

import json
from pathlib import Path

import pytest
from program import COMMAND, Program

RESULTS = 8


@pytest.fixture
def page_file(tiny, tmp_path):
    """Make music with models that learnt pieces whose names are scripts."""
    arguments = ["--num-outputs", str(RESULTS), "--recipe", str(tiny.recipe), "--storage", str(tiny.copy(tmp_path))]
    program = Program(tmp_path / "home", [COMMAND, "generate", *arguments, "--json"])
    made = program.finish()
    assert program.process.returncode == 0, program.errors
    return Path(json.loads(made.splitlines()[-1])["page"])


def test_the_page_plays_and_shows_what_files_are_called(visit, page_file):
    page = visit(page_file)
    assert page.locator("article.result").count() == RESULTS
    origin = page.locator("article.result .origin cite").first.text_content()
    assert origin == "Script>"  # the title of <script>alert(07)</script>.mid: its file name, without folders
    assert page.locator("audio").count() == 2 * RESULTS + 8  # prompts and results, and the quiz
    times = page.evaluate(
        """async () => {
          const audio = document.getElementById("result-1-audio");
          const head = document.querySelector("#result-1 .playhead");
          await audio.play();
          const x = head.getBoundingClientRect().left;
          while (audio.currentTime < 0.5) await new Promise((done) => setTimeout(done, 20));
          return [audio.currentTime, head.getBoundingClientRect().left - x];
        }"""
    )
    assert times[0] >= 0.5
    assert times[1] != 0
    assert page.locator(".picture").first.evaluate("(one) => !!one.shadowRoot.querySelector('svg .right, svg .left')")

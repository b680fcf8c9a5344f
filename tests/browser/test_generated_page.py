"""The page of `lstm-music generate`, in a real Chromium: from hostile file names to music that plays."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_music import PIECES, piece, write_recipe

RESULTS = 8
PROGRAM = [sys.executable, "-c", "from flows.cli import main; main()"]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """Train on pieces whose folder and name are a script, and make music with what was learnt."""
    folder = tmp_path_factory.mktemp("generated")
    for number in range(PIECES):
        path = folder / "music" / f"<script>alert({number})<" / "script>.mid"  # a folder and a file: the name is a tag
        path.parent.mkdir(parents=True)
        path.write_bytes(piece(number))
    said = ["--recipe", str(write_recipe(folder)), "--storage", str(folder / "storage"), "--json"]
    run = [*PROGRAM, "run", "--source", str(folder / "music"), *said]
    subprocess.run(run, check=True, capture_output=True)
    wish = [*PROGRAM, "generate", "--num-outputs", str(RESULTS), *said]
    made = subprocess.run(wish, check=True, capture_output=True, text=True).stdout
    return Path(json.loads(made.splitlines()[-1])["page"])


def test_the_page_plays_and_shows_what_files_are_called(visit, page_file):
    page = visit(page_file)
    assert page.locator("article.result").count() == RESULTS
    origin = page.locator("article.result .origin cite").first.text_content()
    assert origin.startswith("<script>alert(")
    assert origin.endswith(")</script>.mid")
    assert page.locator("audio").count() == 2 * RESULTS + 8  # seed segments and results, and the quiz
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

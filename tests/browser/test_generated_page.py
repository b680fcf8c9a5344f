"""The page of `lstm-music generate`, in a real Chromium: from hostile file names to music that plays."""

import json
from pathlib import Path

import pytest
from program import COMMAND, Program

RESULTS = 8


@pytest.fixture(scope="module")
def page_file(browser, tiny, tmp_path_factory):  # without a browser nothing is made
    """Make music with models that learnt pieces whose names are scripts."""
    folder = tmp_path_factory.mktemp("page")
    arguments = ["--num-outputs", str(RESULTS), "--recipe", str(tiny.recipe), "--storage", str(tiny.copy(folder))]
    program = Program(folder / "home", [COMMAND, "generate", *arguments, "--json"])
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


def test_the_index_plays_the_music_that_lies_beside_it(page_file, browser):
    """The address bar may say the name of the generation; its audio is found from the index on."""
    context = browser.new_context()
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((page_file.parent.parent / "index.html").as_uri())
    newest = page.locator("article.entry").first
    assert newest.locator("h2").inner_text() == page_file.parent.name
    assert newest.locator("svg").count() == newest.locator("audio").count() == 4
    seconds = newest.locator("audio").first.evaluate("async (audio) => { await audio.play(); return audio.duration; }")
    assert seconds > 0
    newest.locator("h2 a").click()
    assert page.url == page_file.as_uri()
    assert complaints == []
    context.close()

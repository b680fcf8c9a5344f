"""The page of an ensemble in a real Chromium: who is heard, by ear of an analyser; keyboard, contrast, patterns."""

from dataclasses import replace
from pathlib import Path

import pytest
from ensemble_music import BAND, HERTZ, LATE_SECONDS, RESULT_SECONDS, ensemble_page

from lstm_music.rendering.listening_page import listening_page

pytest.importorskip("soundfile", reason="soundfile, which writes the test's tones, is not installed")

AUDIT = (Path(__file__).parent / "page_audit.js").read_text(encoding="utf-8").split("\n", 1)[1]
LISTEN = """
  const connect = AudioNode.prototype.connect;
  window.taps = [];
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      const tap = this.context.createAnalyser();
      tap.fftSize = 4096;
      tap.smoothingTimeConstant = 0;
      connect.call(this, tap);
      window.taps.push(tap);
    }
    return connect.call(this, to, ...rest);
  };
"""
HEARD = """(hertz) => hertz.filter((one) => window.taps.some((tap) => {
  const bins = new Float32Array(tap.frequencyBinCount);
  tap.getFloatFrequencyData(bins);
  return bins[Math.round(one / (tap.context.sampleRate / tap.fftSize))] > -60;
}))"""
RESULT, PROMPT = "#result-1-audio", "#result-1-prompt"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "ensemble.html"
    path.write_text(listening_page(ensemble_page()), encoding="utf-8")
    return path


def wait_for_tones(page, *parts, of=None):
    """Wait until exactly the tones of some parts reach the loudspeakers, while a player plays if one is given."""
    wanted, seen = [HERTZ[part] for part in parts], None
    for _ in range(500):
        seen = page.evaluate(
            f"([hertz, of]) => [({HEARD})(hertz), !of || !document.querySelector(of).paused]", [HERTZ, of]
        )
        if seen == [wanted, True]:
            return
        page.wait_for_timeout(20)
    pytest.fail(f"heard and playing were {seen}, not {wanted}")


def wait_for_status(page, start):
    for _ in range(500):
        if page.inner_text("#status").startswith(start):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"{page.inner_text('#status')!r} does not begin with {start!r}")


def switch(page, part, what, key="Enter"):
    page.focus(f"#result-1 .parts li:nth-child({part + 1}) [data-{what}]")
    page.keyboard.press(key)


def unheard(page):
    """The parts that are drawn pale: in the legend, and in the roll, which have to agree."""
    legend = page.eval_on_selector_all(
        "#result-1 .parts .swatch", "(all) => all.flatMap((one, at) => (one.classList.contains('unheard') ? [at] : []))"
    )
    drawn = page.eval_on_selector(
        "#result-1 .roll .picture",
        "(host) => [...host.shadowRoot.querySelectorAll('.part.unheard')].map((one) => Number(one.dataset.part))",
    )
    assert legend == drawn
    return legend


def play(page, player, seconds=None):
    if seconds is not None:
        page.eval_on_selector(player, f"(audio) => {{ audio.currentTime = {seconds}; }}")
    page.eval_on_selector(player, "(audio) => audio.play()")


def test_parts_are_muted_and_heard_alone_by_keyboard(visit, file):
    page = visit(file, before=LISTEN)
    play(page, RESULT, LATE_SECONDS + 0.2)
    switch(page, 0, "mute")
    wait_for_tones(page, 1, 2, 3)
    wait_for_status(page, "Heard: Keys, Bass, <script>")
    assert unheard(page) == [0]
    switch(page, 2, "solo", "Space")
    wait_for_tones(page, 2)
    wait_for_status(page, "Heard: Bass.")
    switch(page, 2, "mute")
    wait_for_tones(page)
    wait_for_status(page, "No part is heard.")
    assert unheard(page) == [0, 1, 2, 3]
    pressed = "(all) => all.map((one) => one.getAttribute('aria-pressed'))"
    assert page.eval_on_selector_all("#result-1 .parts button", pressed).count("true") == 3
    for part, what in ((0, "mute"), (2, "mute"), (2, "solo")):
        switch(page, part, what)
    wait_for_tones(page, 0, 1, 2, 3)
    wait_for_status(page, "All parts are heard.")
    assert unheard(page) == []


def test_parts_follow_the_player(visit, file):
    page = visit(file, before=LISTEN)
    switch(page, 0, "mute")
    wait_for_status(page, "Heard: ")
    assert page.evaluate(HEARD, HERTZ) == []  # nothing plays yet
    play(page, RESULT)
    wait_for_tones(page, 1, 2)  # the last part is late
    page.eval_on_selector(RESULT, f"(audio) => {{ audio.currentTime = {LATE_SECONDS + 0.5}; }}")
    wait_for_tones(page, 1, 2, 3)
    assert unheard(page) == [0]
    page.eval_on_selector(RESULT, "(audio) => { audio.currentTime = 0.5; }")
    wait_for_tones(page, 1, 2)
    page.eval_on_selector(RESULT, "(audio) => { audio.muted = true; }")
    wait_for_tones(page)
    page.eval_on_selector(RESULT, "(audio) => { audio.muted = false; }")
    wait_for_tones(page, 1, 2)
    page.eval_on_selector(RESULT, "(audio) => audio.pause()")
    wait_for_tones(page)
    play(page, RESULT, RESULT_SECONDS - 0.5)
    for _ in range(500):
        if page.eval_on_selector(RESULT, "(audio) => audio.ended"):
            break
        page.wait_for_timeout(20)
    wait_for_tones(page)
    play(page, RESULT)
    wait_for_tones(page, 1, 2)  # once more from the start


def test_a_muted_part_is_muted_in_the_prompt_too(visit, file):
    page = visit(file, before=LISTEN)
    switch(page, 1, "solo")
    wait_for_status(page, "Heard: Keys.")
    page.locator("#result-1 input[type=range]").fill("1")
    page.focus("#result-1 [data-play]")
    page.keyboard.press("Enter")
    wait_for_tones(page, 1, of=PROMPT)
    wait_for_tones(page, 1, of=RESULT)
    assert page.eval_on_selector(PROMPT, "(audio) => audio.paused")


def test_a_part_that_rests_in_the_result_is_heard_in_the_prompt_alone(visit, tmp_path):
    whole = ensemble_page()
    parts = [replace(part, stem=None) if at == 1 else part for at, part in enumerate(whole.results[0].parts)]
    parts[2] = replace(parts[2], prompt_stem=None)
    path = tmp_path / "resting.html"
    path.write_text(listening_page(replace(whole, results=[replace(whole.results[0], parts=parts)])), encoding="utf-8")
    page = visit(path, before=LISTEN)
    assert page.locator("#result-1 .parts a").count() == 3
    switch(page, 0, "mute")
    wait_for_status(page, "Heard: Keys, Bass, ")
    page.locator("#result-1 input[type=range]").fill("1")
    page.focus("#result-1 [data-play]")
    page.keyboard.press("Enter")
    wait_for_tones(page, 1, 3, of=PROMPT)
    wait_for_tones(page, 2, of=RESULT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320])
def test_it_can_be_read_and_used_by_all(visit, file, scheme, width):
    page = visit(file, color_scheme=scheme, viewport={"width": width, "height": 844})
    for pressed in (False, True):
        if pressed:
            switch(page, 0, "mute")
            switch(page, 3, "solo")
        assert page.evaluate(AUDIT)["findings"] == []
    ring = page.eval_on_selector(":focus", "(one) => getComputedStyle(one).outlineStyle")
    assert ring == "solid"


def test_each_part_has_its_colour_and_its_pattern_in_legend_and_roll(visit, file):
    page = visit(file)
    look = """(group) => { const [note, mark] = ['.note', '.mark'].map((one) => group.querySelector(one));
      if (!note) return ['', 'hits'];
      const [a, b] = [note, mark].map((one) => getComputedStyle(one));
      return [a.stroke, [a.fill === a.stroke, b.display, b.strokeDasharray, b.strokeWidth].join(' ')]; }"""
    legend = page.eval_on_selector_all("#result-1 .swatch > g", f"(all) => all.map({look})")
    drawn = page.eval_on_selector(
        "#result-1 .roll .picture", f"(host) => [...host.shadowRoot.querySelectorAll('.part')].map({look})"
    )
    assert legend == drawn
    for different in zip(*drawn, strict=True):
        assert len(set(different)) == len(BAND)


def test_without_stems_the_legend_says_how_to_get_them(visit, file):
    page = visit(file)
    assert page.locator("#result-2 .parts li").count() == len(BAND)
    assert page.locator("#result-2 .parts button").count() == 0
    assert "--stems" in page.inner_text("#result-2 .parts p")
    assert page.inner_text("#result-2 .parts li:nth-child(4)").endswith("▲ not heard")


def test_without_script_the_legend_is_there_and_stems_can_be_taken_out(visit, file):
    page = visit(file, java_script_enabled=False)
    assert page.locator("#result-1 .parts button:visible").count() == 0
    with page.expect_download() as waiting:
        page.locator("#result-1 .parts a").nth(2).click()
    assert Path(waiting.value.path()).read_bytes() == ensemble_page().results[0].parts[2].stem.data

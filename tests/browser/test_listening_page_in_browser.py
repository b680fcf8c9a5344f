"""The listening page in a real Chromium, from the disk: it plays, moves, counts, can be read by all, and fetches nothing."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from listening_music import HOSTILE, Listening, Result, real_page, tone

from lstm_music.rendering.index_page import Generation, Preview, index_page
from lstm_music.rendering.listening_page import Roll, RollPlace, listening_page

AUDIT = (Path(__file__).parent / "page_audit.js").read_text(encoding="utf-8").split("\n", 1)[1]
SHOWN = HOSTILE.replace("\u202e", "\ufffd").replace("\x1b", "\ufffd")
PLAYING = "() => [...document.querySelectorAll('audio')].filter((a) => !a.paused).map((a) => a.id)"
PHONE = {"viewport": {"width": 390, "height": 844}}

for library in ("midirenderer", "pretty_midi", "verovio", "soundfile"):
    pytest.importorskip(library, reason=f"{library}, by which the test's music is heard or drawn, is not installed")


@pytest.fixture(scope="module")
def listening():
    return real_page()


@pytest.fixture(scope="module")
def file(listening, tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "index.html"
    path.write_text(listening_page(listening), encoding="utf-8")
    return path


def time_of(page, player):
    return page.eval_on_selector(f"#{player}", "(audio) => audio.currentTime")


def wait_for(page, script):
    """Wait until a script gives something; Playwright's own way evaluates text in the page, which the page forbids."""
    for _ in range(1_000):
        if page.evaluate(script):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never came true: {script}")


def wait_until(page, player, condition):
    wait_for(page, f"(({{ currentTime, paused, ended }}) => {condition})(document.getElementById('{player}'))")


def head_and_time(page, player, number=1):
    """Give (x of the playhead, current time) of one moment."""
    return page.evaluate(
        """([player, number]) => {
          const head = document.querySelector(`#result-${number} .playhead`).getBoundingClientRect();
          const canvas = document.querySelector(`#result-${number} .canvas`).getBoundingClientRect();
          return [head.left + head.width / 2 - canvas.left, document.getElementById(player).currentTime];
        }""",
        [player, number],
    )


@pytest.mark.parametrize("part", ["prompt", "result"])
def test_audio_plays_and_the_playhead_moves_with_it(visit, file, listening, part):
    page = visit(file)
    player = {"prompt": "result-1-prompt", "result": "result-1-audio"}[part]
    place = getattr(listening.results[0].roll, part)
    page.eval_on_selector(f"#{player}", "(audio) => audio.play()")
    wait_until(page, player, "currentTime > 0.3")
    seen = [head_and_time(page, player)]
    wait_until(page, player, f"currentTime > {seen[0][1] + 0.7}")
    seen.append(head_and_time(page, player))
    for x, seconds in seen:
        assert x == pytest.approx(place.start_x + seconds * place.pixels_per_second, abs=0.15 * place.pixels_per_second)
    assert seen[1][0] > seen[0][0] + 0.5 * place.pixels_per_second
    assert page.eval_on_selector(f"#{player}", "(audio) => audio.webkitAudioDecodedByteCount") > 0
    page.eval_on_selector(f"#{player}", "(audio) => audio.pause()")
    x, seconds = head_and_time(page, player)
    assert x == pytest.approx(place.start_x + seconds * place.pixels_per_second, abs=1)


def test_one_button_plays_the_prompt_and_then_the_result(visit, file, listening):
    page = visit(file)
    page.locator("#result-1 input[type=range]").fill("3.5")
    assert time_of(page, "result-1-prompt") == pytest.approx(3.5, abs=0.01)
    page.click("#result-1 [data-play]")
    wait_until(page, "result-1-audio", "!paused && currentTime > 0.2")
    assert page.evaluate(PLAYING) == ["result-1-audio"]
    assert page.inner_text("#result-1 [data-play]") == "Pause"
    page.click("#result-1 [data-play]")
    assert page.evaluate(PLAYING) == []
    page.wait_for_selector(
        "#result-1 [data-play-label]:text-is('Play both')"
    )  # said when the event of the pause has come
    assert page.inner_text("#result-1 .time").startswith("result 0:00 / 0:")


def test_when_one_plays_the_others_pause(visit, file):
    page = visit(file)
    for player in ("result-1-prompt", "result-2-audio", "quiz-1-audio", "result-1-audio"):
        page.eval_on_selector(f"#{player}", "(audio) => audio.play()")
        wait_until(page, player, "currentTime > 0.05")
        assert page.evaluate(PLAYING) == [player]


def test_a_click_into_the_piano_roll_seeks(visit, file, listening):
    page = visit(file)
    roll = listening.results[0].roll
    for part, player, seconds in (("result", "result-1-audio", 2.0), ("prompt", "result-1-prompt", 1.5)):
        place = getattr(roll, part)
        x = place.start_x + seconds * place.pixels_per_second
        page.click("#result-1 .canvas", position={"x": x, "y": 40})
        assert time_of(page, player) == pytest.approx(seconds, abs=0.03)
        assert head_and_time(page, player)[0] == pytest.approx(x, abs=1.5)
    page.click("#result-1 .canvas", position={"x": 2, "y": 40})  # left of the first note
    assert time_of(page, "result-1-prompt") == 0
    assert page.evaluate(PLAYING) == []


def test_everything_can_be_done_by_keyboard(visit, file):
    page = visit(file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "results"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#result-1 [data-play]')"):
            break
    page.keyboard.press("Enter")
    wait_until(page, "result-1-prompt", "currentTime > 0.1")
    page.keyboard.press("Space")
    assert page.evaluate(PLAYING) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("Home")
    assert time_of(page, "result-1-prompt") == 0
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert time_of(page, "result-1-prompt") == pytest.approx(0.3, abs=0.01)
    page.keyboard.press("End")
    assert time_of(page, "result-1-audio") > 7
    assert page.get_attribute("#result-1 input[type=range]", "aria-valuetext").startswith("result 0:0")
    page.focus("#result-2 summary")
    page.keyboard.press("Enter")
    assert page.eval_on_selector("#result-2 details", "(details) => details.open") is False


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_piano_roll_follows_the_playhead(visit, file, motion):
    page = visit(file, **PHONE, reduced_motion=motion)
    page.locator("#result-1 input[type=range]").fill("8")
    page.click("#result-1 [data-play]")
    wait_until(page, "result-1-audio", "currentTime > 4.2")
    page.click("#result-1 [data-play]")
    head, box = (page.locator(f"#result-1 {part}").bounding_box() for part in (".playhead", ".roll .scroll"))
    assert page.eval_on_selector("#result-1 .roll .scroll", "(box) => box.scrollLeft") > 50
    assert box["x"] <= head["x"] <= box["x"] + box["width"]


def test_a_hostile_name_is_shown_as_text(visit, file):
    page = visit(file)
    assert SHOWN in page.inner_text("#result-1 .origin")
    assert SHOWN in page.inner_text("#result-1 .facts")
    shadow = "(host) => host.shadowRoot.querySelector('title').textContent"
    assert SHOWN in page.eval_on_selector("#result-1 .roll .picture", shadow)
    inside = """() => [document, ...[...document.querySelectorAll('.picture')].map((host) => host.shadowRoot)]
      .map((root) => root.querySelectorAll('img, script:not([type])').length)"""
    assert page.evaluate(inside) == [1, 0, 0, 0, 0]  # the page's own script


def play_quiz(page, listening, answer):
    """Answer every question by keyboard, rightly or wrongly; give the counts that are shown."""
    truth = page.evaluate("JSON.parse(document.getElementById('quiz-answers').textContent)")
    counts = []
    for number, asked in enumerate(truth, start=1):
        assert page.locator(".question:visible").count() == 1
        assert page.inner_text(".question:visible .what") == f"Clip {number} of {len(truth)}"
        assert page.locator("[data-next]:visible").count() == 0
        page.focus(f"[data-answer={'generated' if asked['generated'] == answer(number) else 'real'}]")
        page.keyboard.press("Enter")
        said = page.inner_text(".said")
        assert said.startswith("✓ Right" if answer(number) else "✗ Wrong")
        assert said.endswith(f"{'generated' if asked['generated'] else 'real'}, {asked['about']}.")
        counts.append(page.inner_text(".score"))
        page.keyboard.press("Enter")  # the button that leads on has the focus
    return counts


def test_the_quiz_counts_here_and_forgets_when_asked(visit, file, listening):
    page = visit(file)
    counts = play_quiz(page, listening, lambda number: number != 2)
    assert counts == ["1 of 1 right", "1 of 2 right", "2 of 3 right", "3 of 4 right"]
    assert page.inner_text(".said") == "You got 3 of 4 right; guessing gives about half."
    assert page.inner_text(".marks") == "✓✗✓✓"
    page.reload()
    assert page.inner_text(".score") == "3 of 4 right"
    assert page.locator(".question:visible").count() == 0
    page.click("[data-reset]")
    assert page.inner_text(".marks") == "○○○○"
    assert page.inner_text(".score") == ""
    page.reload()
    assert page.inner_text(".question:visible .what") == "Clip 1 of 4"


def test_the_quiz_counts_where_storage_is_forbidden(visit, file, listening):
    forbidden = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    page = visit(file, before=forbidden)
    assert play_quiz(page, listening, lambda _: True)[-1] == "4 of 4 right"
    page.reload()
    assert page.inner_text(".marks") == "○○○○"


def test_files_can_be_taken_out_and_the_command_copied(visit, file, listening):
    page = visit(file, permissions=["clipboard-read", "clipboard-write"])
    for index, wanted in enumerate(listening.results[0].downloads):
        with page.expect_download() as waiting:
            page.locator("#result-1 .downloads a").nth(index).click()
        assert waiting.value.suggested_filename == wanted.file_name
        assert Path(waiting.value.path()).read_bytes() == wanted.data
    page.click("#made [data-copy]")
    wait_for(page, "document.getElementById('status').textContent")
    assert page.inner_text("#status") == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == listening.command


def test_opened_in_a_storage_its_commands_name_that(visit, file, listening, tmp_path):
    inside = tmp_path / "Ann's music" / "generations" / "2026-11-29_demo_1" / "index.html"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(file.read_bytes())
    page = visit(inside)
    words = shlex.split(page.inner_text("#made .command code"))
    assert words == [*shlex.split(listening.command), "--storage", str(tmp_path / "Ann's music")]


def test_where_copying_is_forbidden_the_command_is_selected(visit, file, listening):
    page = visit(
        file, before="navigator.clipboard.writeText = async () => { throw new DOMException('no', 'NotAllowedError'); };"
    )
    page.click("#made [data-copy]")
    wait_for(page, "document.getElementById('status').textContent")
    assert page.evaluate("getSelection().toString()") == listening.command


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390, 320])
def test_it_can_be_read_and_used_by_all(visit, file, scheme, width):
    page = visit(file, color_scheme=scheme, viewport={"width": width, "height": 844})
    page.eval_on_selector_all("details", "(all) => all.forEach((details) => { details.open = true; })")
    for answered in (False, True):
        if answered:
            page.click("[data-answer=real]")
        audit = page.evaluate(AUDIT)
        assert audit["findings"] == []
        assert audit["texts"] > 100
        assert audit["controls"] > 30


def test_on_a_phone_the_statistics_need_no_scrolling(visit, file):
    page = visit(file, **PHONE)
    page.click("#result-1 summary:has-text('Statistics')")
    assert (
        page.locator("#result-1 .scroll:has(.statistics)").evaluate("(box) => box.scrollWidth - box.clientWidth") == 0
    )
    typical = page.locator("#result-1 .statistics tbody tr").first.inner_text().split("\n")
    assert {"2.81", "2.55 to 3.05", "✓ within"} <= set(typical)


def test_dark_is_dark(visit, file):
    light, dark = (
        visit(file, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    )
    assert (light, dark) == ("rgb(247, 245, 240)", "rgb(20, 22, 26)")


def test_without_script_players_pictures_and_downloads_are_there(visit, file):
    page = visit(file, java_script_enabled=False)
    assert page.locator("noscript p").is_visible()
    assert not page.locator("#quiz").is_visible()
    assert page.locator("#result-1-audio").get_attribute("src").startswith("data:audio/ogg;base64,")
    assert page.locator("#result-1 .roll svg").bounding_box()["width"] > 300
    assert page.locator("#result-1 .sheet svg").first.bounding_box()["width"] > 300


def test_many_results_open_without_being_decoded(visit, listening, tmp_path):
    svg = listening.results[1].roll.svg
    results = [Result(n, tone(200 + n, 1.5), Roll(svg, RollPlace(28, 48))) for n in range(1, 65)]
    path = tmp_path / "many.html"
    path.write_text(listening_page(Listening("Sixty-four results", results)), encoding="utf-8")
    page = visit(path)
    states = page.evaluate("[...document.querySelectorAll('audio')].map((audio) => audio.readyState)")
    assert states == [0] * 64
    assert page.locator(".playhead:not([hidden])").count() < 12
    page.click("#result-64 [data-play]")
    wait_until(page, "result-64-audio", "ended")
    x, seconds = head_and_time(page, "result-64-audio", 64)
    assert x == pytest.approx(28 + 48 * seconds, abs=1)
    assert page.evaluate(AUDIT)["findings"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_index_leads_to_the_page(visit, file, scheme):
    index = file.with_name("generations.html")
    made = datetime(2025, 3, 1, tzinfo=UTC)
    previews = [Preview(f"M{number} 4h60M60 20h120", "") for number in range(3)]
    entries = [
        Generation("2025-03-01_chorales_1", "chorales", made, HOSTILE, 5, file.name, previews),
        Generation("b", "demo", made, "", 1, "c/d.html"),
    ]
    index.write_text(index_page(entries), encoding="utf-8")
    page = visit(index, color_scheme=scheme, **PHONE)
    assert page.evaluate(AUDIT)["findings"] == []
    assert SHOWN in page.inner_text("main")
    assert page.get_attribute("h2 a", "href") == file.name
    assert page.locator(".previews svg").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]

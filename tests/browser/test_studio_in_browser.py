"""The composing page in a real Chromium, from the disk and offline: it composes, plays, makes bars anew, and fetches nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from studio_music import CALM, PARTS, RECIPES, drawn

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes
from lstm_music.midi.writer import write_midi
from lstm_music.stages.music.studio import studio_of
from lstm_music.studio.page import Studio, studio_page

AUDIT = (Path(__file__).parent / "page_audit.js").read_text(encoding="utf-8").split("\n", 1)[1]
HOSTILE = "</script><script>alert(1)</script><b>bold</b>"
READY = "document.getElementById('status').textContent === 'The models are loaded.'"
AHEAD = "studio.music.bars > 8"
EVENTS = "studio.music.events.map(({ onset, tokens }) => [onset, ...tokens])"

for library in ("midirenderer", "pretty_midi", "soundfile"):
    pytest.importorskip(library, reason=f"{library}, by which the page's sounds are made, is not installed")


def made(name: str, folder: Path) -> Path:
    trained = drawn(name, folder)
    studio = studio_of(trained.store, trained.dataset, RECIPES[name], trained.models, trained.weights, None)
    studio.facts["prompts"][0]["title"] = HOSTILE
    path = folder / "studio.html"
    path.write_text(studio_page(Studio(HOSTILE, studio.facts, studio.tables, studio.sounds)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return made(CALM, tmp_path_factory.mktemp("studio"))


def wait_for(page, script):
    """Wait until a script gives something; Playwright's own way evaluates text in the page, which the page forbids."""
    for _ in range(1_000):
        if page.evaluate(script):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never came true: {script}")


def mark(page, first, last):
    for name, bar in (("from", first), ("to", last)):
        page.fill(f"#{name}", str(bar))
        page.press(f"#{name}", "Tab")
    assert page.evaluate("[studio.marked.first, studio.marked.last]") == [first - 1, last - 1]


def midi_of(*notes):
    """A file of (tick, pitch), a quarter of 480 ticks long each."""
    rows = np.array([(1, 0, 0, False, pitch, 80, tick, 480) for tick, pitch in notes], NOTE_DTYPE)
    return write_midi(PieceNotes(480, rows))


@pytest.fixture
def page(visit, file):
    page = visit(file, offline=True)
    wait_for(page, READY)
    return page


def test_it_composes_ahead_plays_and_pauses(page):
    wait_for(page, AHEAD)
    page.click("#play")
    wait_for(page, "studio.sound.voices.size > 0 && studio.player.step > studio.music.startOf(0) + 1")
    assert page.evaluate("studio.player.gaps") == 0
    page.keyboard.press("Escape")
    page.click("#play")
    stopped = page.evaluate("studio.player.step")
    page.wait_for_timeout(200)
    assert page.evaluate("studio.player.step") == stopped


@pytest.mark.operation
def test_music_goes_on_where_the_models_end_and_memory_is_bounded(page):
    wait_for(page, AHEAD)
    page.evaluate("studio.player.seek(studio.music.startOf(400))")
    for _ in range(1_000):
        page.evaluate("studio.player.seek(studio.music.frontier), studio.draw()")
        if page.evaluate("studio.music.firstBar > 0"):
            break
        page.wait_for_timeout(20)
    assert page.evaluate("studio.music.firstBar > 0")
    assert page.evaluate("studio.music.events.length") <= 20_000
    assert page.evaluate("studio.music.events.every(({ onset }, at, all) => !at || onset >= all[at - 1].onset)")


def test_marked_bars_are_made_anew_others_and_kept_ones_stay_and_undo_takes_it_back(page):
    wait_for(page, AHEAD)
    page.evaluate("document.getElementById('prompt').selectedIndex = 0")
    before = page.evaluate(EVENTS)
    start, length = page.evaluate("[studio.music.startOf(4), studio.music.barSteps]")
    mark(page, 6, 6)
    page.click("#keep")
    mark(page, 5, 7)
    page.click("#again")
    wait_for(page, "document.getElementById('status').textContent === 'The marked bars are new.'")
    after = page.evaluate(EVENTS)

    def inside(events, first, last):
        return [one for one in events if start + first * length <= one[0] < start + last * length]

    assert inside(after, 0, 1) != inside(before, 0, 1)
    assert inside(after, 2, 3) != inside(before, 2, 3)
    for first, last in ((-100, 0), (1, 2), (3, 5)):
        # the offset of the first event behind may be another
        assert [[one[0], *one[2:]] for one in inside(after, first, last)] == [
            [one[0], *one[2:]] for one in inside(before, first, last)
        ]
    page.click("#undo")
    assert page.text_content("#status") == "Undone: bars written again."
    undone = page.evaluate(EVENTS)
    assert [one[0:1] + one[2:] for one in inside(undone, -100, 4)] == [
        one[0:1] + one[2:] for one in inside(before, -100, 4)
    ]
    page.click("#redo")
    assert inside(page.evaluate(EVENTS), 0, 3) == inside(after, 0, 3)


CHANGE_AT_SECOND_STRETCH = """() => {
  const rewrite = studio.composer.rewrite.bind(studio.composer);
  let stretches = 0;
  studio.composer.rewrite = (start, end) => {
    const made = rewrite(start, end);
    const density = document.getElementById("density");
    if (++stretches === 2) density.value = density.max;
    density.dispatchEvent(new Event("change"));
    return made;
  };
}"""


@pytest.mark.operation
def test_bars_that_were_written_again_before_another_change_stay_until_they_are_undone(page):
    wait_for(page, AHEAD)
    before = page.evaluate(EVENTS)
    mark(page, 6, 6)
    page.click("#keep")
    mark(page, 5, 7)
    page.evaluate(CHANGE_AT_SECOND_STRETCH)
    page.click("#again")
    wait_for(page, "!studio.isRewriting")
    assert page.evaluate("studio.history.done.map(({ name }) => name)") == [
        "bars written again",
        "change of the controls",
    ]

    def music(bar=0):
        return page.evaluate(f"{EVENTS}.filter(([onset]) => !{bar} || studio.music.barOf(onset) === {bar} - 1)")

    written = music(5)
    page.click("#undo")
    assert music(5) == written
    page.click("#undo")
    assert music(5) != written
    assert [[one[0], *one[2:]] for one in music()[: len(before)]] == [[one[0], *one[2:]] for one in before]
    page.click("#redo")
    page.click("#redo")
    assert music(5) == written


@pytest.mark.operation
def test_whatever_takes_music_away_can_be_undone_and_done_again(page, tmp_path):
    wait_for(page, AHEAD)
    states = [page.evaluate(EVENTS)]

    def change(what, sentence="true"):
        what()
        wait_for(page, sentence)
        wait_for(page, "studio.music.bars > 8")
        states.append(page.evaluate(EVENTS))

    (tmp_path / "mine").write_bytes(midi_of((0, 60), (480, 62), (960, 64)))
    change(lambda: page.click("#new"))
    change(lambda: page.fill("#density", page.get_attribute("#density", "max")))
    opened = "document.getElementById('status').textContent.startsWith('Opened')"
    change(lambda: page.set_input_files("#file", tmp_path / "mine"), opened)
    change(lambda: page.select_option("#prompt", "0"))
    for state in states[-2::-1]:
        page.click("#undo")
        assert page.evaluate(f"{EVENTS}.slice(0, {len(state)})") == state
    assert page.is_disabled("#undo")
    assert page.text_content("output[for=density]") == "free"
    for state in states[1:]:
        page.click("#redo")
        assert page.evaluate(f"{EVENTS}.slice(0, {len(state)})") == state
    assert page.is_disabled("#redo")


def test_music_ends_after_its_bars_and_goes_on_again(page):
    wait_for(page, AHEAD)
    for written, bars in (("-5", ""), ("5000", "999"), ("2.7", "3")):
        page.fill("#length", written)
        page.dispatch_event("#length", "change")
        assert page.input_value("#length") == bars
    wait_for(page, "studio.music.isOver")
    first, bars, length, end = page.evaluate(
        "[studio.music.newBar, studio.music.bars, studio.music.barSteps, studio.music.end]"
    )
    assert (bars, end) == (first + 3, page.evaluate("studio.music.startOf(studio.music.bars)"))
    assert f"ends with bar {bars}" in page.text_content("#status")
    notes = page.evaluate("studio.music.events.flatMap((event) => studio.music.notesOf(event))")
    assert all(one["onset"] < end for one in notes)
    assert end - length < max(one["onset"] + one["steps"] for one in notes) <= end
    page.evaluate("studio.player.seek(studio.music.end - 1)")
    page.click("#play")
    wait_for(page, "document.getElementById('status').textContent.startsWith('The music has ended')")
    assert page.evaluate("[studio.player.isPlaying, studio.music.barOf(studio.player.step)]") == [False, 0]
    page.fill("#length", "")
    page.dispatch_event("#length", "change")
    wait_for(page, f"studio.music.bars > {bars + 4} && !studio.music.isOver")


@pytest.mark.operation
def test_new_notes_lie_in_the_range_that_is_asked_for(page):
    low, high = (int(page.get_attribute("#lowest", end)) for end in ("min", "max"))
    page.evaluate(f"document.getElementById('highest').value = {low}")
    page.dispatch_event("#highest", "input")
    page.dispatch_event("#highest", "change")
    asked = page.evaluate("['lowest', 'highest'].map((id) => Number(document.getElementById(id).value))")
    assert asked == [low, min(low + 11, high)]
    wait_for(page, AHEAD)
    new = "onset >= Math.max(studio.music.given, studio.music.startOf(2))"
    notes = f"studio.music.events.filter(({{ onset }}) => {new}).flatMap((event) => studio.music.notesOf(event))"
    pitches = page.evaluate(f"{notes}.map(({{ pitch }}) => pitch)")
    assert pitches
    assert all(asked[0] <= pitch <= asked[1] for pitch in pitches)


def test_bars_are_marked_by_fields_while_the_other_one_is_still_empty(page):
    """The first field does not write the other, so that what is typed there is not added to it."""
    wait_for(page, AHEAD)
    page.locator("#from").press_sequentially("2")
    page.locator("#to").press_sequentially("3")
    page.keyboard.press("Tab")
    assert [page.input_value("#from"), page.input_value("#to")] == ["2", "3"]
    assert page.evaluate("[studio.marked.first, studio.marked.last]") == [1, 2]


def test_names_are_text(page):
    assert page.text_content("h1") == HOSTILE
    assert HOSTILE in page.text_content("#about")
    assert page.query_selector("b") is None


@pytest.mark.operation
def test_what_is_downloaded_is_midi_and_a_session_that_opens_again(page, tmp_path):
    wait_for(page, AHEAD)
    with page.expect_download() as midi:
        page.click("#midi")
    midi.value.save_as(tmp_path / "studio.mid")
    from lstm_music.midi.reader import read_midi

    piece = read_midi((tmp_path / "studio.mid").read_bytes())
    notes = "studio.music.events.flatMap((event) => studio.music.notesOf(event))"
    assert len(piece.notes) == page.evaluate(f"{notes}.length")
    with page.expect_download() as session:
        page.click("#save")
    session.value.save_as(tmp_path / "studio.mid")  # it is known by what it holds
    saved = json.loads((tmp_path / "studio.mid").read_text())
    page.click("#new")
    page.set_input_files("#file", tmp_path / "studio.mid")
    wait_for(page, "document.getElementById('status').textContent.startsWith('Opened studio.mid.')")
    assert page.evaluate(f"{EVENTS}.slice(0, {len(saved['events'])})") == saved["events"]


@pytest.mark.operation
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "this is no session"),
        ({"models": "x"}, "this session is of other models"),
        ({"events": [[0, 3, 3, 3, 0, 0], [-5, 3, 3, 3, 0, 0]]}, "its events are not in order"),
        ({"events": [[0, 3, 9999, 3, 0, 0]]}, "its events are of other models"),
        ({"music": {"barSteps": 0}}, "its bars are none"),
        ({"before": "x"}, "its events are of other models"),
    ],
)
def test_a_damaged_session_changes_nothing(page, tmp_path, change, sentence):
    with page.expect_download() as session:
        page.click("#save")
    session.value.save_as(tmp_path / "saved.json")
    saved = json.loads((tmp_path / "saved.json").read_text())
    title = page.text_content("#about")
    (tmp_path / "bad.json").write_text(json.dumps(saved | change))
    page.set_input_files("#file", tmp_path / "bad.json")
    wait_for(page, f"document.getElementById('status').textContent.includes({json.dumps(sentence)})")
    assert page.text_content("#about") == title
    assert page.evaluate("studio.music.events.length") >= len(saved["events"])


@pytest.mark.operation
def test_a_change_of_the_controls_is_heard_soon(page):
    wait_for(page, AHEAD)
    most = page.get_attribute("#density", "max")
    page.fill("#density", most)
    assert "is new" in page.text_content("#status")
    assert page.text_content("output[for=density]") == f"{most} notes a bar"
    wait_for(page, AHEAD)


@pytest.mark.operation
def test_music_can_begin_with_nothing_and_be_played_by_another_instrument(page):
    prompts = page.evaluate("studio.facts.prompts.map(({ events }) => events.length)")
    assert prompts[-1] == 0 < prompts[0]
    page.select_option("#prompt", str(len(prompts) - 1))
    assert page.text_content("#status").startswith("New piece from its start.")
    wait_for(page, AHEAD)
    assert page.evaluate("studio.music.events.every(({ onset }) => onset >= studio.music.promptEnd)")
    page.select_option("#instrument", "48")
    wait_for(page, "studio.sound.known.has('48')")
    page.click("#play")
    wait_for(page, "studio.sound.voices.size > 0")


@pytest.mark.operation
def test_everything_can_be_done_by_keys(page):
    wait_for(page, AHEAD)
    page.click("h1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("studio.marked.last - studio.marked.first") == 1
    page.keyboard.press("k")
    assert page.get_attribute("#keep", "aria-pressed") == "true"
    page.keyboard.press("Space")
    wait_for(page, "studio.player.isPlaying")
    page.keyboard.press("Space")
    assert not page.evaluate("studio.player.isPlaying")


@pytest.mark.operation
def test_music_goes_on_from_a_midi_file(page, tmp_path):
    (tmp_path / "mine.mid").write_bytes(midi_of((0, 60), (480, 62), (960, 64), (1440, 65)))
    page.set_input_files("#file", tmp_path / "mine.mid")
    wait_for(page, "document.getElementById('status').textContent.startsWith('Opened mine.mid.')")
    wait_for(page, AHEAD)
    first = "studio.music.events.slice(0, 4).flatMap((event) => studio.music.notesOf(event)).map(({ pitch }) => pitch)"
    assert page.evaluate(first) == [60, 62, 64, 65]
    assert page.evaluate("studio.music.promptEnd / studio.facts.stepsPerQuarter") == 3
    assert page.evaluate("studio.music.events[4].onset >= studio.music.startOf(1)")
    assert page.text_content("#prompt option:checked") == "mine.mid, bars 1 to 1"


DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(bytes)], name));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.mark.operation
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "this is no MIDI file"),
        (b"MThd" + bytes([255] * 100), "counts no quarters"),
        (midi_of((0, 60))[:-20], "the file ends too soon"),
        (midi_of((0, 60)).replace(b"\x90<", b"\x3c<", 1), "the models know none of the notes"),
    ],
)
def test_a_hostile_file_that_is_dropped_changes_nothing(page, data, sentence):
    wait_for(page, AHEAD)
    about = page.text_content("#about")
    name = "<script>alert(1)</script>.mid"
    page.evaluate(DROP, [name, list(data)])
    wait_for(page, f"document.getElementById('status').textContent.startsWith({json.dumps(name)})")
    assert sentence in page.text_content("#status")
    assert page.text_content("#about") == about


@pytest.mark.operation
def test_what_a_person_plays_is_answered(page):
    wait_for(page, AHEAD)
    page.click("#listen")
    wait_for(page, "document.getElementById('status').textContent.startsWith('Listening')")
    for key in "adg":
        page.keyboard.down(key)
        page.wait_for_timeout(120)
        page.keyboard.up(key)
    wait_for(page, "document.getElementById('status').textContent === 'The models answer.'")
    first = "studio.music.events.slice(0, 3).flatMap((event) => studio.music.notesOf(event)).map(({ pitch }) => pitch)"
    assert page.evaluate(first) == [60, 64, 67]
    page.keyboard.press("n")
    assert page.evaluate(first) == [60, 64, 67]  # no new piece: the key lies beside those that play
    wait_for(page, "studio.player.isPlaying && studio.music.events.length > 20")
    page.keyboard.down("a")
    assert not page.evaluate("studio.player.isPlaying")


@pytest.mark.operation
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_it_can_be_read_and_used_by_all(visit, file, scheme, width):
    page = visit(file, color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    wait_for(page, READY)
    audit = page.evaluate(AUDIT)
    assert audit["findings"] == [], audit["findings"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.operation
def test_parts_play_with_their_own_instruments(visit, tmp_path):
    page = visit(made(PARTS, tmp_path), offline=True)
    wait_for(page, READY)
    wait_for(page, AHEAD)
    page.click("#play")
    wait_for(page, "studio.sound.voices.size > 0")
    assert page.evaluate("[...studio.sound.known.keys()].includes('drums')")
    assert page.query_selector("#instrument") is None

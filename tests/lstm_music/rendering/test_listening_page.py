"""The listening page and the index as text: nothing that a file says becomes anything but text, and bytes lie there once."""

import dataclasses
import hashlib
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from small_music import QUARTER, piece_of

from lstm_music.midi.writer import write_midi
from lstm_music.rendering.index_page import Generation, Preview, index_page
from lstm_music.rendering.listening_page import (
    MOST_PART_SECONDS,
    Clip,
    CopyCheck,
    Download,
    Listening,
    Origin,
    PartShown,
    QuizClip,
    Result,
    Roll,
    RollPlace,
    Setting,
    Statistic,
    Table,
    listening_page,
)
from lstm_music.rendering.piano_roll import piano_roll

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></template></style>{{ 7 * 7 }}\u202e\x1b\udcff"
SHOWN = HOSTILE.replace("\u202e", "\ufffd").replace("\x1b", "\ufffd").replace("\udcff", "\ufffd")
PIECE = piece_of([(0, QUARTER, 60), (QUARTER, QUARTER, 64)])
MIDI = write_midi(PIECE)
VOID = {"meta", "link", "input", "img", "br"}


class Elements(HTMLParser):
    """Every start tag with its attributes, and all text, scripts and styles apart."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text, self.raw = [], [], [], {"script": [], "style": []}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.raw.get(self.open[-1], self.text).append(data) if self.open else None

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def clip(data, label="Result", mime="audio/ogg"):
    return Clip(label, mime, data, 12.4)


def hearing(number, **changes):
    roll = Roll(piano_roll(PIECE, "a piece"), RollPlace(28, 48))
    return dataclasses.replace(Result(number, clip(b"audio %d" % number), roll), **changes)


def with_parts(seconds):
    stems = [Download("Audio", f"part_{n}.ogg", "audio/ogg", b"part %d" % n) for n in (1, 2)]
    parts = [PartShown(HOSTILE, "violin", stem=stem) for stem in stems]
    heard = Clip("Result", "audio/ogg", b"audio", seconds)
    return Elements(listening_page(Listening("A duet", [hearing(1, clip=heard, parts=parts)])))


def test_parts_that_fill_the_memory_of_a_browser_are_offered_as_files_alone():
    mixed, long = with_parts(MOST_PART_SECONDS / 2), with_parts(MOST_PART_SECONDS / 2 + 1)
    for page, switches in ((mixed, 4), (long, 0)):
        assert len([one for one in page.all("button") if "aria-pressed" in one]) == switches
        assert [one["download"] for one in page.all("a") if "data-stem" in one] == ["part_1.ogg", "part_2.ogg"]
    assert "data-mixer" in next(one for one in mixed.all("div") if one.get("class", "").startswith("parts"))
    assert "too long to be mixed here" in " ".join(long.text)
    silent = listening_page(Listening("A duet", [hearing(1, clip=None, parts=[PartShown("Viola", "viola")])]))
    assert "too long" not in silent
    assert "--stems" not in silent
    assert [one["data-name"] for one in mixed.all("li") if "data-name" in one] == [SHOWN] * 2


@pytest.mark.parametrize(("seconds", "shown"), [(7.6, "0:07"), (8.0, "0:08"), (59.99, "0:59"), (61.2, "1:01")])
def test_a_duration_is_written_as_players_write_it(seconds, shown):
    """Players round down: a prompt of 7.6 seconds was 0:08 beside a player of 0:07."""
    whole = dataclasses.replace(clip(b"audio"), seconds=seconds)
    html = listening_page(Listening("a page", [hearing(1, clip=whole)]))
    assert f'<span class="soft">{shown}</span>' in html


def hostile_page():
    statistic = Statistic(HOSTILE, HOSTILE, 0.5, (0.4, 0.6))
    roll = Roll(piano_roll(PIECE, HOSTILE, PIECE, result_at_quarters=2), RollPlace(76, 48), RollPlace(28, 48))
    heard = Result(
        1,
        clip(b"result", HOSTILE, HOSTILE),
        roll,
        clip(b"seed", HOSTILE, HOSTILE),
        piano_roll(PIECE, HOSTILE),
        Origin(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        [Setting(HOSTILE, HOSTILE)],
        [statistic],
        CopyCheck(3, HOSTILE, 1, 4),
        2,
        [Download(HOSTILE, HOSTILE, HOSTILE, MIDI)],
        HOSTILE,
    )
    table = Table(HOSTILE, [HOSTILE, HOSTILE], [[HOSTILE, HOSTILE]], HOSTILE)
    quiz = [QuizClip(clip(b"real", HOSTILE, HOSTILE), is_generated=False, about=HOSTILE)]
    return Listening(HOSTILE, [heard], HOSTILE, [Setting(HOSTILE, HOSTILE)], [table], quiz)


def test_what_a_file_says_is_text_wherever_it_is_shown():
    written = listening_page(hostile_page())
    written.encode("utf-8")
    plain = Elements(listening_page(dataclasses.replace(hostile_page(), title="t")))
    page = Elements(written)
    assert not page.open
    assert not page.all("img")
    assert [attributes.get("type") for attributes in page.all("script")] == ["application/json", None]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "".join(page.text).count(SHOWN) >= 20
    assert "".join(page.text).count(SHOWN) == "".join(plain.text).count(SHOWN) + 2  # in <title> and <h1>
    assert [a["download"] for a in page.all("a") if "download" in a] == [SHOWN]
    assert not {"\u202e", "\x1b", "\udcff"} & set(written)
    assert json.loads(page.raw["script"][0]) == [{"generated": False, "about": SHOWN}]


def test_a_page_forbids_every_fetch_and_every_script_but_its_own():
    page = Elements(listening_page(hostile_page()))
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    digest = b64encode(hashlib.sha256(page.raw["script"][-1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy
    sources = [attributes[key] for _, attributes in page.tags for key in ("src", "href") if key in attributes]
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert not re.search(r"url\(|@import", "".join(page.raw["style"]))


def test_bytes_that_are_shown_more_than_once_lie_in_the_page_once():
    prompt, result = clip(b"the prompt" * 9, "Prompt"), clip(b"the result" * 9)
    downloads = [Download("Audio", "r.ogg", "audio/ogg", result.data), Download("MIDI", "r.mid", "audio/midi", MIDI)]
    results = [hearing(1, prompt=prompt, clip=result, downloads=downloads), hearing(2, prompt=prompt)]
    quiz = [QuizClip(result, is_generated=True, about="result 1")]
    written = listening_page(Listening("two", results, quiz=quiz))
    for data in (prompt.data, result.data, MIDI):
        assert written.count(b64encode(data).decode()) == 1
    page = Elements(written)
    players = {audio["id"]: audio for audio in page.all("audio")}
    assert b64decode(players["result-1-prompt"]["src"].removeprefix("data:audio/ogg;base64,")) == prompt.data
    assert players["result-2-prompt"]["data-same-as"] == "result-1-prompt"
    assert players["quiz-1-audio"]["data-same-as"] == "result-1-audio"
    audio, midi = (link for link in page.all("a") if "download" in link)
    assert (audio["href"], audio["data-same-as"]) == ("#result-1-audio", "result-1-audio")
    assert b64decode(midi["href"].removeprefix("data:audio/midi;base64,")) == MIDI


@pytest.mark.parametrize(("results", "preload"), [(1, "metadata"), (8, "metadata"), (9, "none")])
def test_many_results_are_not_decoded_before_they_are_heard(results, preload):
    page = Elements(listening_page(Listening("many", [hearing(number) for number in range(1, results + 1)])))
    assert {audio["preload"] for audio in page.all("audio")} == {preload}


def test_the_statistics_say_in_words_how_a_result_lies():
    rows = [
        Statistic("low", "", 0.25, (1, 2)),
        Statistic("high", "", 3000, (1, 2)),
        Statistic("inside", "", 2, (1, 2)),
        Statistic("undefined", "", float("nan"), (1, 2)),
        Statistic("alone", "", 0.5),
        Statistic("constant", "", 1, (1, 1)),
    ]
    written = listening_page(Listening("statistics", [hearing(1, statistics=rows)]))
    body = written[written.index('<table class="statistics"') :]
    cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r'<td role="cell".*?</td>', body)]
    assert cells == [
        *("0.25", "1 to 2", "▼ below"),
        *("3000", "1 to 2", "▲ above"),
        *("2", "1 to 2", "✓ within"),
        *("not defined", "1 to 2", ""),
        *("0.50", "", ""),
        *("1", "1 to 1", "✓ within"),
    ]
    places = re.findall(r'x="([\d.]+)" y="3" width="([\d.]+)".*?<path class="value" d="M([\d.]+) ', body)
    assert [tuple(map(float, place)) for place in places][:3] == [
        (44.3, 45.7, 10.0),
        (10.0, 1.0, 90.0),
        (10.0, 80.0, 90.0),
    ]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (
            CopyCheck(9, "a piece", 4, 9.0),
            "9 events in a row also occur in a piece, bar 4. ✓ No more than held-out music (9).",
        ),
        (
            CopyCheck(10, "a piece", None, 9.5),
            "10 events in a row also occur in a piece. ▲ More than held-out music (9.50).",
        ),
        (CopyCheck(1), "1 event in a row also occurs in a training piece."),
    ],
)
def test_the_copy_check_says_where_and_whether_that_is_usual(check, said):
    written = listening_page(Listening("copies", [hearing(1, copy_check=check)]))
    (found,) = re.findall(r"<dt>Copy check</dt>\s*<dd>(.*?)</dd>", written, re.DOTALL)
    assert " ".join(re.sub(r"<[^>]*>", "", found).split()).replace(" ,", ",").replace(" .", ".") == said


def test_a_quiz_is_shuffled_by_its_random_seed_alone():
    quiz = [QuizClip(clip(b"%d" % i), is_generated=i % 2 == 0, about=f"clip {i}") for i in range(12)]

    def order(random_seed):
        page = Elements(listening_page(Listening("quiz", [], quiz=quiz, quiz_random_seed=random_seed)))
        return [asked["about"] for asked in json.loads(page.raw["script"][0])]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted(asked.about for asked in quiz) != order(1)


def test_the_same_contents_give_the_same_text():
    assert listening_page(hostile_page()) == listening_page(hostile_page())


def test_a_page_without_audio_prompt_or_anything_else_is_still_one():
    page = Elements(listening_page(Listening("bare", [hearing(1, clip=None)])))
    assert not page.open
    assert not page.all("audio")
    assert not page.all("input")
    assert "starts without a prompt" in "".join(page.text)
    assert not Elements(listening_page(Listening("nothing at all", []))).open


def test_what_no_page_can_be_made_of_is_refused():
    with pytest.raises(ValueError, match=r"numbers of their own; received \[3\]"):
        listening_page(Listening("twice", [hearing(3), hearing(3)]))
    with pytest.raises(ValueError, match="not an SVG picture: it begins with 'hello'"):
        listening_page(Listening("no picture", [hearing(1, score_svg="hello")]))


def test_the_index_leads_to_every_generation_and_nowhere_else():
    made = datetime(2026, 11, 8, 9, 5, tzinfo=UTC)
    hostile = Preview(HOSTILE, "javascript:alert(1).ogg")
    entries = [
        Generation(
            HOSTILE, HOSTILE, made, HOSTILE, 8, "abc/index.html", [hostile, Preview("M0 0h9"), Preview("", "b.ogg")]
        ),
        Generation("b", "demo", made, "", 1, "javascript:alert(1)"),
        Generation("c", "demo", made, "", 1, 'a "b"/c#d?e\udcff'),
    ]
    written = index_page(entries)
    written.encode("utf-8")
    page = Elements(written)
    assert not page.open
    assert not page.all("script")
    assert not page.all("img")
    links = [link["href"] for link in page.all("a")][1:]
    assert links == ["abc/index.html", "abc/index.html", "javascript%3Aalert%281%29", "a%20%22b%22/c%23d%3Fe%FF"]
    assert [player["src"] for player in page.all("audio")] == ["javascript%3Aalert%281%29.ogg", "b.ogg"]
    assert [path["d"] for path in page.all("path")] == [SHOWN, "M0 0h9"]
    text = "".join(page.text)
    assert text.count(SHOWN) == 3
    assert "3 generations with 10 pieces of new music" in text
    assert "8 November 2026, 09:05" in text
    assert "5 more pieces on its page" in text
    assert "nothing here yet" in index_page([])


@pytest.mark.parametrize("link", ["", "/etc/passwd", "//host/page"])
def test_a_link_that_is_no_relative_path_is_refused(link):
    with pytest.raises(ValueError, match="expected a relative path, got"):
        index_page([Generation("a", "demo", datetime.now(UTC), "", 1, link)])

"""The listening page: one HTML file to hear, see, compare and keep what was generated; it opens from the disk and works offline.

Titles, file names and composers come from files that anybody may have written: the page shows them as text, whatever they hold.
Only the pictures (`Roll.svg`, `Result.score_svg`) go into the page as they are: this project has to have made them. The page
forbids its browser to fetch anything and to run any script but its own.
"""

import hashlib
import math
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_music.midi.text import printable
from lstm_music.rendering import page_filters
from lstm_music.rendering.compiled_templates import compiled_templates
from lstm_music.rendering.page_filters import markup, text_of
from lstm_music.rendering.part_styles import SWATCH_HEIGHT, SWATCH_WIDTH, part_style, swatch

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

DECODE_AT_ONCE = 8  # results whose players read the length of their audio as the page opens
MOST_PART_SECONDS = 2_400.0  # of all parts of a result that a browser decodes, which takes 0.4 MB per second and part
LAY_OUT_AT_ONCE = 16  # results that a browser lays out before they are scrolled to


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio: a label for the reader, its MIME type such as `audio/ogg`, the bytes of its file, and its length."""

    label: str
    mime: str
    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Download:
    """A file to take out of the page. Bytes that are also those of a clip are kept once."""

    label: str
    file_name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RollPlace:
    """Where a clip lies in the piano roll: the x (in the units of its view box) of its first second, and units a second."""

    start_x: float
    pixels_per_second: float


@dataclass(frozen=True, slots=True)
class Roll:
    """A piano roll as SVG (trusted), and where in it the clips of the prompt and of the result lie."""

    svg: str
    result: RollPlace
    prompt: RollPlace | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, or another name with its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The piece that a prompt came from: its title, and its `file`; `place` is a part of it, as in `bars 5 to 12`."""

    piece: str
    composer: str = ""
    source: str = ""
    licence: str = ""
    place: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A metric of one result; `typical` is the range (low, high) that most of the corpus lies in. NaN: not defined here."""

    metric: str
    description: str
    value: float
    typical: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CopyCheck:
    """The longest run of events that a result shares with a training piece, up to transposition, and where that is.

    `held_out_events` is the same figure for held-out music of this length: what is usual for music that was not copied. The
    figure is None where the training pieces are not at hand.
    """

    longest_run_events: int | None
    piece: str = ""
    bar: int | None = None
    held_out_events: float | None = None


@dataclass(frozen=True, slots=True)
class PartShown:
    """A part of an ensemble: its name, what it sounds like, and its audio alone in the result and in the prompt.

    `notice` says why it is not heard; "" where it is. Where it rests, in the result or in the prompt, there is no audio.
    """

    name: str
    sound: str
    is_drum: bool = False
    notice: str = ""
    stem: Download | None = None
    prompt_stem: Download | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A setting that was asked for, such as `bars`, what was measured, and whether that is the same."""

    name: str
    asked: str
    found: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One result and all that is shown with it. `loop_interventions` is None if there was no loop guard.

    `clip` is None if there is no audio; `prompt` is None, too, if the result has no prompt. `roll.prompt` is None if the clip
    begins with the prompt, which is then not played before it. `accompanied` is the given music that a result holds, if there is
    some, `rewritten` names the bars that are new, and whose. `command` makes more like this result. An ensemble has `parts`, in
    the order of those in its roll.
    """

    number: int
    clip: Clip | None
    roll: Roll
    prompt: Clip | None = None
    score_svg: str | None = None
    origin: Origin | None = None
    settings: Sequence[Setting] = ()
    statistics: Sequence[Statistic] = ()
    copy_check: CopyCheck | None = None
    loop_interventions: int | None = None
    downloads: Sequence[Download] = ()
    command: str = ""
    parts: Sequence[PartShown] = ()
    asked: Sequence[Asked] = ()
    accompanied: str = ""
    rewritten: str = ""


@dataclass(frozen=True, slots=True)
class QuizClip:
    """A clip of the quiz, and the text after an answer, as in `result 3`. Clips of equal length give nothing away."""

    clip: Clip
    is_generated: bool
    about: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts, as in the statistics of the corpus; the first column names the rows."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Listening:
    """A whole page. `command` makes all of it again, or more like it; `created_with` are the settings of all results."""

    title: str
    results: Sequence[Result]
    command: str = ""
    created_with: Sequence[Setting] = ()
    tables: Sequence[Table] = ()
    quiz: Sequence[QuizClip] = ()
    quiz_random_seed: int = 0


def listening_page(page: Listening) -> str:
    """Write the page as HTML, to be encoded as UTF-8; the same contents give the same text.

    Raises ValueError for two results of one number.
    """
    twice = [number for number, times in Counter(result.number for result in page.results).items() if times > 1]
    if twice:
        raise ValueError(f"results of a page have numbers of their own; received {twice} more than once")
    quiz = _shuffled(page.quiz, page.quiz_random_seed)
    places: dict[bytes, str] = {}
    for name, clip in _players(page.results, quiz):
        places.setdefault(hashlib.sha256(clip.data).digest(), name)
    has_parts = any(result.parts for result in page.results)
    script = text_of("listening_page.js") + (text_of("mixer.js") if has_parts else "")
    return (
        page_environment()
        .get_template("listening_page.html.jinja")
        .render(
            page=page,
            quiz=quiz,
            answers=[{"generated": asked.is_generated, "about": printable(asked.about)} for asked in quiz],
            place_of=lambda data: places.get(hashlib.sha256(data).digest()),
            script=markup(script),
            script_hash=_digest(script),
            preload="metadata" if len(page.results) <= DECODE_AT_ONCE else "none",
            is_long=len(page.results) > LAY_OUT_AT_ONCE,
            part_style=markup(text_of("parts.css") + part_style()) if has_parts else "",
            most_part_seconds=MOST_PART_SECONDS,
            swatch_box=f"0 0 {SWATCH_WIDTH} {SWATCH_HEIGHT}",
        )
    )


def page_environment() -> "Environment":
    """The templates that lie beside this module: they escape what they are given, and show no control characters."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        bytecode_cache=compiled_templates(),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        data_uri=page_filters.data_uri,
        picture=page_filters.picture,
        clock=page_filters.clock,
        size=page_filters.size,
        number=page_filters.number,
        against=_against,
        gauge=_gauge,
        swatch=_swatch,
    )
    environment.globals["style"] = markup(text_of("page.css"))
    return environment


def _digest(script: str) -> str:
    """Give the name by which a Content-Security-Policy allows one script (CSP level 3, section 2.3.1)."""
    return "sha256-" + b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _players(results: Sequence[Result], quiz: Sequence[QuizClip]) -> Iterator[tuple[str, Clip]]:
    """Yield the id of each player and its clip: those of the results first, which then work without script."""
    for result in results:
        if result.prompt:
            yield f"result-{result.number}-prompt", result.prompt
        if result.clip:
            yield f"result-{result.number}-audio", result.clip
    for number, asked in enumerate(quiz, start=1):
        yield f"quiz-{number}-audio", asked.clip


def _shuffled(quiz: Sequence[QuizClip], random_seed: int) -> list[QuizClip]:
    """Shuffle by a digest, which is the same in every Python."""
    order = {i: hashlib.sha256(f"{random_seed}:{i}".encode()).digest() for i in range(len(quiz))}
    return [quiz[i] for i in sorted(order, key=order.__getitem__)]


def _swatch(part: PartShown, index: int) -> "Markup":
    return markup(swatch(index, is_drum=part.is_drum))


def _against(statistic: Statistic) -> str:
    """Compare a value with its typical range, in a word."""
    if statistic.typical is None or math.isnan(statistic.value):
        return ""
    low, high = statistic.typical
    return "below" if statistic.value < low else "above" if statistic.value > high else "within"


def _gauge(statistic: Statistic) -> dict[str, Any] | None:
    """Lay a value and its typical range out on a line from 0 to 100, a tenth free at both ends."""
    if not _against(statistic) or statistic.typical is None:
        return None
    low, high = statistic.typical
    first, last = min(low, statistic.value), max(high, statistic.value)
    scale = 80 / (last - first) if last > first else 0.0

    def at(value: float) -> float:
        return round(10 + (value - first) * scale, 1)

    return {"start": at(low), "width": max(round(at(high) - at(low), 1), 1), "value": at(statistic.value)}

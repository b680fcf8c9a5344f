"""A piano roll as SVG: time to the right, pitch upwards; prompt, result and both hands look different.

No difference is one of colour alone: the prompt lies on a shade, ends at a line and is labelled, and the left hand's notes are
outlined where the right hand's are filled. It stands alone as a file, and in a page: all that its style names is below the
class `lstm-roll`, it has no ids, and its colours are light or dark as the page's are, or what the page's `--roll-…` say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.text import printable
from lstm_music.rendering.hands import split_hands

PIXELS_PER_QUARTER = 24
PIXELS_PER_PITCH = 5
MARGIN = 28
TOP = 48  # the title and the legend stand above the keys
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})

_MIN_WIDTH = 280  # of the legend
_COLOURS = {  # name: (light, dark); marks have a contrast of 3 at least with what lies behind them, text of 4.5
    "background": ("#ffffff", "#1c1f25"),
    "key": ("#f1f3f5", "#262b33"),
    "shade": ("#e9ecef", "#30363f"),
    "bar": ("#ced4da", "#454c57"),
    "text": ("#495057", "#ced4da"),
    "border": ("#c92a2a", "#ff8787"),
    "right": ("#1864ab", "#74c0fc"),
    "left": ("#ffe8cc", "#4a2c11"),
    "left-line": ("#a8440a", "#ffa94d"),
    "prompt-right": ("#5c636a", "#adb5bd"),
    "prompt-left": ("#ffffff", "#1c1f25"),
    "prompt-left-line": ("#5c636a", "#adb5bd"),
}
_RULES = """
.lstm-roll { background: var(--c-background); font: 11px system-ui, sans-serif; }
.lstm-roll .key { fill: var(--c-key); } .lstm-roll .shade { fill: var(--c-shade); fill-opacity: .6; }
.lstm-roll .bar { stroke: var(--c-bar); } .lstm-roll .name { fill: var(--c-text); }
.lstm-roll .border { stroke: var(--c-border); stroke-width: 1.5; stroke-dasharray: 4 3; }
.lstm-roll .right { fill: var(--c-right); } .lstm-roll .left { fill: var(--c-left); stroke: var(--c-left-line); }
.lstm-roll .prompt.right { fill: var(--c-prompt-right); }
.lstm-roll .prompt.left { fill: var(--c-prompt-left); stroke: var(--c-prompt-left-line); }
"""


@dataclass(frozen=True)
class _Row:
    onset: float  # quarters, as the duration
    duration: float
    pitch: int
    kind: str


def x_of(quarters: float) -> float:
    """Give the x, in the units of the view box, of a time in quarters since the prompt's began, or the result's without."""
    return MARGIN + quarters * PIXELS_PER_QUARTER


def piano_roll(
    result: PieceNotes,
    title: str,
    prompt: PieceNotes | None = None,
    *,
    result_at_quarters: float = 0,
    bar_quarters: float = 4.0,
    bar_starts: Sequence[float] | None = None,
) -> str:
    """Draw a result, and the prompt before it where there is one; `title` is shown as text, whatever it holds.

    Both have their own time from 0 on; `result_at_quarters` is where the result's begins in that of the prompt,
    `bar_quarters` how long a bar is; or `bar_starts` says where each begins, in quarters. The root says where time lies:
    `data-start-x` is the x of the result's time 0, `data-pixels-per-quarter` how far a quarter is.
    """
    rows = [*([] if prompt is None else _rows(prompt, 0, "prompt")), *_rows(result, result_at_quarters, "result")]
    lowest = min(row.pitch for row in rows) - 2
    highest = max(row.pitch for row in rows) + 2
    end = max(row.onset + row.duration for row in rows)
    width = max(round(end * PIXELS_PER_QUARTER) + 2 * MARGIN, _MIN_WIDTH)
    height = TOP + (highest - lowest + 1) * PIXELS_PER_PITCH + MARGIN

    shown = escape(printable(title))  # XML has no place for control characters
    lines = [
        opening(width, height, x_of(result_at_quarters)),
        f"<title>{shown}</title>",
        f"<style>{roll_style()}</style>",
        f'<text class="name" x="{MARGIN}" y="18">{shown}</text>',
        *_legend(),
    ]
    lines += [
        f'<rect class="key" x="{MARGIN}" y="{_top(pitch, highest)}" width="{width - 2 * MARGIN}" height="{PIXELS_PER_PITCH}"/>'
        for pitch in range(lowest, highest + 1)
        if pitch % 12 in BLACK_KEYS
    ]
    first = min(row.onset for row in rows if row.kind.startswith("result"))
    if prompt is not None:
        lines.append(
            f'<rect class="shade" x="{MARGIN}" y="{TOP}" width="{x_of(first) - MARGIN:.1f}" height="{height - TOP - MARGIN}"/>'
        )
    if bar_starts is None:
        bar_starts = [bar * bar_quarters for bar in range(int(end / bar_quarters) + 1)]
    lines += [_vertical("bar", start, height) for start in bar_starts]
    lines += [_note(row, highest) for row in rows]
    if prompt is not None:
        lines.append(_vertical("border", first, height))
        lines.append(f'<text class="name" x="{x_of(first) + 4:.1f}" y="{height - 10}">result</text>')
        lines.append(f'<text class="name" x="{MARGIN}" y="{height - 10}">prompt</text>')
    return "\n".join([*lines, "</svg>", ""])


def opening(width: int, height: int, start_x: float, per_quarter: int = PIXELS_PER_QUARTER, more: str = "") -> str:
    """Open the root of a picture, which says where time lies; `more` are classes beside `lstm-roll`."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lstm-roll{more}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" data-start-x="{start_x:.2f}" data-pixels-per-quarter="{per_quarter}">'
    )


def roll_style() -> str:
    """Give the rules of the picture: its colours, light and dark, and what has them."""

    def variables(dark: bool) -> str:
        return " ".join(f"--c-{name}: var(--roll-{name}, {colours[dark]});" for name, colours in _COLOURS.items())

    dark = f"@media (prefers-color-scheme: dark) {{ .lstm-roll {{ {variables(dark=True)} }} }}"
    return f"\n.lstm-roll {{ {variables(dark=False)} }}\n{dark}{_RULES}"


def _legend() -> list[str]:
    return [
        f'<rect class="right" x="{MARGIN}" y="31" rx="1.5" width="18" height="{PIXELS_PER_PITCH}"/>',
        f'<text class="name" x="{MARGIN + 24}" y="37">right hand (filled)</text>',
        f'<rect class="left" x="{MARGIN + 130.5}" y="31.5" rx="1.5" width="17" height="{PIXELS_PER_PITCH - 1}"/>',
        f'<text class="name" x="{MARGIN + 154}" y="37">left hand (outlined)</text>',
    ]


def _top(pitch: int, highest: int) -> int:
    return TOP + (highest - pitch) * PIXELS_PER_PITCH


def _note(row: _Row, highest: int) -> str:
    """Draw a note; an outline lies half outside of its rectangle, so that one is smaller by it."""
    inset = 0.5 if row.kind.endswith("left") else 0.0
    width = max(row.duration * PIXELS_PER_QUARTER - 1, 1.5) - 2 * inset
    return (
        f'<rect class="{row.kind}" x="{x_of(row.onset) + inset:.1f}" y="{_top(row.pitch, highest) + inset:g}" rx="1.5" '
        f'width="{width:.1f}" height="{PIXELS_PER_PITCH - 2 * inset:g}"/>'
    )


def _rows(piece: PieceNotes, shift: float, kind: str) -> list[_Row]:
    """Give a row for each note, times in quarters, its kind with the hand that plays it."""
    notes = piece.notes
    onsets = notes["onset_ticks"] / piece.ticks_per_quarter + shift
    durations = notes["duration_ticks"] / piece.ticks_per_quarter
    columns = (onsets.tolist(), durations.tolist(), notes["pitch"].tolist(), split_hands(piece).tolist())
    return [
        _Row(onset, duration, pitch, f"{kind} right" if is_right else f"{kind} left")
        for onset, duration, pitch, is_right in zip(*columns, strict=True)
    ]


def _vertical(kind: str, quarters: float, height: int) -> str:
    x = x_of(quarters)
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - MARGIN}"/>'

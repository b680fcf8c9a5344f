"""A piano roll as SVG: time to the right, pitch upwards, the seed segment and the result told apart by shade and by a line."""

from xml.sax.saxutils import escape

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.text import printable

PIXELS_PER_QUARTER = 24
PIXELS_PER_PITCH = 5
MARGIN = 28
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})

STYLE = """
  svg { background: #fff; font: 11px system-ui, sans-serif; }
  .key { fill: #f1f3f5; } .bar { stroke: #ced4da; } .name { fill: #495057; }
  .seed { fill: #868e96; } .result { fill: #1864ab; } .border { stroke: #c92a2a; stroke-dasharray: 4 3; }
"""


def piano_roll(
    result: PieceNotes,
    title: str,
    seed: PieceNotes | None = None,
    *,
    result_at_quarters: int = 0,
    bar_quarters: float = 4.0,
) -> str:
    """Draw a result, and the seed segment before it where there is one; `title` is shown as text, whatever it holds.

    Both have their own time from 0 on; `result_at_quarters` is where the result's begins in that of the seed segment,
    `bar_quarters` how long a bar is.
    """
    rows = [*([] if seed is None else _rows(seed, 0, "seed")), *_rows(result, result_at_quarters, "result")]
    lowest = min(pitch for _, _, pitch, _ in rows) - 2
    highest = max(pitch for _, _, pitch, _ in rows) + 2
    end = max(onset + duration for onset, duration, _, _ in rows)
    width = round(end * PIXELS_PER_QUARTER) + 2 * MARGIN
    height = (highest - lowest + 1) * PIXELS_PER_PITCH + 2 * MARGIN

    shown = escape(printable(title))  # XML has no place for control characters

    def top(pitch: int) -> int:
        return MARGIN + (highest - pitch) * PIXELS_PER_PITCH

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{shown}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="name" x="{MARGIN}" y="18">{shown}</text>',
    ]
    lines += [
        f'<rect class="key" x="{MARGIN}" y="{top(pitch)}" width="{width - 2 * MARGIN}" height="{PIXELS_PER_PITCH}"/>'
        for pitch in range(lowest, highest + 1)
        if pitch % 12 in BLACK_KEYS
    ]
    lines += [_vertical("bar", bar * bar_quarters, height) for bar in range(int(end / bar_quarters) + 1)]
    lines += [
        f'<rect class="{kind}" x="{MARGIN + onset * PIXELS_PER_QUARTER:.1f}" y="{top(pitch)}" rx="1.5" '
        f'width="{max(duration * PIXELS_PER_QUARTER - 1, 1.5):.1f}" height="{PIXELS_PER_PITCH}"/>'
        for onset, duration, pitch, kind in rows
    ]
    if seed is not None:
        first = min(onset for onset, _, _, kind in rows if kind == "result")
        lines.append(_vertical("border", first, height))
        lines.append(
            f'<text class="name" x="{MARGIN + first * PIXELS_PER_QUARTER + 4:.1f}" y="{height - 10}">result</text>'
        )
        lines.append(f'<text class="name" x="{MARGIN}" y="{height - 10}">seed segment</text>')
    return "\n".join([*lines, "</svg>", ""])


def _rows(piece: PieceNotes, shift: int, kind: str) -> list[tuple[float, float, int, str]]:
    """Give (onset, duration, pitch, kind) of each note, times in quarters."""
    notes = piece.notes
    onsets = notes["onset_ticks"] / piece.ticks_per_quarter + shift
    durations = notes["duration_ticks"] / piece.ticks_per_quarter
    columns = (onsets.tolist(), durations.tolist(), notes["pitch"].tolist())
    return [(onset, duration, pitch, kind) for onset, duration, pitch in zip(*columns, strict=True)]


def _vertical(kind: str, quarters: float, height: int) -> str:
    x = MARGIN + quarters * PIXELS_PER_QUARTER
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{MARGIN}" y2="{height - MARGIN}"/>'

"""A piano roll of several parts as SVG: each has a colour and a pattern; drums are short marks in a lane of their own.

It is made as `lstm_music.rendering.piano_roll` makes that of the piano, of which it has the frame, and no ids. The notes of
part N are in the group of the class `part` with `data-part="N"`, counted from 0.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part
from lstm_music.midi.text import printable
from lstm_music.rendering.part_styles import NOTE_HEIGHT, SWATCH_HEIGHT, SWATCH_WIDTH, classes_of, part_style, swatch
from lstm_music.rendering.piano_roll import BLACK_KEYS, MARGIN, opening, roll_style

PIXELS_PER_QUARTER = 32
PIXELS_PER_PITCH = NOTE_HEIGHT + 1
PIXELS_PER_DRUM = 8
HIT_WIDTH = 3

_TITLE_HEIGHT = 28
_LEGEND_ROW = 18
_LANE_LABEL = 16
_PIXELS_PER_LETTER = 6.4  # of a font of 11 pixels; the room for a name need not be exact
_LONGEST_NAME = 40
_LEGEND_WIDTH = 560
_MIN_WIDTH = 320


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """Notes and whose they are: the index of each note's part, int64 [notes]; time 0 of the piece lies at `at_quarters`."""

    piece: PieceNotes
    of_note: npt.NDArray[np.int64]
    at_quarters: float = 0


@dataclass(frozen=True, slots=True)
class _Note:
    part: int
    onset: float  # quarters, as the duration
    duration: float
    pitch: int
    share: int = 1  # how many parts begin this pitch here: they share its height
    place: int = 0


def x_of(quarters: float) -> float:
    """Give the x, in the units of the view box, of a time in quarters."""
    return MARGIN + quarters * PIXELS_PER_QUARTER


def ensemble_roll(
    parts: Sequence[Part],
    result: Played,
    title: str,
    prompt: Played | None = None,
    *,
    bar_quarters: float = 4.0,
    bar_starts: Sequence[float] | None = None,
    has_legend: bool = True,
) -> str:
    """Draw a result, and the prompt before it where there is one; `title` and names are shown as text, whatever they hold.

    `bar_quarters` is how long a bar is, or `bar_starts` says where each begins, in quarters. Without a legend the page that
    shows the picture has to have one. The root says where time lies, as that of `piano_roll` does.
    """
    notes = _with_shares(parts, [*([] if prompt is None else _notes(prompt)), *_notes(result)])
    end = max(note.onset + note.duration for note in notes)
    first = min(note.onset for note in _notes(result))
    width = max(round(end * PIXELS_PER_QUARTER) + 2 * MARGIN, _MIN_WIDTH)
    legend = list(_legend(parts, width)) if has_legend else []
    frame = _Frame.around(
        parts, notes, width, _TITLE_HEIGHT + _LEGEND_ROW * (1 + max((y for _, y, _ in legend), default=-1))
    )
    if bar_starts is None:
        bar_starts = [bar * bar_quarters for bar in range(int(end / bar_quarters) + 1)]
    shown = escape(printable(title))
    lines = [
        opening(width, frame.height, x_of(result.at_quarters), PIXELS_PER_QUARTER, " lstm-parts"),
        f"<title>{shown}</title>",
        f"<style>{roll_style()}{part_style()}\n</style>",
        f'<text class="name" x="{MARGIN}" y="18">{shown}</text>',
        *(_entry(parts[index], index, x, y) for index, (x, y, _) in enumerate(legend)),
        *frame.background(None if prompt is None else x_of(first)),
        *(frame.vertical("bar", x_of(start)) for start in bar_starts),
        *(
            line
            for part in range(len(parts))
            for line in _group(part, [one for one in notes if one.part == part], frame)
        ),
    ]
    if prompt is not None:
        lines += [
            frame.vertical("border", x_of(first)),
            f'<text class="name" x="{x_of(first) + 4:.1f}" y="{frame.height - 10}">result</text>',
            f'<text class="name" x="{MARGIN}" y="{frame.height - 10}">prompt</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where pitches and drums lie. `lanes` has a row for each sound of a drum part: (part, pitch) → y."""

    width: int
    height: int
    top: int
    lowest: int
    highest: int
    lanes: dict[tuple[int, int], int]
    labels: dict[str, int]

    @classmethod
    def around(cls, parts: Sequence[Part], notes: Sequence[_Note], width: int, top: int) -> "_Frame":
        pitches = [note.pitch for note in notes if not parts[note.part].is_drum]
        lowest, highest = (min(pitches) - 2, max(pitches) + 2) if pitches else (0, -1)
        y = top + (highest - lowest + 1) * PIXELS_PER_PITCH
        lanes: dict[tuple[int, int], int] = {}
        labels: dict[str, int] = {}
        for index, part in enumerate(parts):
            sounds = sorted({note.pitch for note in notes if note.part == index}, reverse=True)
            if not part.is_drum or not sounds:
                continue
            labels[part.name] = y + _LANE_LABEL - 4
            lanes |= {(index, pitch): y + _LANE_LABEL + row * PIXELS_PER_DRUM for row, pitch in enumerate(sounds)}
            y += _LANE_LABEL + len(sounds) * PIXELS_PER_DRUM
        return cls(width, y + MARGIN, top, lowest, highest, lanes, labels)

    def y_of(self, note: _Note) -> float:
        if (note.part, note.pitch) in self.lanes:
            return self.lanes[note.part, note.pitch]
        return self.top + (self.highest - note.pitch) * PIXELS_PER_PITCH

    def background(self, shade_to: float | None) -> Iterator[str]:
        """Yield the black keys, every second row of a lane, the names of lanes, and the shade of a prompt."""
        across = f'x="{MARGIN}" width="{self.width - 2 * MARGIN}"'
        for pitch in range(self.lowest, self.highest + 1):
            if pitch % 12 in BLACK_KEYS:
                y = self.top + (self.highest - pitch) * PIXELS_PER_PITCH
                yield f'<rect class="key" {across} y="{y}" height="{PIXELS_PER_PITCH}"/>'
        for row, y in enumerate(self.lanes.values()):
            if row % 2 == 0:
                yield f'<rect class="key" {across} y="{y}" height="{PIXELS_PER_DRUM}"/>'
        if shade_to is not None:
            height = self.height - self.top - MARGIN
            yield f'<rect class="shade" x="{MARGIN}" y="{self.top}" width="{shade_to - MARGIN:.1f}" height="{height}"/>'
        for name, y in self.labels.items():
            yield f'<text class="name" x="{MARGIN}" y="{y}">{_shown(name)}</text>'

    def vertical(self, kind: str, x: float) -> str:
        return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{self.top}" y2="{self.height - MARGIN}"/>'


def _notes(played: Played) -> list[_Note]:
    notes, per_quarter = played.piece.notes, played.piece.ticks_per_quarter
    onsets = notes["onset_ticks"] / per_quarter + played.at_quarters
    columns = (played.of_note.tolist(), onsets.tolist(), (notes["duration_ticks"] / per_quarter).tolist())
    return [_Note(*values) for values in zip(*columns, notes["pitch"].tolist(), strict=True)]


def _with_shares(parts: Sequence[Part], notes: Sequence[_Note]) -> list[_Note]:
    """Let parts that begin the same pitch together share its height, so that none covers another."""
    at = {(note.onset, note.pitch, note.part) for note in notes if not parts[note.part].is_drum}
    share = Counter((onset, pitch) for onset, pitch, _ in at)

    def shared(note: _Note) -> _Note:
        if parts[note.part].is_drum:
            return note
        place = sum((note.onset, note.pitch, other) in at for other in range(note.part))
        return replace(note, share=share[note.onset, note.pitch], place=place)

    return [shared(note) for note in notes]


def _group(part: int, notes: Sequence[_Note], frame: _Frame) -> Iterator[str]:
    """Yield the group of a part: a rectangle for each note, then the dashes of all, which thin out where notes are thin."""
    yield f'<g class="part {classes_of(part)}" data-part="{part}">'
    marks: dict[int, list[str]] = {}
    for note in notes:
        x, y = x_of(note.onset), frame.y_of(note)
        if (part, note.pitch) in frame.lanes:
            yield f'<rect class="hit" x="{x:.1f}" y="{y + 0.5:g}" width="{HIT_WIDTH}" height="{NOTE_HEIGHT}"/>'
            continue
        height = NOTE_HEIGHT / note.share
        width = max(note.duration * PIXELS_PER_QUARTER - 1, 2.5)
        y += 0.5 + note.place * height
        yield (
            f'<rect class="note" x="{x + 0.5:.1f}" y="{y + 0.5:.4g}" width="{width - 1:.1f}" '
            f'height="{max(height - 1, 1):.4g}" rx="1.5"/>'
        )
        marks.setdefault(note.share, []).append(f"M{x + 1:.1f} {y + height / 2:.4g}h{max(width - 2, 0.5):.1f}")
    for share, path in marks.items():
        thin = "" if share == 1 else f' style="stroke-width: {max(NOTE_HEIGHT / share - 2, 1):.2g}; transform: none"'
        yield f'<path class="mark"{thin} d="{"".join(path)}"/>'
    yield "</g>"


def _legend(parts: Sequence[Part], width: int) -> Iterator[tuple[float, int, float]]:
    """Yield (x, row, width) of each entry; rows are filled from left to right, and are as long as can be seen at once."""
    x, row = 0.0, 0
    for part in parts:
        needed = SWATCH_WIDTH + 24 + _PIXELS_PER_LETTER * len(_short(part.name))
        if x and x + needed > min(width - 2 * MARGIN, _LEGEND_WIDTH):
            x, row = 0.0, row + 1
        yield MARGIN + x, row, needed
        x += needed


def _entry(part: Part, index: int, x: float, row: int) -> str:
    y = _TITLE_HEIGHT + row * _LEGEND_ROW
    return (
        f'<g transform="translate({x:.1f} {y})">{swatch(index, is_drum=part.is_drum)}'
        f'<text class="name" x="{SWATCH_WIDTH + 6}" y="{SWATCH_HEIGHT}">{_shown(part.name)}</text></g>'
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _shown(name: str) -> str:
    return escape(printable(_short(name)))

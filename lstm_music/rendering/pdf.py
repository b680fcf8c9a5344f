"""The pages that verovio drew, as a PDF: the few kinds of elements in its SVG are drawn one by one, each glyph stored once.

Groups, lines, curves, polygons, polylines, ellipses, rectangles, texts, and uses of glyphs; no gradients, no styles. The same
pages give the same bytes.
"""

import io
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from lstm_music.errors import RejectedInputError

_SVG = "{http://www.w3.org/2000/svg}"
_FONT = "DejaVuSerif"
_LABELS = {"label", "labelAbbr"}
_LABEL_MARGIN = (
    250  # units of verovio's page: names may reach so far into the left margin, where its own font is narrower
)
_STYLES = {"tempo": "-Bold", "mNum": "-Italic"}  # by the class of the group that a text stands in
_TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_CAPS = {"butt": 0, "round": 1, "square": 2}
_POINTS = {"L": 1, "C": 3, "S": 2}  # how many a command of a path takes


def score_pdf(pages: Sequence[str]) -> bytes:
    """Put the pages that `score_svg` drew into a PDF, each on a page of A4."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    for style in ("", *_STYLES.values()):
        pdfmetrics.registerFont(TTFont(_FONT + style, _font_file(style)))
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=A4, invariant=1, pageCompression=1)  # invariant: no dates, no chance
    for number, page in enumerate(pages):
        _Page(canvas, ET.fromstring(page), str(number)).draw(*A4)  # noqa: S314 (our own)
        canvas.showPage()
    canvas.save()
    return written.getvalue()


class _Page:
    """A page of verovio's, drawn on a canvas of ReportLab's."""

    def __init__(self, canvas: Any, root: ET.Element, name: str) -> None:
        self._canvas, self._root, self._name = canvas, root, name
        self._label_scale = 1.0

    def draw(self, width: float, height: float) -> None:
        inner = self._root.find(f"{_SVG}svg")
        if inner is None:
            raise RejectedInputError("a page of the score cannot be put into a PDF: it is no picture of verovio's")
        for glyph in self._root.iterfind(f"{_SVG}defs/{_SVG}g"):
            self._canvas.beginForm(self._form(glyph.get("id", "")), -9_999, -9_999, 9_999, 9_999)
            self._children(glyph)
            self._canvas.endForm()
        scale = width / float(inner.get("viewBox", "0 0 1 1").split()[2])
        self._canvas.transform(scale, 0, 0, -scale, 0, height)  # downwards, as in SVG
        self._label_scale = min((self._room(label) for label in self._labels(inner)), default=1.0)
        self._children(inner)

    def _labels(self, root: ET.Element) -> Iterator[ET.Element]:
        for group in root.iter(f"{_SVG}g"):
            if group.get("class") in _LABELS:
                yield from group.iterfind(f"{_SVG}text")

    def _room(self, label: ET.Element) -> float:
        """Return how large the name of a part can be drawn, at most 1, so that it does not leave the page."""
        width = float(self._canvas.stringWidth(" ".join("".join(label.itertext()).split()), _FONT, _font_size(label)))
        return min((float(label.get("x", "0")) + _LABEL_MARGIN) / max(width, 1.0), 1.0)

    def _form(self, name: str) -> str:
        return f"{self._name}-{name}"

    def _children(self, group: ET.Element) -> None:
        for element in group:
            kind = element.tag.removeprefix(_SVG)
            self._canvas.saveState()
            self._transform(element.get("transform", ""))
            if kind in {"g", "svg"}:
                self._children(element)
            elif kind == "use":
                self._canvas.doForm(self._form(element.get("href", "").removeprefix("#")))
            elif kind == "text":
                self._text(element, group.get("class", ""))
            else:
                self._shape(kind, element)
            self._canvas.restoreState()

    def _transform(self, text: str) -> None:
        for name, numbers in re.findall(r"(translate|scale)\(([^)]*)\)", text):
            getattr(self._canvas, name)(*_numbers(numbers))

    def _shape(self, kind: str, element: ET.Element) -> None:
        """Fill a shape, and draw its line where it has a width: all other lines are of no visible width."""
        width = float(element.get("stroke-width", "0"))
        self._canvas.setLineWidth(width)
        self._canvas.setLineCap(_CAPS[element.get("stroke-linecap", "butt")])
        how = {"stroke": int(width > 0), "fill": int(element.get("fill") != "none")}
        if kind in {"ellipse", "rect"}:
            getattr(self._canvas, kind)(*_box(kind, element), **how)
            return
        path = self._canvas.beginPath()
        data = element.get("d") or _polygon(kind, element)
        for command, points in _absolute(data):
            if command == "M":
                path.moveTo(*points)
            elif command == "L":
                path.lineTo(*points)
            elif command == "C":
                path.curveTo(*points)
            else:
                path.close()
        self._canvas.drawPath(path, **how)

    def _text(self, element: ET.Element, kind: str) -> None:
        """Write the parts of a text that have a place of their own."""
        font, scale = _FONT + _STYLES.get(kind, ""), self._label_scale if kind in _LABELS else 1.0
        for part in [part for part in element.iter() if part.get("y")] or [element]:
            x, y = (float(part.get(name, element.get(name, "0"))) for name in ("x", "y"))
            size = _font_size(part)
            self._canvas.saveState()
            self._canvas.transform(1, 0, 0, -1, x, y)
            self._canvas.setFont(font, size * scale)
            write = {"middle": self._canvas.drawCentredString, "end": self._canvas.drawRightString}
            anchor = part.get("text-anchor", element.get("text-anchor", "start"))
            write.get(anchor, self._canvas.drawString)(0, 0, " ".join("".join(part.itertext()).split()))
            self._canvas.restoreState()


def _font_size(text: ET.Element) -> float:
    return max((float(one.get("font-size", "0px").removesuffix("px")) for one in text.iter()), default=0.0)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in _TOKEN.findall(text)]


def _box(kind: str, element: ET.Element) -> list[float]:
    """Give the two corners of an ellipse's box, or a rectangle's corner and size: what ReportLab asks for."""
    if kind == "rect":
        return [float(element.get(name, "0")) for name in ("x", "y", "width", "height")]
    x, y, across, down = (float(element.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
    return [x - across, y - down, x + across, y + down]


def _polygon(kind: str, element: ET.Element) -> str:
    points = re.sub(r"\s+", " L", element.get("points", "").strip())
    return f"M{points}{'z' if kind == 'polygon' else ''}"


def _absolute(data: str) -> Iterator[tuple[str, list[float]]]:
    """Read the path of SVG 1.1, section 8.3, as moves, lines, cubic curves and closings with absolute points."""
    tokens = _TOKEN.findall(data)
    at, start, control, command = (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), "M"
    place = 0
    while place < len(tokens):
        if tokens[place].isalpha():
            command, place = tokens[place], place + 1
        kind = command.upper()
        base = at if command.islower() else (0.0, 0.0)
        if kind == "Z":
            yield "Z", []
            at = control = start
            continue
        if kind in {"H", "V"}:
            moved = float(tokens[place])
            points = [(base[0] + moved, at[1])] if kind == "H" else [(at[0], base[1] + moved)]
            kind, place = "L", place + 1
        else:
            count = 2 * _POINTS.get(kind, 1)
            values = [float(token) for token in tokens[place : place + count]]
            points = [(base[0] + x, base[1] + y) for x, y in zip(values[::2], values[1::2], strict=True)]
            place += count
        if kind == "S":
            points, kind = [(2 * at[0] - control[0], 2 * at[1] - control[1]), *points], "C"
        yield kind, [value for point in points for value in point]
        at, control = points[-1], points[-2] if kind == "C" else points[-1]
        if kind == "M":
            start, command = at, "l" if command == "m" else "L"  # what follows a move without a command is a line


def _font_file(style: str) -> str:
    """Find a font that matplotlib carries, for titles in more than the Latin alphabet; matplotlib is not imported."""
    package = find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{_FONT}{style}.ttf")

"""What the templates of the pages write: bytes as addresses, pictures, times, sizes and numbers."""

import math
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_music.midi.text import printable

if TYPE_CHECKING:
    from markupsafe import Markup


def text_of(name: str) -> str:
    """Read a file that lies beside this module."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def markup(text: str) -> "Markup":
    """Mark text as HTML, which a template takes as it is."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 (text of this package, base64 and pictures made by it)


def data_uri(data: bytes, mime: str) -> "Markup":
    """Give bytes as an address that holds them."""
    from markupsafe import Markup

    return Markup("data:{};base64,").format(printable(mime)) + markup(b64encode(data).decode("ascii"))


def picture(svg: str) -> "Markup":
    """Take the root of a picture without what XML files begin with, which HTML has no place for."""
    start = svg.find("<svg")
    if start < 0:
        raise ValueError(f"not an SVG picture: it begins with {svg[:40]!r}")
    return markup(svg[start:].strip())


def clock(seconds: float) -> str:
    """Write a duration as the browsers' players do, which round down."""
    minutes, rest = divmod(int(seconds + 1e-6), 60)
    return f"{minutes}:{rest:02d}"


def size(data: bytes) -> str:
    """Write a size as file managers do."""
    kilobytes = len(data) / 1000
    return f"{kilobytes / 1000:.1f} MB" if kilobytes >= 1000 else f"{max(kilobytes, 0.1):.{int(kilobytes < 10)}f} kB"


def number(value: float) -> str:
    """Write a number in a few digits."""
    if math.isnan(value):
        return "not defined"
    return f"{value:.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.2f}"

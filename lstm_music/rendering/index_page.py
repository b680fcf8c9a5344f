"""The index of all generations in a storage: a page that shows, plays and leads to them.

It plays the audio files beside it, and fetches nothing else. Names and settings are shown as text, whatever they hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from lstm_music.rendering.listening_page import page_environment
from lstm_music.rendering.page_filters import markup
from lstm_music.rendering.part_styles import classes_of, part_style
from lstm_music.rendering.thumbnail import HEIGHT, WIDTH


@dataclass(frozen=True, slots=True)
class Preview:
    """A result in the index: its thumbnail as path data of an SVG, and the relative path of its audio; "" for none.

    That of an ensemble is a path for each part.
    """

    thumbnail: str | Sequence[str] = ""
    audio: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """An entry of the index.

    `made` is the local time it was begun, `link` the path of its listening page from the index's folder on, with `/`.
    Of its `results` pieces the first few have a preview.
    """

    name: str
    recipe: str
    made: datetime
    settings: str
    results: int
    link: str
    previews: Sequence[Preview] = ()


def index_page(entries: Sequence[Generation], title: str = "Generated music") -> str:
    """Write the index as HTML, to be encoded as UTF-8, in the order of the entries; the same entries give the same text.

    Raises ValueError for a link that is not a relative path.
    """
    environment = page_environment()
    environment.filters.update(relative=_relative, date=_date, pieces=_pieces, part_classes=classes_of)
    has_parts = any(not isinstance(preview.thumbnail, str) for entry in entries for preview in entry.previews)
    return environment.get_template("index_page.html.jinja").render(
        entries=entries,
        title=title,
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        part_style=markup(part_style()) if has_parts else "",
    )


def _relative(path: str) -> str:
    """Quote a path for a link: a colon too, so that it never begins with a scheme."""
    if not path or PurePosixPath(path).is_absolute():
        raise ValueError(f"link of the index: expected a relative path, got {path!r}")
    return quote(path, errors="surrogateescape")


def _date(when: datetime) -> str:
    return f"{when.day} {when:%B %Y, %H:%M}"


def _pieces(count: int, more: str = "") -> str:
    return f"{count} {more}piece{'' if count == 1 else 's'}"

"""The index of all generations in a storage: a page that leads to their listening pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from lstm_music.rendering.listening_page import page_environment


@dataclass(frozen=True, slots=True)
class Generation:
    """A row of the index. `link` is the path of the listening page from the index's folder on, with `/`; `made` says when."""

    title: str
    recipe: str
    made: str
    random_seed: int
    results: int
    link: str


def index_page(rows: Sequence[Generation], title: str = "Generated music") -> str:
    """Write the index as HTML, to be encoded as UTF-8, in the order of the rows; the same rows give the same text.

    Raises ValueError for a link that is no relative path.
    """
    environment = page_environment()
    environment.filters["relative"] = _relative
    return environment.get_template("index_page.html.jinja").render(rows=rows, title=title)


def _relative(path: str) -> str:
    """Quote a path for a link: a colon too, so that it never begins with a scheme."""
    if not path or PurePosixPath(path).is_absolute():
        raise ValueError(f"a link of the index is a relative path; received {path!r}")
    return quote(path, errors="surrogateescape")

"""The composing page: one HTML file with models and sounds inside, which opens from the disk and fetches nothing.

Its scripts are the modules in `engine` and `page`, joined into one for the page and one for its worker. The browser may run the
page's script only, by its digest, and the worker that the page makes of the other one.
"""

import gzip
import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.midi.text import printable
from lstm_music.rendering.page_filters import markup, text_of

ENGINE = (
    *(
        "exact",
        "names",
        "lstm",
        "inputs",
        "layout",
        "experts",
        "model",
        "guidance",
        "shapes",
        "runs",
        "echo",
        "own_echo",
    ),
    *("guess", "grammar", "loop_guard", "parallels", "sampling", "conditioning", "rails", "ending", "tables", "engine"),
)
"""The modules of the engine, each behind those that it needs."""
WORKER = ("packed", "random", "rewriting", "worker")
PAGE = (
    *("packed", "rows", "music", "midi_writer", "note_values", "musicxml", "midi_reader", "encoding", "sound", "roll"),
    *("history", "settings", "session", "opening", "marking", "view", "player", "composer", "studio", "bars"),
    *("keyboard", "listeners", "main"),
)
"""The modules of the page, each behind those that it needs; likewise those of its worker."""

PIECE = 1 << 20
"""The tables are in the page in pieces of so many bytes: the worker unpacks one while the browser reads the next."""

_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class)\b)", re.MULTILINE)
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Studio:
    """A page: its title, the `facts` that its script reads, the `tables` of the engine, and `sounds`, both in blocks of bytes."""

    title: str
    facts: Mapping[str, Any]
    tables: bytes
    sounds: bytes


def studio_page(studio: Studio) -> str:
    """Write the page as HTML, to be encoded as UTF-8; the same contents give the same text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = page_script()
    return environment.get_template("studio.html.jinja").render(
        title=printable(studio.title),
        facts=studio.facts,
        style=markup(text_of("page.css") + _text("studio.css")),
        script=markup(script),
        script_hash=_digest(script),
        worker=markup(worker_script()),
        tables=[
            markup(_packed(studio.tables[start : start + PIECE]))
            for start in range(0, max(len(studio.tables), 1), PIECE)
        ],
        size=len(studio.tables),
        sounds=markup(_packed(studio.sounds)),
    )


def page_script() -> str:
    """The script of the page."""
    return joined("page", PAGE)


def worker_script() -> str:
    """The script of the worker: the engine, and what answers the page."""
    return joined("engine", ENGINE) + joined("page", WORKER)


def joined(folder: str, modules: Sequence[str]) -> str:
    """Join modules into one script, without what they import from each other and export.

    Raises ValueError for a module that could end the element it stands in.
    """
    text = "".join(_text(f"{folder}/{name}.js") for name in modules)
    if "</script" in text or "<!--" in text:
        raise ValueError("expected scripts without '</script' and '<!--'")
    return _EXPORT.sub("", _IMPORT.sub("", text))


def _packed(data: bytes) -> str:
    return b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")


def _digest(script: str) -> str:
    """Give the name by which a Content-Security-Policy allows one script (CSP level 3, section 2.3.1)."""
    return "sha256-" + b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")

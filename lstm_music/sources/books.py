"""Tune books: an ABC file with several tunes is as many inputs, each with bytes, a name and a credit of its own.

A book is divided as the ABC standard 2.1 says: a tune begins at a line `X:` (2.2.1), fields before the first one are the
file header and hold for every tune (2.2.2), and other text between tunes belongs to none (2.2.3). The bytes of a tune are
the file header and the tune, unchanged, so the same tune has the same SHA-256 wherever it lies in the book.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from lstm_music.errors import SourceError
from lstm_music.midi.text import decode_text, printable
from lstm_music.sources.entry import MAX_FILE_BYTES, Credit, Entry, Found, Refused, music_format

MOST_TUNES = 100_000
_SHOWN = 3  # tunes that a sentence names
_MOST_BYTES = 4 * MAX_FILE_BYTES  # of all tunes of a book together: each repeats the file header
_MOST_CHARACTERS = 80  # of a title in a name, and of a credit
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BLOCK = re.compile(rb"%%(begin|end)(\w+)")
_HEADER = re.compile(rb"[ABCDFGHILMNOQRSUZmr]:|%")  # a file header has no title, key or voice
_KEY = re.compile("^K:", re.MULTILINE)
_FIELD = re.compile(r"^([XTCSBO]):(.*)$", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)%.*")


def pieces_of(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of a source with each book as its tunes, named such as `book.abc/12 Title.abc`.

    A file of one tune keeps its name and its bytes.
    """
    for entry in entries:
        if isinstance(entry, Found) and music_format(entry.name) == "abc":
            yield from _tunes_of(entry)
        else:
            yield entry


def one_tune(file: Found, wanted: str = "") -> Found:
    """Return the tune of an ABC file with this number or name; a file of one tune needs none.

    Raises SourceError, which names some of the tunes, for a book without a choice and for a choice that is not in it.
    """
    tunes = [tune for tune in pieces_of([file]) if isinstance(tune, Found)]
    names = [tune.name.removeprefix(f"{file.name}/").removesuffix(".abc") for tune in tunes]
    if not tunes or (len(tunes) == 1 and not wanted):
        return file
    matching = [
        tune
        for tune, name in zip(tunes, names, strict=True)
        if wanted.removesuffix(".abc") in (name, name.split(" ", 1)[0])
    ]
    if len(matching) == 1:
        return matching[0]
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    found = f"got {wanted!r}, which names {len(matching) or 'none'} of them" if wanted else "got the whole book"
    raise SourceError(
        f"{file.name}: expected one of its {len(tunes):,} tunes, such as {file.name}/{names[0]} ({shown}), {found}"
    )


def tune_names(data: bytes) -> list[str]:
    """Return number and title of each tune of an ABC file, such as `12 Title`."""
    names = []
    for place, (start, end) in enumerate(_extents(data), start=1):
        fields = _fields(data[start:end])
        titles = [title for title in fields.get("T", []) if title]
        number = next((number for number in fields["X"] if number.isdecimal()), str(place))
        names.append(_short(" ".join([number, *titles[:1]])))
    return names


def credit_of(found: Found, of_source: Credit) -> Credit:
    """Give the credit of a piece: a tune names its composer (C:), and where it is from (S:, B:, O:)."""
    if music_format(found.name) != "abc":
        return of_source
    fields = _fields(found.data)
    composer = _short(", ".join(text for text in fields.get("C", []) if text))
    origin = _short("; ".join(text for kind in "SBO" for text in fields.get(kind, []) if text))
    return replace(
        of_source,
        composer=composer or of_source.composer,
        source=f"{of_source.source}: {origin}" if origin else of_source.source,
    )


def _tunes_of(book: Found) -> Iterator[Entry]:
    data = book.data
    extents = _extents(data)
    if len(extents) < 2:
        yield book
        return
    header = _file_header(data[: extents[0][0]])
    if len(extents) > MOST_TUNES:
        yield Refused(book.name, f"is a book of more than {MOST_TUNES:,} tunes; divide it")
    elif len(data) + len(header) * len(extents) > _MOST_BYTES:
        yield Refused(
            book.name, f"is a book whose tunes, each with the file header, have more than {_MOST_BYTES:,} bytes"
        )
    else:
        for name, (start, end) in zip(_unique(tune_names(data)), extents, strict=True):
            tune = header + _without_text_behind(data[start:end]) + b"\n"
            yield Found(f"{book.name}/{name}.abc", tune, book.name)


def _extents(data: bytes) -> list[tuple[int, int]]:
    """Return the first byte of each tune, and of what follows it. A line `X:` in a text block begins no tune."""
    if data.count(b"X:") == 0:
        return []
    lines = [match.span() for match in _LINE.finditer(data, len(codecs.BOM_UTF8) * data.startswith(codecs.BOM_UTF8))]
    ends: dict[bytes, int] = {}
    for number, (start, end) in enumerate(lines):
        if (match := _BLOCK.match(data, start, end)) and match[1] == b"end":
            ends[match[2]] = number
    starts: list[int] = []
    block = b""
    for number, (start, end) in enumerate(lines):
        match = _BLOCK.match(data, start, end)
        if match and match[1] == b"begin" and not block and ends.get(match[2], -1) > number:
            block = match[2]
        elif match and match[1] == b"end" and match[2] == block:
            block = b""
        elif not block and data.startswith(b"X:", start):
            starts.append(start)
    return list(pairwise([*starts, len(data)]))


def _without_text_behind(tune: bytes) -> bytes:
    """Return a tune without the free text behind it: paragraphs without a bar line, of which the first is always kept.

    A tune ends at an empty line, but what looks like music behind one stays, so that the reader can say that it left it out.
    """
    end, has_music = 0, True
    for match in _LINE.finditer(tune):
        line = match[0].strip()
        if not line:
            has_music = False
        has_music = has_music or b"|" in line or line.startswith(b"K:")
        end = match.end() if has_music and line else end
    return tune[:end].rstrip()


def _file_header(before: bytes) -> bytes:
    """Return the fields and directives at the start of a book; what stands there besides is free text."""
    kept = []
    for match in _LINE.finditer(before.removeprefix(codecs.BOM_UTF8)):
        if not match[0].strip():
            break
        if _HEADER.match(match[0]):
            kept.append(match[0].rstrip() + b"\n")
    return b"".join(kept) + b"\n" if kept else b""


def _fields(tune: bytes) -> dict[str, list[str]]:
    """Return the values of the fields that name and credit a tune, up to its field K:, behind which is music.

    The fields of the file header, before X:, hold where the tune has none of their kind.
    """
    text = _KEY.split(re.sub(r"\r\n?", "\n", decode_text(tune)), 1)[0]
    header, number, own = text.partition("X:") if text.startswith("X:") else text.partition("\nX:")
    found: dict[str, list[str]] = {}
    for part in (header, f"X:{own}") if number else (text,):
        values: dict[str, list[str]] = {}
        for kind, value in _FIELD.findall(part):
            values.setdefault(kind, []).append(_COMMENT.sub("", value).strip())
        found |= values
    return found


def _short(text: str) -> str:
    """Make the text of a field safe for a name or a table: one line, printable, no slash, not too long."""
    shown = " ".join(printable(text).replace("/", "-").replace("\\", "").split())
    return shown if len(shown) <= _MOST_CHARACTERS else shown[: _MOST_CHARACTERS - 1].rstrip() + "…"


def _unique(names: Sequence[str]) -> list[str]:
    """Number the names that occur again: `1 Reel`, `1 Reel (2)`."""
    taken = set(names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        chosen = name
        while seen[name] > 1 and chosen in taken:
            chosen = f"{name} ({seen[name]})"
            if chosen in taken:
                seen[name] += 1
        taken.add(chosen)
        unique.append(chosen)
    return unique

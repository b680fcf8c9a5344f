"""The text of one ABC tune → its fields and its lines of music, without comments and text blocks (ABC 2.1, section 2.2)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lstm_music.errors import RejectedInputError

MUSIC, DIRECTIVE = "music", "%%"
MOST_CHARACTERS = 1_000_000  # the reader takes some seconds for them
BAR_SIGN = "|"
_FIELD = re.compile(r"([A-Za-z+]):(?![|:])\s*(.*)")  # `G:|` is a note before a repeat sign
_COMMENT = re.compile(r"(?<!\\)%.*")
_BLOCK = re.compile(r"%%(begin|end)(\w+)")
_IGNORED = frozenset("ABCDFGHNORSTWXZdrsw")  # fields that say nothing about the notes


class Line(NamedTuple):
    """A line of a tune: `kind` is the letter of a field, "%%" for a directive, or "music"."""

    kind: str
    text: str
    number: int  # from 1


@dataclass
class TuneLines:
    """The lines of a tune: `header` holds fields and directives up to the field K:, `body` what follows."""

    header: list[Line] = field(default_factory=list)
    body: list[Line] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_lines(text: str) -> TuneLines:
    """Divide the text of one tune, which a file header may precede. Raises RejectedInputError for a book of several tunes.

    A tune ends at an empty line (2.2.4). An empty line before the first music does not end it: its writer did not mean that.
    A text without a field X: is one tune, too, if it has a field K: (a fragment, 2.3.1).
    """
    if len(text) > MOST_CHARACTERS:
        raise RejectedInputError(
            f"is too long a text: expected at most {MOST_CHARACTERS:,} characters, got {len(text):,}"
        )
    raw = text.split("\n")
    tunes = [number for number in outside_blocks(raw) if raw[number].startswith("X:")]
    if len(tunes) > 1:
        raise RejectedInputError(
            f"is a book of {len(tunes):,} tunes; copy the tune that you mean, from its line X: to the next empty line, into "
            "a file of its own"
        )
    if not tunes and not any(line.startswith("K:") for line in raw):
        raise RejectedInputError("holds no ABC tune: expected the fields X: and K: at the start of lines")
    found = TuneLines()
    file_header, tune = (raw[: tunes[0]], raw[tunes[0] :]) if tunes else ([], raw)
    for line in _lines(file_header, 1):
        if line is not None and line.kind != MUSIC:
            found.header.append(line)
    _read_tune(list(_lines(tune, len(file_header) + 1)), found)
    return found


def outside_blocks(raw: Sequence[str]) -> Iterator[int]:
    """Yield the numbers, from 0, of the lines outside of text blocks: from `%%begintext` to `%%endtext`, and others like it.

    A block without an end is none, or it would hide all music behind it.
    """
    ends = {match[2]: number for number, line in enumerate(raw) if (match := _BLOCK.match(line)) and match[1] == "end"}
    open_block = ""
    for number, line in enumerate(raw):
        match = _BLOCK.match(line)
        if match and not open_block and match[1] == "begin" and ends.get(match[2], -1) > number:
            open_block = match[2]
        elif not open_block:
            yield number
        elif match and match[1] == "end" and match[2] == open_block:
            open_block = ""


def _lines(raw: Sequence[str], first: int) -> Iterator[Line | None]:
    """Yield the lines of a part of a file; None for an empty one. Comments are left out, continued fields joined."""
    kept: Line | None = None
    for number in outside_blocks(raw):
        line = _line(raw[number], first + number)
        if line is not None and line.kind == "+":
            if kept is not None and kept.kind not in (MUSIC, DIRECTIVE):
                kept = kept._replace(text=f"{kept.text} {line.text}")
            continue
        if line is not None and not line.text and line.kind == MUSIC:
            continue  # a comment: no empty line
        if kept is not None:
            yield kept
        kept = line
        if line is None:
            yield None
    if kept is not None:
        yield kept


def _line(raw: str, number: int) -> Line | None:
    if not raw.strip():
        return None
    if raw.startswith("%%"):
        return Line(DIRECTIVE, raw[2:].strip(), number)
    if raw.startswith("I:"):
        return Line(DIRECTIVE, _COMMENT.sub("", raw[2:]).strip(), number)
    text = _COMMENT.sub("", raw).rstrip()
    match = _FIELD.match(text)
    return Line(match[1], match[2].strip(), number) if match else Line(MUSIC, text.removesuffix("\\"), number)


def _read_tune(lines: Sequence[Line | None], found: TuneLines) -> None:
    has_key = any(line is not None and line.kind == "K" for line in lines)
    if not has_key:
        found.warnings.append("has no field K:, so it is read in C major")
    in_header, left_out, is_over = True, 0, False
    for line in lines:
        if line is None:
            is_over = is_over or any(known.kind == MUSIC for known in found.body)
        elif is_over:
            left_out += line.kind == MUSIC and BAR_SIGN in line.text
        elif in_header and line.kind != MUSIC:
            found.header.append(line)
            in_header = line.kind != "K"
        elif line.kind == MUSIC and in_header and has_key:
            found.warnings.append(f"has a line between its fields that is left out (line {line.number})")
        elif line.kind not in _IGNORED:
            in_header = False
            found.body.append(line)
    if left_out:
        lines_of = "1 line" if left_out == 1 else f"{left_out:,} lines"
        found.warnings.append(
            f"ends at an empty line; {lines_of} of music behind it {'is' if left_out == 1 else 'are'} left out"
        )

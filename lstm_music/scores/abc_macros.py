"""Macros of ABC: the field m: replaces text in the music behind it (ABC 2.1, section 9)."""

import re
from functools import partial

from lstm_music.errors import RejectedInputError

_MOST_CHARACTERS = 1 << 20  # of a tune; a few macros could make more of it than any memory holds
_MOST_MACROS = 50
_NOTES = "CDEFGABcdefgab"
_PLACES = "hijklmnopqrstuvwxyz"  # in a transposing macro n is the note itself, m the one below it, o the one above


class Macros:
    """The macros that are defined so far."""

    def __init__(self) -> None:
        self._static: dict[str, str] = {}
        self._transposing: list[tuple[re.Pattern[str], str]] = []
        self._left = _MOST_CHARACTERS

    def define(self, text: str) -> None:
        """Add a macro, such as `~G2 = {A}G{F}G` or, for every note, `~n2 = {o}n{m}n`."""
        target, _, meaning = (part.strip() for part in text.partition("="))
        if not target or len(self._static) + len(self._transposing) == _MOST_MACROS:
            return
        if "n" in target:
            pattern = re.escape(target).replace("n", r"([A-Ga-g])([,']*)", 1)
            self._transposing.append((re.compile(pattern + r"(?![\d/])"), meaning))
        else:
            self._static[target] = meaning

    def expand(self, line: str) -> str:
        """Return a line of music with what its macros mean. Raises RejectedInputError if that is too much."""
        for target, meaning in self._static.items():
            if target in line:
                self._spend(line.count(target) * len(meaning))
                end = r"(?![\d/])" if target[-1].isalnum() else ""  # `~G` is no part of `~G2`
                line = re.sub(re.escape(target) + end, partial(_meaning, meaning), line)
        for pattern, meaning in self._transposing:
            if pattern.search(line):
                self._spend(len(pattern.findall(line)) * 4 * len(meaning))
                line = pattern.sub(partial(_transposed, meaning), line)
        return line

    def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise RejectedInputError("has macros (m:) that make too much of it")


def _meaning(meaning: str, _match: re.Match[str]) -> str:
    return meaning


def _transposed(meaning: str, match: re.Match[str]) -> str:
    """Put the notes around the one that was found for the letters h to z."""
    letter, octaves = match[1], match[2].count("'") - match[2].count(",")
    place = _NOTES.index(letter) + 7 * octaves
    return "".join(
        _note(place + _PLACES.index(char) - _PLACES.index("n")) if char in _PLACES else char for char in meaning
    )


def _note(place: int) -> str:
    octaves, step = divmod(place, 7)
    if octaves <= 0:
        return _NOTES[step] + "," * -octaves
    return _NOTES[7 + step] + "'" * (octaves - 1)

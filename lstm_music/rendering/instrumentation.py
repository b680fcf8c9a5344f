"""The parts of an ensemble in a score: how each is written, in which order they stand, and how they are called."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstm_music.midi.general_midi import PROGRAMS, family_of
from lstm_music.midi.parts import Part
from lstm_music.rendering.instrument_styles import (
    BAND,
    DRUMS,
    ORCHESTRA,
    OTHER_FAMILIES,
    OTHERS,
    SINGERS,
    STRINGS,
    STYLES,
    Style,
    Transposition,
)
from lstm_music.scores.instruments import named_program

_VOICES = frozenset({"choir aahs", "voice oohs", "synth voice"})
_SECTIONS = frozenset(
    {
        "tremolo strings",
        "pizzicato strings",
        "string ensemble 1",
        "string ensemble 2",
        "synth strings 1",
        "synth strings 2",
    }
    | {"brass section", "synth brass 1", "synth brass 2"}
)
_UNSPECIFIC = frozenset({"acoustic grand piano", *_VOICES, *_SECTIONS})  # programs that files give to any instrument
_LONGEST_FILE_NAME = 40
_NUMBER = re.compile(r"\s*(\d+|[IVX]+)\.?$")
_ORDER = {style: place for place, style in enumerate([*STYLES.values(), *SINGERS.values()])}


def style_of(part: Part) -> Style:
    """Return how a part is written: by its program; by its name where that says more, as of a viola with a string section's."""
    if part.is_drum:
        return DRUMS
    program = PROGRAMS[part.program]
    if program in _UNSPECIFIC:
        singer = SINGERS.get(_without_number(part.name).casefold())
        if singer is not None and program not in _SECTIONS:
            return singer
        named = named_program(part.name)
        program = program if named is None else PROGRAMS[named]
    return STYLES.get(program) or OTHER_FAMILIES.get(family_of(PROGRAMS.index(program)), OTHERS)


def score_order(parts: Sequence[Part]) -> list[int]:
    """Return the indices of parts in the order of a score: by family, then by instrument; equals keep their order.

    Players and conductors look for an instrument at its usual place, so the order of a model's parts counts only between
    equal instruments.
    """
    styles = [style_of(part) for part in parts]
    families = ORCHESTRA if any(style.family == STRINGS for style in styles) else BAND
    return sorted(
        range(len(parts)), key=lambda one: (families.index(styles[one].family), _ORDER.get(styles[one], len(_ORDER)))
    )


def full_names(parts: Sequence[Part]) -> list[str]:
    """Return the names before the first system: a transposing instrument says its key, as "Clarinet in B♭ 1"."""
    return [_with_key(part.name, style_of(part).transposition.key) for part in parts]


def abbreviations(parts: Sequence[Part]) -> list[str]:
    """Return the names before the other systems, all distinct where the parts' names are.

    They are the instrument's with the part's number, as "Vln. 1"; those of parts that share one come from their names.
    """
    short = [_numbered(style_of(part).abbreviation, part.name) for part in parts]
    return [one if short.count(one) == 1 else _shortened(part.name) for part, one in zip(parts, short, strict=True)]


def file_names(parts: Sequence[Part]) -> list[str]:
    """Return names for files: lower case, digits and underscores, all distinct, such as "violin_1"."""
    plain = [unicodedata.normalize("NFKD", part.name.casefold()).encode("ascii", "ignore").decode() for part in parts]
    return list(_distinct([re.sub(r"[^a-z0-9]+", "_", name).strip("_")[:_LONGEST_FILE_NAME] for name in plain]))


def written_key(sharps: int, transposition: Transposition) -> tuple[int, Transposition]:
    """Return the sharps that a player reads for a sounding key, and the transposition from that key.

    A key of more than six accidentals is exchanged for its enharmonic one of fewer: B major is A-flat major for an alto
    saxophone, not G-sharp major, so that the step of the transposition changes.
    """
    if not transposition.semitones:
        return sharps, transposition
    moved = sharps - (7 * transposition.semitones - 12 * transposition.steps)
    if moved > 6:
        return moved - 12, replace(transposition, steps=transposition.steps - 1)
    if moved < -6:
        return moved + 12, replace(transposition, steps=transposition.steps + 1)
    return moved, transposition


def _without_number(name: str) -> str:
    return _NUMBER.sub("", name).strip()


def _with_key(name: str, key: str) -> str:
    if not key or re.search(r"\bin [A-G]", name):
        return name
    own = _without_number(name)
    return f"{own} in {key}{name[len(own) :]}"


def _numbered(abbreviation: str, name: str) -> str:
    number = _NUMBER.search(name)
    return f"{abbreviation} {number[1]}" if number else abbreviation


def _shortened(name: str) -> str:
    """Shorten the words of a name: "Lead Guitar 2" is "Lead Guit. 2"."""
    return " ".join(word if len(word) <= 5 else f"{word[:4]}." for word in name.split())


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """Yield names, with a number where one is empty or was there before."""
    taken: set[str] = set()
    for place, name in enumerate(names, start=1):
        wanted, count = name or f"player_{place}", 2
        distinct = wanted
        while distinct in taken or (distinct != name and distinct in names):
            distinct, count = f"{wanted}_{count}", count + 1
        taken.add(distinct)
        yield distinct

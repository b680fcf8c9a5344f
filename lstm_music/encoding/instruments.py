"""The instrument that a person names: a program of General MIDI by its name, its number, its family or the name on a score.

It may be asked for one part each: `soprano=flute, alto=oboe`.
"""

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lstm_music import faults
from lstm_music.encoding.parts import CHOIR, USUAL_PROGRAMS, VOICES, named_parts, player_of, spelled
from lstm_music.errors import RecipeError
from lstm_music.midi.general_midi import DRUMS, FAMILIES, PROGRAMS
from lstm_music.scores.instruments import program_called

if TYPE_CHECKING:
    from lstm_music.encoding.event_spec import EventSpec

_PLAYS_A_FAMILY = {**dict(zip(FAMILIES, USUAL_PROGRAMS, strict=True)), "strings": PROGRAMS.index("string ensemble 1")}
_DRUMS = frozenset({"drum", DRUMS, "drum set", "drum kit", "percussion"})
_MOST_SUGGESTED = 3
_ONE_EACH = "expected one instrument, or one for each part, such as soprano=flute,alto=oboe"


def program_of(text: str) -> int:
    """Return the program, from 0, of an instrument: `violin`, `strings`, `string ensemble 1`, or 49, which counts from 1.

    Names are those of General MIDI, its families and scores; part of a name means the first program that has its words:
    `nylon` is the acoustic guitar (nylon). Raises RecipeError for a name of no instrument, and for drums.
    """
    name = " ".join(text.casefold().split())
    if name.isdecimal() and len(name) <= 3 and 1 <= int(name) <= len(PROGRAMS):
        return int(name) - 1
    if name in _DRUMS:
        raise RecipeError("expected an instrument with pitches (add_drums adds a drum part)")
    for found in (_by_its_name(name), program_called(spelled(name)), _by_words(name)):
        if found is not None:
            return found
    close = difflib.get_close_matches(name, (*FAMILIES, *PROGRAMS), n=_MOST_SUGGESTED) or ("violin", "strings")
    raise RecipeError(
        f"expected an instrument or a family of General MIDI, such as {faults.one_of(list(close))}, or its number from 1 to "
        f"{len(PROGRAMS)}"
    )


def instruments_by_part(text: str) -> dict[str, str]:
    """Read `soprano=flute, alto=oboe` into instruments by part, each by its name in General MIDI; one alone is that of "".

    Raises RecipeError for what is no instrument, for a part without one, and for two for one part.
    """
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        part, is_pair, instrument = pair.rpartition("=")
        part = " ".join(part.casefold().split())
        if part in found or bool(is_pair) != bool(part):
            raise RecipeError(_ONE_EACH)
        found[part] = PROGRAMS[program_of(instrument)]
    if "" in found and len(found) > 1:
        raise RecipeError(_ONE_EACH)
    return found


def written(instruments: Mapping[str, str]) -> str:
    """Write what `instruments_by_part` read."""
    return ",".join(f"{part}={instrument}" if part else instrument for part, instrument in instruments.items())


def programs_by_part(text: str, events: "EventSpec") -> dict[str, int]:
    """Return the program that plays each part, by its name as people read it; that of "" plays all where there are no parts.

    Raises RecipeError for instruments that do not fit the encoding: one for all parts, one for the drums or for no part.
    """
    found: dict[str, int] = {}
    for part, instrument in instruments_by_part(text).items():
        if bool(part) != (events.parts != "none"):
            raise RecipeError(_misfit(events, instrument))
        values = named_parts(part, events.parts, events.part_alphabet, "instrument") if part else ("",)
        if DRUMS in values:
            raise RecipeError("instrument: expected parts with pitches, got drums; they stay drums")
        for value in values:
            found[player_of(events.parts, value).name if value else ""] = PROGRAMS.index(instrument)
    return found


def _misfit(events: "EventSpec", instrument: str) -> str:
    if events.parts == "none":
        return f"instrument: one plays all, as this recipe has no parts; give its name alone: {instrument}"
    part = (*events.part_alphabet, "part")[0]
    return (
        f"instrument: this recipe has parts, so say which part plays it: {part}={instrument}; "
        "instruments chooses which parts play"
    )


def _by_its_name(name: str) -> int | None:
    if name in FAMILIES:
        return _PLAYS_A_FAMILY[name]
    return PROGRAMS.index(name) if name in PROGRAMS else None


def _by_words(name: str) -> int | None:
    """Find a voice, or the first program whose name has all words."""
    words = set(re.findall(r"\w+", name))
    if words and words <= VOICES:
        return CHOIR
    programs = (program for program, known in enumerate(PROGRAMS) if words <= set(re.findall(r"\w+", known)))
    return next(programs, None) if words else None

"""The General MIDI program or drum that the name of an instrument means, for scores that give no MIDI number.

Names are those of printed scores (English, and Italian or German where they differ) and of MusicXML's `instrument-sound`,
such as "wind.flutes.flute". Voices have no program, so they sound as what has none: a piano.
"""

import re

# Words → program, from 0. Longer names are looked for first: "bass clarinet" is a clarinet, no bass.
_PROGRAMS = {
    "piano": 0,
    "pianoforte": 0,
    "klavier": 0,
    "harpsichord": 6,
    "cembalo": 6,
    "clavichord": 7,
    "celesta": 8,
    "glockenspiel": 9,
    "music box": 10,
    "vibraphone": 11,
    "marimba": 12,
    "xylophone": 13,
    "tubular bells": 14,
    "dulcimer": 15,
    "organ": 19,
    "organo": 19,
    "orgel": 19,
    "pipe organ": 19,
    "harmonium": 20,
    "accordion": 21,
    "harmonica": 22,
    "guitar": 24,
    "gitarre": 24,
    "electric guitar": 27,
    "electric bass": 33,
    "bass guitar": 33,
    "violin": 40,
    "violino": 40,
    "violini": 40,
    "violine": 40,
    "viola": 41,
    "viole": 41,
    "bratsche": 41,
    "cello": 42,
    "violoncello": 42,
    "violoncelli": 42,
    "contrabass": 43,
    "double bass": 43,
    "contrabasso": 43,
    "contrabassi": 43,
    "kontrabass": 43,
    "violone": 43,
    "harp": 46,
    "arpa": 46,
    "harfe": 46,
    "timpani": 47,
    "pauken": 47,
    "strings": 48,
    "trumpet": 56,
    "tromba": 56,
    "trombe": 56,
    "trompete": 56,
    "trombone": 57,
    "tromboni": 57,
    "posaune": 57,
    "tuba": 58,
    "horn": 60,
    "corno": 60,
    "corni": 60,
    "soprano saxophone": 64,
    "saxophone": 65,
    "alto saxophone": 65,
    "tenor saxophone": 66,
    "baritone saxophone": 67,
    "oboe": 68,
    "oboi": 68,
    "english horn": 69,
    "corno inglese": 69,
    "bassoon": 70,
    "fagotto": 70,
    "fagotti": 70,
    "fagott": 70,
    "clarinet": 71,
    "bass clarinet": 71,
    "clarinetto": 71,
    "clarinetti": 71,
    "klarinette": 71,
    "piccolo": 72,
    "flute": 73,
    "flauto": 73,
    "flauti": 73,
    "flöte": 73,
    "recorder": 74,
    "blockflöte": 74,
    "pan flute": 75,
    "ocarina": 79,
    "sitar": 104,
    "banjo": 105,
    "bagpipe": 109,
    "fiddle": 110,
}

# Words → the key of General MIDI's percussion map.
_DRUMS = {
    "bass drum": 36,
    "kick": 36,
    "side stick": 37,
    "rimshot": 37,
    "snare": 38,
    "snare drum": 38,
    "clap": 39,
    "low tom": 45,
    "floor tom": 43,
    "mid tom": 47,
    "high tom": 50,
    "hi hat": 42,
    "hihat": 42,
    "closed hi hat": 42,
    "pedal hi hat": 44,
    "open hi hat": 46,
    "crash": 49,
    "cymbal": 49,
    "ride": 51,
    "ride cymbal": 51,
    "tambourine": 54,
    "cowbell": 56,
    "bongo": 60,
    "conga": 64,
    "maracas": 70,
    "claves": 75,
    "wood block": 76,
    "woodblock": 76,
    "triangle": 81,
}


def _pattern(names: dict[str, int]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})s?\b")


_PROGRAM_WORDS = _pattern(_PROGRAMS)
_DRUM_WORDS = _pattern(_DRUMS)


def named_program(*names: str) -> int | None:
    """Return the program of the first name that holds a known instrument, else None."""
    return _find(names, _PROGRAM_WORDS, _PROGRAMS)


def program_called(name: str) -> int | None:
    """Return the program of a name that is an instrument's, and no other words, in the singular or plural; else None."""
    found = _PROGRAM_WORDS.fullmatch(name.casefold())
    return None if found is None else _PROGRAMS[found[1]]


def named_drum(*names: str) -> int | None:
    """Return the percussion key of the first name that holds a known drum, else None."""
    return _find(names, _DRUM_WORDS, _DRUMS)


def _find(names: tuple[str, ...], words: re.Pattern[str], numbers: dict[str, int]) -> int | None:
    for name in names:
        found = words.findall(re.sub(r"[\W_]+", " ", name[:200].casefold()))
        if found:
            return numbers[max(found, key=len)]
    return None

"""The interpretations of a `**kern` spine: metre, key, tempo and instrument."""

import re
from dataclasses import dataclass
from fractions import Fraction

_METRE = re.compile(r"\*M(\d{1,3}(?:\+\d{1,3})*)/(\d{1,3})(?:%\d+)?$")
_TEMPO = re.compile(r"\*MM(\d{1,4}(?:\.\d{1,6})?)")
_KEY_SIGNATURE = re.compile(r"\*k\[((?:[a-g](?:#|-|n))*)\]")
_KEY = re.compile(r"\*([a-gA-G])(#|-)?:(?:[a-z]{3})?$")
_PRINTED_TEMPO = re.compile(
    r"^!!!OMD:.*?\[(whole|half|quarter|eighth|sixteenth)(-dot)?\]\s*=\s*(\d{1,4}(?:\.\d{1,6})?)", re.MULTILINE
)
_UNITS = {
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    "sixteenth": Fraction(1, 4),
}
_SHARPS, _FLATS = "fcgdaeb", "beadgcf"
_MAJOR_SHARPS = {"c": 0, "g": 1, "d": 2, "a": 3, "e": 4, "b": 5, "f": -1}
_FLATS_OF_MINOR = 3
_MINUTE = 60_000_000  # microseconds
_LONGEST_QUARTER = 0xFFFFFF  # microseconds, the largest tempo value that a MIDI file can hold


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument in General MIDI: a program from 0, or a note of the drum map."""

    name: str
    program: int = 0
    drum_pitch: int | None = None


# Humdrum's instrument codes that General MIDI has a program for, with the program (from 0) and the name.
# (https://www.humdrum.org/guide/append2)
PROGRAMS = {
    "piano": (0, "Piano"),
    "forte": (0, "Fortepiano"),
    "cemba": (6, "Harpsichord"),
    "clavi": (7, "Clavichord"),
    "clest": (8, "Celesta"),
    "glock": (9, "Glockenspiel"),
    "vibra": (11, "Vibraphone"),
    "marim": (12, "Marimba"),
    "xylo": (13, "Xylophone"),
    "chime": (14, "Tubular Bells"),
    "campn": (14, "Bells"),
    "caril": (14, "Carillon"),
    "dulc": (15, "Dulcimer"),
    "hammd": (16, "Hammond Organ"),
    "organ": (19, "Organ"),
    "porta": (19, "Portative Organ"),
    "reedo": (20, "Reed Organ"),
    "accor": (21, "Accordion"),
    "armon": (22, "Harmonica"),
    "ctina": (23, "Concertina"),
    "guitr": (24, "Guitar"),
    "liuto": (24, "Lute"),
    "tiorb": (24, "Theorbo"),
    "archl": (24, "Archlute"),
    "ukule": (24, "Ukulele"),
    "mando": (25, "Mandolin"),
    "eguit": (27, "Electric Guitar"),
    "bguit": (33, "Electric Bass"),
    "violn": (40, "Violin"),
    "viola": (41, "Viola"),
    "cello": (42, "Violoncello"),
    "violb": (42, "Viola da Gamba"),
    "cbass": (43, "Double Bass"),
    "arpa": (46, "Harp"),
    "timpa": (47, "Timpani"),
    "vox": (52, "Voice"),
    "soprn": (52, "Soprano"),
    "cant": (52, "Soprano"),
    "mezzo": (52, "Mezzo-soprano"),
    "calto": (52, "Alto"),
    "alto": (52, "Alto"),
    "ctenor": (52, "Countertenor"),
    "tenor": (52, "Tenor"),
    "barit": (52, "Baritone"),
    "bass": (52, "Bass"),
    "tromp": (56, "Trumpet"),
    "cornt": (56, "Cornet"),
    "tromb": (57, "Trombone"),
    "tromt": (57, "Trombone"),
    "tuba": (58, "Tuba"),
    "cor": (60, "Horn"),
    "saxS": (64, "Soprano Saxophone"),
    "saxA": (65, "Alto Saxophone"),
    "saxT": (66, "Tenor Saxophone"),
    "saxR": (67, "Baritone Saxophone"),
    "oboe": (68, "Oboe"),
    "cangl": (69, "English Horn"),
    "fagot": (70, "Bassoon"),
    "fag_c": (70, "Contrabassoon"),
    "clars": (71, "Clarinet"),
    "clarp": (71, "Clarinet"),
    "clara": (71, "Clarinet"),
    "clarb": (71, "Bass Clarinet"),
    "picco": (72, "Piccolo"),
    "flt": (73, "Flute"),
    "flt_a": (73, "Alto Flute"),
    "flt_b": (73, "Bass Flute"),
    "fltds": (74, "Recorder"),
    "fltdn": (74, "Sopranino Recorder"),
    "fltda": (74, "Alto Recorder"),
    "fltdt": (74, "Tenor Recorder"),
    "fltdb": (74, "Bass Recorder"),
    "panpi": (75, "Pan Flute"),
    "shaku": (77, "Shakuhachi"),
    "ocari": (79, "Ocarina"),
    "sitar": (104, "Sitar"),
    "banjo": (105, "Banjo"),
    "shami": (106, "Shamisen"),
    "koto": (107, "Koto"),
    "bagpS": (109, "Bagpipes"),
    "bagpI": (109, "Bagpipes"),
    "steel": (114, "Steel Drum"),
}

# Codes of unpitched percussion, with the note of General MIDI's drum map and the name.
DRUMS = {
    "bdrum": (36, "Bass Drum"),
    "sdrum": (38, "Snare Drum"),
    "tom": (45, "Tom"),
    "crshc": (49, "Crash Cymbal"),
    "piatt": (49, "Cymbals"),
    "ridec": (51, "Ride Cymbal"),
    "gong": (52, "Gong"),
    "tambn": (54, "Tambourine"),
    "spshc": (55, "Splash Cymbal"),
    "marac": (70, "Maracas"),
    "trngl": (81, "Triangle"),
    "casts": (85, "Castanets"),
}


def metre(token: str) -> tuple[int, int] | None:
    """Read `*M3/4`, also `*M2+3/8`; None if it is no metre that a MIDI file can hold."""
    found = _METRE.match(token)
    if not found:
        return None
    numerator, denominator = sum(map(int, found[1].split("+"))), int(found[2])
    is_power = denominator > 0 and denominator & (denominator - 1) == 0
    return (numerator, denominator) if 1 <= numerator <= 255 and is_power and denominator <= 128 else None


def sharps(token: str) -> int | None:
    """Read `*k[f#c#]` as a number of sharps (negative: flats); None for signatures of other accidentals."""
    found = _KEY_SIGNATURE.match(token)
    if not found:
        return None
    letters, signs = found[1][::2], set(found[1][1::2])
    if len(signs) > 1 or "n" in signs or len(letters) > len(_SHARPS):
        return None
    is_flat = signs == {"-"}
    if set(letters) != set((_FLATS if is_flat else _SHARPS)[: len(letters)]):
        return None
    return -len(letters) if is_flat else len(letters)


def key(token: str) -> tuple[int, bool] | None:
    """Read a key (`*a:`, `*E-:`) as (the sharps of its signature, is minor)."""
    found = _KEY.match(token)
    if not found:
        return None
    count = _MAJOR_SHARPS[found[1].lower()] + {"#": 7, "-": -7, None: 0}[found[2]]
    is_minor = found[1].islower()
    return count - _FLATS_OF_MINOR * is_minor, is_minor


def tempo(token: str) -> int | None:
    """Read `*MM120` (quarters per minute) as microseconds per quarter."""
    found = _TEMPO.match(token)
    return _microseconds(Fraction(found[1])) if found else None


def printed_tempo(text: str) -> int | None:
    """Read the tempo that a title record gives as a number (`!!!OMD: Vivace [half-dot]=60`), for scores without `*MM`."""
    found = _PRINTED_TEMPO.search(text)
    if not found:
        return None
    unit = _UNITS[found[1]] * (Fraction(3, 2) if found[2] else 1)
    return _microseconds(unit * Fraction(found[3]))


def _microseconds(quarters_per_minute: Fraction) -> int | None:
    if not quarters_per_minute:
        return None
    return min(max(round(_MINUTE / quarters_per_minute), 1), _LONGEST_QUARTER)


def instrument(token: str) -> Instrument | None:
    """Read an instrument (`*Iflt`, `*Ivioln2`); None for what General MIDI has no program for."""
    code = token.removeprefix("*I")
    for known in (code, code.rstrip("0123456789")):
        if known in PROGRAMS:
            program, name = PROGRAMS[known]
            return Instrument(name, program)
        if known in DRUMS:
            drum_pitch, name = DRUMS[known]
            return Instrument(name, drum_pitch=drum_pitch)
    return None

"""The score of an ensemble, or one of its parts, as MusicXML 4.0 text: the frame of the document and its list of parts.

The text depends on neither the day nor chance: the same score gives the same bytes.
"""

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from lstm_music.midi.general_midi import CHANNELS, DRUM_CHANNEL
from lstm_music.midi.text import printable
from lstm_music.rendering.ensemble_measures import add_measures
from lstm_music.rendering.ensemble_notes import child
from lstm_music.rendering.ensemble_score import EnsembleScore, ScorePart
from lstm_music.rendering.instrument_styles import VOICES
from lstm_music.rendering.percussion import drum_of
from lstm_music.rendering.score_size import staff_height
from lstm_music.rendering.sheet_music import shown_title

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_TENTHS = 40  # MusicXML counts tenths of the space between two lines: from the lowest to the highest line of a staff
_MARGIN = 15  # millimetres
_CHANNELS = [channel for channel in range(CHANNELS) if channel != DRUM_CHANNEL]


def ensemble_musicxml(score: EnsembleScore, title: str, composer: str = "", only: int | None = None) -> str:
    """Write a score as MusicXML; `only` is the index of a part that is written alone, as its player gets it.

    A single part has its name in the head instead of before the staves, and rests of several bars as one sign.
    """
    root = ET.Element("score-partwise", version="4.0")
    child(child(root, "work"), "work-title", shown_title(title))
    identification = child(root, "identification")
    if composer:
        child(identification, "creator", shown_title(composer), type="composer")
    child(child(identification, "encoding"), "software", "lstm-music")
    parts = list(enumerate(score.parts, start=1))
    if only is not None:
        parts = parts[only : only + 1]
    _add_page(root, sum(len(part.clefs) for _, part in parts))
    if only is not None:
        _add_part_name(root, parts[0][1])
    _add_list(root, parts, is_single=only is not None)
    for number, part in parts:
        element = child(root, "part", id=f"P{number}")
        add_measures(element, score, part, f"P{number}", is_first=part is parts[0][1], is_single=only is not None)
    ET.indent(root)
    return f"{_HEAD}{ET.tostring(root, encoding='unicode')}\n"


def _add_page(root: ET.Element, staves: int) -> None:
    """Say how large the staves are on a page of A4, so that a system fits in a notation program, too."""
    height = staff_height(staves)
    defaults = child(root, "defaults")
    scaling = child(defaults, "scaling")
    child(scaling, "millimeters", f"{height:.4g}")
    child(scaling, "tenths", str(_TENTHS))
    page = child(defaults, "page-layout")
    for name, length in (("page-height", 297), ("page-width", 210)):
        child(page, name, f"{length * _TENTHS / height:.1f}")
    margins = child(page, "page-margins", type="both")
    for side in ("left", "right", "top", "bottom"):
        child(margins, f"{side}-margin", f"{_MARGIN * _TENTHS / height:.1f}")


def _add_part_name(root: ET.Element, part: ScorePart) -> None:
    credit = child(root, "credit", page="1")
    child(credit, "credit-type", "part name")
    child(credit, "credit-words", printable(part.name), justify="left", valign="top")


def _add_list(root: ET.Element, parts: Sequence[tuple[int, ScorePart]], *, is_single: bool) -> None:
    """Add the list of parts, with a bracket before parts of one family that stand together, on a staff each."""
    listed = child(root, "part-list")
    for group, (family, members) in enumerate(groupby(parts, key=lambda one: one[1].style.family), start=1):
        together = list(members)
        has_bracket = len(together) > 1 and all(len(part.clefs) == 1 for _, part in together)
        if has_bracket:
            start = child(listed, "part-group", type="start", number=str(group))
            child(start, "group-symbol", "bracket")
            child(start, "group-barline", "no" if family == VOICES else "yes")
        for number, part in together:
            _add_part(listed, number, part, is_single=is_single)
        if has_bracket:
            child(listed, "part-group", type="stop", number=str(group))


def _add_part(listed: ET.Element, number: int, part: ScorePart, *, is_single: bool) -> None:
    """Add a part with all that MuseScore looks for: names, and an instrument with a MIDI channel and program."""
    element = child(listed, "score-part", id=f"P{number}")
    shown = {"print-object": "no"} if is_single else {}
    child(element, "part-name", printable(part.part.name), **shown)
    if part.name != part.part.name and not is_single:
        child(child(element, "part-name-display"), "display-text", printable(part.name))
    child(element, "part-abbreviation", printable(part.abbreviation), **shown)
    if not part.part.is_drum:
        _add_instrument(element, f"P{number}-I1", printable(part.part.name), part.style.sound)
        channel = _CHANNELS[(number - 1) % len(_CHANNELS)]
        _add_midi(element, f"P{number}-I1", channel, part.part.program)
        return
    for key in part.drums or (None,):
        name = part.part.name if key is None else drum_of(key).name
        _add_instrument(element, f"P{number}-I{1 if key is None else key}", printable(name), part.style.sound)
    for key in part.drums or (None,):
        _add_midi(element, f"P{number}-I{1 if key is None else key}", DRUM_CHANNEL, 0, key)


def _add_instrument(part: ET.Element, name: str, shown: str, sound: str) -> None:
    instrument = child(part, "score-instrument", id=name)
    child(instrument, "instrument-name", shown)
    if sound:
        child(instrument, "instrument-sound", sound)


def _add_midi(part: ET.Element, name: str, channel: int, program: int, drum: int | None = None) -> None:
    midi = child(part, "midi-instrument", id=name)
    child(midi, "midi-channel", str(channel + 1))
    child(midi, "midi-program", str(program + 1))
    if drum is not None:
        child(midi, "midi-unpitched", str(drum + 1))

"""The order of measures under repeat signs, endings and jumps."""

import pytest
from musicxml_text import ending, note, repeat, score, sound

from lstm_music.errors import RejectedInputError
from lstm_music.scores import musicxml
from lstm_music.scores.playing_order import MOST_MEASURES, MeasureSigns, playing_order

REPEAT = '<repeat direction="backward"/>'
NAMES = "CDEFGAB"


def played(*measures, repeats="as_played"):
    """Return the names of the measures in the order in which they are played; each holds its note between two texts."""
    contents = [before + note(f"{NAMES[place]}4", 4) + after for place, (before, after) in enumerate(measures)]
    pitches = [one.pitch for one in musicxml.read(score(contents), repeats).notes]
    return "".join(NAMES[[60, 62, 64, 65, 67, 69, 71].index(pitch)] for pitch in pitches)


PLAIN = ("", "")
OPEN = (repeat("forward"), "")
CLOSE = ("", repeat("backward"))
BOTH = (repeat("forward"), repeat("backward"))
SEGNO = (sound(segno="x"), "")
CODA = (sound(coda="x"), "")


def volta(number, *, goes_back=True, kind="stop"):
    return ending(number, "start"), ending(number, kind, REPEAT if goes_back else "")


LAST = {"goes_back": False, "kind": "discontinue"}


@pytest.mark.parametrize(
    ("measures", "as_played", "once"),
    [
        ([PLAIN, PLAIN], "CD", "CD"),
        ([PLAIN, CLOSE, PLAIN], "CDCDE", "CDE"),
        ([PLAIN, OPEN, CLOSE, PLAIN], "CDEDEF", "CDEF"),
        ([CLOSE, CLOSE], "CCDD", "CD"),  # the second passage starts where the first one ends
        ([PLAIN, BOTH, BOTH, PLAIN], "CDDEEF", "CDEF"),
        ([("", repeat("backward", times=4)), PLAIN], "CCCCD", "CD"),
        ([("", repeat("backward", times=1)), PLAIN], "CD", "CD"),
        ([PLAIN, volta(1), volta(2, **LAST), PLAIN], "CDCEF", "CEF"),
        ([OPEN, volta(1), volta(2), PLAIN], "CDCEF", "CEF"),  # a repeat sign after the last ending asks for nothing
        ([PLAIN, volta("1, 2"), volta(3, **LAST)], "CDCDCE", "CE"),
        ([PLAIN, volta("1-3"), volta("4.", **LAST)], "CDCDCDCE", "CE"),
        ([PLAIN, volta(1), volta(2), volta(3, **LAST), PLAIN], "CDCECFG", "CFG"),
        ([PLAIN, volta(1), PLAIN], "CDCE", "CDE"),  # a single ending is played before the repeat only
        ([PLAIN, volta(1, goes_back=False), volta(2, **LAST)], "CDE", "CDE"),  # nothing goes back: no choice
        ([PLAIN, volta(2), PLAIN], "CDCDE", "CDE"),  # no ending for the first pass
        ([PLAIN, (ending(1, "start"), REPEAT.join(("<barline>", "</barline>"))), volta(2, **LAST)], "CDCE", "CE"),
        ([PLAIN, volta(1), (ending(2, "start"), ""), OPEN, CLOSE], "CDCEFGFG", "CEFG"),  # an ending that nothing ends
        ([PLAIN, volta(1), volta(2, **LAST), OPEN, volta(1), volta(2, **LAST)], "CDCEFGFA", "CEFA"),
        (
            [PLAIN, PLAIN, ("", ending("", "stop", REPEAT)), volta(2, **LAST)],
            "CDECDF",
            "CDF",
        ),  # nothing starts the first
        ([PLAIN, PLAIN, ("", sound(dacapo="yes"))], "CDECDE", "CDE"),
        ([PLAIN, ("", sound(fine="yes")), ("", sound(dacapo="yes"))], "CDECD", "CDE"),
        ([PLAIN, SEGNO, PLAIN, ("", sound(dalsegno="x"))], "CDEFDEF", "CDEF"),
        ([PLAIN, ("", sound(tocoda="x")), ("", sound(dacapo="yes")), CODA, PLAIN], "CDECDFG", "CDEFG"),
        ([PLAIN, SEGNO, ("", sound(tocoda="x")), ("", sound(dalsegno="x")), CODA], "CDEFDEG", "CDEFG"),
        ([CLOSE, ("", sound(dacapo="yes"))], "CCDCD", "CD"),  # repeats are left out after a jump
        ([("", repeat("backward", after_jump="yes")), ("", sound(dacapo="yes"))], "CCDCCD", "CD"),
        ([PLAIN, volta(1), volta(2, **LAST), ("", sound(dacapo="yes"))], "CDCEFCEF", "CEF"),
        ([PLAIN, (ending(1, "start"), sound(dacapo="yes") + ending(1, "stop")), volta(2, **LAST)], "CDCE", "CE"),
        ([PLAIN, ("", sound(dalsegno="x")), PLAIN], "CDE", "CDE"),  # there is no segno
        ([PLAIN, SEGNO, (sound(segno="y"), ""), ("", sound(dalsegno="y"))], "CDEFEF", "CDEF"),
        ([PLAIN, SEGNO, (sound(segno="y"), ""), ("", sound(dalsegno="z"))], "CDEFDEF", "CDEF"),  # to the first of any
        ([("", sound(tocoda="x")), PLAIN, ("", sound(dacapo="yes"))], "CDECDE", "CDE"),  # there is no coda
        ([(sound(forward_repeat="yes"), ""), CLOSE], "CDCD", "CD"),
    ],
)
def test_signs_lead_through_the_score(measures, as_played, once):
    assert played(*measures) == as_played
    assert played(*measures, repeats="once") == once


def test_signs_of_one_part_hold_for_all():
    text = score([note("C5", 4), note("D5", 4)], [note("C4", 4) + repeat("backward"), note("D4", 4)])
    notes = musicxml.read(text, "as_played").notes
    assert [(one.track, one.onset, one.pitch) for one in notes if one.track == 0] == [
        (0, 0, 72),
        (0, 4, 72),
        (0, 8, 74),
    ]


def test_signatures_and_tempos_come_again_with_their_measure():
    change = (
        "<attributes><time><beats>2</beats><beat-type>4</beat-type></time><key><fifths>1</fifths></key></attributes>"
    )
    first = (
        "<attributes><time><beats>4</beats><beat-type>4</beat-type></time><key><fifths>0</fifths></key></attributes>"
    )
    second = change + sound(tempo=60) + note("D4", 2) + repeat("backward")
    piece = musicxml.read(score([first + sound(tempo=120) + note("C4", 4), second]), "as_played")
    assert piece.time_signatures == ((0, 4, 4), (4, 2, 4), (6, 4, 4), (10, 2, 4))
    assert piece.key_signatures == ((0, 0, False), (4, 1, False), (6, 0, False), (10, 1, False))
    assert piece.tempos == ((0, 500_000), (4, 1_000_000), (6, 500_000), (10, 1_000_000))


def test_a_tie_joins_what_is_played_one_after_the_other():
    def tied(name, *kinds):
        return note(name, 4, inside="".join(f'<tie type="{kind}"/>' for kind in kinds))

    first = ending(1, "start") + tied("C4", "stop", "start") + ending(1, "stop", REPEAT)
    second = ending(2, "start") + tied("C4", "stop") + ending(2, "discontinue")
    text = score([tied("C4", "start"), first, second])
    assert [(one.onset, one.end) for one in musicxml.read(text, "once").notes] == [(0, 8)]
    assert [(one.onset, one.end) for one in musicxml.read(text, "as_played").notes] == [(0, 8), (8, 16)]


def test_the_order_is_bounded():
    endless = [MeasureSigns(passes=64, da_capo=True, segno="x", dal_segno="x", repeats_after_jump=True)] * 40
    assert len(playing_order(endless, "as_played")) < MOST_MEASURES
    with pytest.raises(RejectedInputError, match=f"has repeats that make more than {MOST_MEASURES:,} measures of it"):
        playing_order(endless * 20, "as_played")

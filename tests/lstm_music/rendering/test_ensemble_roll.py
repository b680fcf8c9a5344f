"""The roll of an ensemble: each note lies at its time and pitch, in the look of its part; looks are told apart by everyone."""

from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from ensemble_music import BAND, QUARTET, arranged, band
from listening_music import HOSTILE
from small_music import QUARTER, piece_of
from test_piano_roll import SVG, contrast, drawn

from lstm_music.errors import RejectedInputError
from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.rendering import part_styles, piano_roll
from lstm_music.rendering.ensemble import declared_parts, is_for_several, part_of_note
from lstm_music.rendering.ensemble_roll import PIXELS_PER_PITCH, PIXELS_PER_QUARTER, Played, ensemble_roll, x_of
from lstm_music.rendering.part_styles import COLOURS, PATTERNS, classes_of

MACHADO = (  # Machado, Oliveira & Fernandes 2009, severity 1: protanopia, deuteranopia, tritanopia; on linear RGB
    ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
)
TO_CONES = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566))
TO_CONES += ((0.0883024619, 0.2817188376, 0.6299787005),)  # OKLab, Ottosson 2020
TO_LAB = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099))
TO_LAB += ((0.0259040371, 0.7827717662, -0.8086757660),)


def drawing(parts, rows, of_note, **settings):
    return ensemble_roll(parts, Played(piece_of(rows), np.array(of_note)), "a piece", **settings)


def groups(picture):
    return {
        int(group.get("data-part")): list(group)
        for group in ET.fromstring(picture).iter(SVG + "g")
        if group.get("data-part")
    }


def notes_of(elements):
    return [
        tuple(float(one.get(name)) for name in ("x", "y", "width", "height"))
        for one in elements
        if one.get("class") == "note"
    ]


def test_notes_lie_at_their_time_and_pitch_in_the_group_of_their_part():
    picture = drawing(QUARTET, [(0, QUARTER, 60), (QUARTER, 2 * QUARTER, 61)], [1, 3])
    found = groups(picture)
    assert [len(notes_of(found[part])) for part in range(4)] == [0, 1, 0, 1]
    (x, y, width, height), (later, above, longer, _) = notes_of(found[1]) + notes_of(found[3])
    assert (later - x, longer - width) == (PIXELS_PER_QUARTER, PIXELS_PER_QUARTER)
    assert y - above == PIXELS_PER_PITCH
    assert x == x_of(0) + 0.5
    assert height == PIXELS_PER_PITCH - 2
    assert [one.get("d") for one in found[3] if one.get("class") == "mark"] == [
        f"M{x_of(1) + 1:.1f} {above + height / 2:.4g}h{2 * PIXELS_PER_QUARTER - 3:.1f}"
    ]


def test_parts_that_begin_one_pitch_together_share_its_height():
    found = groups(drawing(QUARTET, [(0, QUARTER, 60), (0, 2 * QUARTER, 60), (QUARTER, QUARTER, 62)], [2, 0, 1]))
    (upper,), (lower,), (whole,) = (notes_of(found[part]) for part in (0, 2, 1))
    assert upper[1] + upper[3] < lower[1]
    assert lower[3] == upper[3] < whole[3] / 2


def test_drums_are_short_marks_in_a_lane_below_all_pitches():
    picture = drawing(BAND, [(0, QUARTER, 36), (0, 4 * QUARTER, 36), (0, QUARTER, 42)], [2, 3, 3])
    (bass,), hits = notes_of(groups(picture)[2]), groups(picture)[3]
    assert [one.get("class") for one in hits] == ["hit", "hit"]
    kick, hat = sorted((float(one.get("y")) for one in hits), reverse=True)
    assert kick > hat > bass[1]
    assert {one.get("width") for one in hits} == {"3"}
    assert bass[3] == PIXELS_PER_PITCH - 2  # a drum of the same number takes no room from it
    only = groups(drawing([BAND[3]], [(0, QUARTER, 36)], [0]))
    assert len(only[0]) == 1


def test_a_legend_names_the_parts_and_a_page_may_have_its_own():
    parts = [*QUARTET, Part(HOSTILE, 1), Part("x" * 99, 2)]
    picture = drawing(parts, [(0, QUARTER, 60)], [0])
    texts = [text.text for text in ET.fromstring(picture.encode("utf-8")).iter(SVG + "text")]
    assert {"Violin 1", "Violin 2", "Viola", "Cello", "x" * 39 + "…"} <= set(texts)
    assert sum(text.startswith("<script>alert(1)</script>") for text in texts) == 1
    assert "<script" not in picture
    assert "Viola" not in drawing(parts, [(0, QUARTER, 60)], [0], has_legend=False)


def test_a_prompt_stands_before_the_result():
    parts, result, prompt = BAND, band(), band(1)
    picture = ensemble_roll(
        parts, Played(result, parts_of(result)[1], 4), "a piece", Played(prompt, parts_of(prompt)[1])
    )
    (shade,), (border,) = drawn(picture, "shade"), drawn(picture, "border", "line")
    assert float(shade.get("x")) + float(shade.get("width")) == float(border.get("x1")) == x_of(4)
    assert len(notes_of(groups(picture)[0])) == 8 * 5
    assert ET.fromstring(picture).get("data-start-x") == f"{x_of(4):.2f}"


def test_nothing_reaches_out_of_the_picture():
    picture = drawing(BAND, [(0, QUARTER, 60)], [0])
    selectors = [part.split("}")[-1] for part in ET.fromstring(picture).find(f"{SVG}style").text.split("{")[:-1]]
    firsts = {one.strip().split(" ")[0] for selector in selectors for one in selector.split(",")}
    assert firsts == {".lstm-roll", ".lstm-parts", "@media"}
    assert " id=" not in picture


def linear(colour):
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("dark", [False, True])
def test_colours_differ_for_whoever_lacks_a_kind_of_cones_and_from_what_lies_behind(dark):
    own = [pair[dark] for pair in COLOURS]
    behind = [piano_roll._COLOURS[name][dark] for name in ("background", "key", "shade")]
    assert min(contrast(colour, other) for colour in own for other in behind) >= 3
    for sight in (np.eye(3), *map(np.array, MACHADO)):
        seen = [
            np.cbrt(np.clip(sight @ linear(colour), 0, 1) @ np.array(TO_CONES).T) @ np.array(TO_LAB).T for colour in own
        ]
        assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 0.1


def test_the_first_64_parts_look_different_and_the_first_eight_without_any_colour():
    looks = [classes_of(part) for part in range(64)]
    assert len(set(looks)) == 64
    assert len({look.split()[1] for look in looks[:8]}) == len(PATTERNS) == len(set(part_styles._MARKS)) == 8
    assert len(set(part_styles._MARKS.values())) == 7  # filled and hollow notes have no marks, and differ by themselves


def test_who_plays_a_note_is_known_after_the_file_was_read():
    piece = arranged(0, 8)
    _, of_note = parts_of(piece)
    silent = Part("Silent", 70)
    read = read_midi(write_midi(in_parts(piece, [silent, *QUARTET], of_note + 1)))
    facts = {"parts": [{"name": part.name, "program": part.program, "is_drum": False} for part in (silent, *QUARTET)]}
    parts = declared_parts(facts)
    assert parts == (silent, *QUARTET)
    for part in range(5):
        pitches = [
            np.sort(one.notes["pitch"][of == part]).tolist()
            for one, of in ((piece, of_note + 1), (read, part_of_note(read, parts)))
        ]
        assert pitches[0] == pitches[1]
    with pytest.raises(RejectedInputError, match="'Cello'; expected one of its parts: Silent, Violin 1"):
        part_of_note(read, parts[:4])
    assert declared_parts({}) == ()


@pytest.mark.parametrize(
    ("programs", "several"),
    [((), False), ((0,), False), ((40,), False), ((0, 1), False), ((0, 40), True), ((0, 0, 0), True)],
)
def test_two_hands_at_a_piano_are_one_player(programs, several):
    assert is_for_several([Part(str(number), program) for number, program in enumerate(programs)]) is several


def test_a_piano_with_drums_is_for_several():
    assert is_for_several([Part("Piano"), Part("Drums", is_drum=True)])

"""Titles and names: what people call a piece, out of its conductor track or its path."""

from dataclasses import replace

import pytest
from small_music import QUARTER, piece_of

from lstm_music.midi.titles import excerpt_stem, person_name, piece_title, place_in_piece, title_of_file


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bach/bwv30.6.mxl", "BWV 30.6"),
        ("bach/bach_846.mid", "Bach 846"),
        ("chopin/chpn_op25_e1.mid", "Chpn Op. 25 e1"),
        ("beethoven/op27no2.mid", "Op. 27 No. 2"),
        ("waltz.MID", "Waltz"),
        ("a/my-song.mid.gz", "My song"),
        ("a/sonata k545 no2.midi", "Sonata K 545 No. 2"),
        ("a/tune-2.mid", "Tune 2"),
        (".mid", ".mid"),
        ("a\x1b[2J.mid", "A\ufffd[2J"),
        ("", ""),
    ],
)
def test_a_file_has_a_title_without_folders_and_extension(name, title):
    assert title_of_file(name) == title


def test_bars_of_an_excerpt_are_bars_of_its_piece():
    title = title_of_file(f"bach/{excerpt_stem('bwv36.8-2', 3, 7)}.mid")
    assert place_in_piece(title, 1, 4) == ("BWV 36.8-2", 3, 6)
    assert place_in_piece(title_of_file(f"{excerpt_stem('bwv258', 0, 4)}.mid"), 1, 4) == ("BWV 258", 0, 3)
    assert place_in_piece("BWV 258", 2, 5) == ("BWV 258", 2, 5)


def test_a_conductor_track_has_the_title_and_a_track_with_notes_has_not():
    piece = replace(piece_of([(0, QUARTER, 60)]), track_names=("Für  Elise\x00", "Piano right"))
    assert piece_title("a/elise.mid", piece) == "Für Elise\ufffd"
    assert piece_title("a/elise.mid") == "Elise"
    assert piece_title("a/elise.mid", replace(piece, track_names=("  ", "Piano right"))) == "Elise"
    assert piece_title("a/elise.mid", replace(piece, track_names=("Für Elise",))) == "Elise"
    notes = piece.notes.copy()
    notes["track"] = 0
    assert piece_title("a/elise.mid", replace(piece, notes=notes)) == "Elise"


def test_a_folder_is_a_name():
    assert person_name("bach") == "Bach"
    assert person_name("johann_sebastian bach") == "Johann Sebastian Bach"
    assert person_name("") == person_name("musics") == person_name("MIDI") == person_name("train") == ""

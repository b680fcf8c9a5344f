"""The rules of names that every source shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.sources.entry import MUSIC_EXTENSIONS, credit_of_path, music_format, safe_name


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("bach/846.mid", "bach/846.mid"),
        ("../../etc/passwd", "etc/passwd"),
        ("/absolute/x.mid", "absolute/x.mid"),
        ("..\\..\\x.mid", "x.mid"),
        ("C:\\Users\\x.mid", "Users/x.mid"),
        ("./a//b/./c.mid", "a/b/c.mid"),
        ("\x1b[31mred\x00.mid", "\ufffd[31mred\ufffd.mid"),
        ("left\u202etfel.mid", "left\ufffdtfel.mid"),
        ("half \udcff.mid", "half \ufffd.mid"),
        ("Für Elise.mid", "Für Elise.mid"),
        ("C:", "\ufffd"),
        ("..", "\ufffd"),
        ("", "\ufffd"),
    ],
)
def test_a_name_from_outside_is_made_safe(raw, safe):
    assert safe_name(raw) == safe


@given(st.text(alphabet=st.characters(codec=None), max_size=30) | st.text(alphabet="./\\C:a\x00", max_size=12))
def test_a_safe_name_is_relative_printable_and_stays_as_it_is(raw):
    name = safe_name(raw)
    assert name
    assert name.isprintable()
    assert name.encode()
    assert not {"", ".", ".."} & set(name.split("/"))
    assert "\\" not in name
    assert safe_name(name) in (name, name.partition("/")[2], "\ufffd")


@pytest.mark.parametrize(("extension", "expected"), MUSIC_EXTENSIONS.items())
def test_the_extension_tells_the_format(extension, expected):
    assert music_format(f"bach/x{extension}") == expected
    assert music_format(f"bach/x{extension.upper()}") == expected


@pytest.mark.parametrize(
    "name", ["x.txt", "x", "x.sf2", ".mid", "a/.x.mid", "__MACOSX/._x.mid", ".git/x.mid", "x.mid/y"]
)
def test_hidden_files_and_other_files_are_no_music(name):
    assert music_format(name) is None


def test_the_composer_is_the_folder_that_the_file_lies_in():
    assert credit_of_path("classical/bach/x.mid", "zip").composer == "bach"
    assert credit_of_path("x.mid", "zip").composer == ""

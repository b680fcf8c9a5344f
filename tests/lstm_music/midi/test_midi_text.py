"""Text from files: decoded without loss, printed without control characters."""

import pytest

from lstm_music.midi.text import decode_text, printable


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Piano", "Piano"),
        ("Krüger".encode(), "Krüger"),
        ("Krüger".encode("latin-1"), "Krüger"),
        (b"\x1b\x00", "\x1b\x00"),
    ],
)
def test_text_is_decoded_as_utf_8_or_else_as_latin_1(data, text):
    assert decode_text(data) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Für Elise 練習曲", "Für Elise 練習曲"),
        ("\x1b[2J\x00", "\ufffd[2J\ufffd"),
        ("a\tb\nc\u00a0d", "a b c d"),
        ("abc\u202edef\ud800", "abc\ufffddef\ufffd"),
    ],
)
def test_printable_text_has_no_control_characters(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()

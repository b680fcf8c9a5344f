"""Text from files: decoding its bytes, and making it safe to print."""


def decode_text(data: bytes) -> str:
    """Decode as UTF-8 if valid, else as Latin-1, the two encodings found in MIDI files. No byte is lost."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def printable(text: str) -> str:
    """Make text safe to show in a terminal or a table; its length stays the same.

    White space becomes a space. Other characters that are not printable (controls such as escape and NUL, changes of the
    writing direction, surrogates) become U+FFFD.
    """
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )

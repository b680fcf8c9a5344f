"""Text that came out of a file: which characters its bytes mean, and how it may be shown."""


def decode_text(data: bytes) -> str:
    """Decode as UTF-8 where it is that, else as Latin-1, the two encodings found in MIDI files: no byte is lost."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def printable(text: str) -> str:
    """Make text safe to show in a terminal or a table: one printable character for each.

    White space becomes a space. What is not printable (controls such as escape and NUL, changes of the direction of
    writing, surrogates) becomes U+FFFD.
    """
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )

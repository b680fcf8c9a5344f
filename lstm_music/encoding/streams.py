"""The streams of a piece, in the order of their columns, and the order in which the models predict them.

The probability of an event is p(offset | past) · p(note | past, offset) · p(duration | past, offset, note). The first stream
also holds the end of the piece. A recipe can add two more: the part, which says who plays and comes before the note, and the
velocity, which comes last: p(offset) · p(part | …) · p(note | …) · p(duration | …) · p(velocity | …).
"""

from collections.abc import Sequence

STREAMS = ("offset", "note", "duration")
"""The streams of every recipe."""

PART = "part"
VELOCITY = "velocity"

CHAIN = ("offset", PART, "note", "duration", VELOCITY)
"""The order in which streams are predicted."""

ALL_STREAMS = (*STREAMS, PART, VELOCITY)
"""The order of columns. The streams of a recipe are `STREAMS`, and those of the others that it has."""


def chain_of(streams: Sequence[str]) -> tuple[str, ...]:
    """Return streams in the order in which they are predicted."""
    return tuple(stream for stream in CHAIN if stream in streams)


def heard(streams: Sequence[str]) -> tuple[str, ...]:
    """Return the streams by which music is recognised, in the order of their columns: all but the velocity."""
    return tuple(stream for stream in ALL_STREAMS if stream in streams and stream != VELOCITY)

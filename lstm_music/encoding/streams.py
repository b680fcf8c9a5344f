"""The streams of a piece, in the order in which the models predict them.

The probability of an event is p(offset | past) · p(note | past, offset) · p(duration | past, offset, note). The first stream
also holds the end of the piece. A recipe can add velocity as a fourth: p(velocity | past, offset, note, duration).
"""

STREAMS = ("offset", "note", "duration")
"""The streams of every recipe."""

VELOCITY = "velocity"

WITH_VELOCITY = (*STREAMS, VELOCITY)

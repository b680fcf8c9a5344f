"""The streams of a piece, in the order of the chain.

At each event p(offset | past) · p(note | past, offset) · p(duration | past, offset, note). The first stream also says
where a piece ends. A recipe may have the velocity as a fourth: p(velocity | past, offset, note, duration).
"""

STREAMS = ("offset", "note", "duration")
"""Those of every recipe: what is played, and when."""

VELOCITY = "velocity"

WITH_VELOCITY = (*STREAMS, VELOCITY)

"""The streams of a piece, in the order of the chain.

At each event p(offset | past) · p(note | past, offset) · p(duration | past, offset, note). The first stream also says
where a piece ends.
"""

STREAMS = ("offset", "note", "duration")

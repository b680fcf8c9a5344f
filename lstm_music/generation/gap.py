"""Where a gap in given music lies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Where new notes begin, in steps of the grid: from step `start` on, and before `stop`.

    None sounds behind step `until`, which is `stop`, or later where replaced notes rang on over it. The models come from step
    `begin`, that of the last event before the gap.
    """

    begin: int
    start: int
    stop: int
    until: int

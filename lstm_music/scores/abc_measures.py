"""The measures of one voice of an ABC tune as they are written."""

from dataclasses import dataclass, field
from fractions import Fraction

from lstm_music.errors import RejectedInputError
from lstm_music.scores.abc_fields import Key

MOST_QUARTERS = 65_536  # `ReadLimits.max_quarters`
MOST_NOTES = 200_000  # of a tune, as it is read; some hundred times those of any real one, and 10 seconds of work
MOST_MEASURES_OF_VOICES = 200_000  # a few characters (`Z8000` in each voice) can ask for more than any machine holds


@dataclass(slots=True)
class Size:
    """How many notes and measures a tune has so far, in all its voices."""

    notes: int = 0
    measures: int = 0

    def add_note(self) -> None:
        """Count a note. Raises RejectedInputError if it is one too many."""
        self.notes += 1
        if self.notes > MOST_NOTES:
            raise RejectedInputError(f"too many notes: expected at most {MOST_NOTES:,}")

    def add_measures(self, number: int = 1) -> None:
        """Count measures. Raises RejectedInputError if they are too many."""
        self.measures += number
        if self.measures > MOST_MEASURES_OF_VOICES:
            raise RejectedInputError(
                f"too many bars: expected at most {MOST_MEASURES_OF_VOICES:,} in all voices together"
            )


@dataclass(slots=True)
class WrittenNote:
    """A note in its measure: `start` and `length` in quarters; `is_tied` if a tie leads on from it."""

    start: Fraction
    length: Fraction
    pitch: int
    program: int
    is_drum: bool
    is_tied: bool = False


@dataclass(slots=True)
class Marks:
    """What the signs of a measure say about the order in which measures are played.

    `repeats_from_here` and `repeats_to_here` say how many times a passage is played more than once; `ending` are the times
    that an ending is for, which starts here. `jump` is "" or "capo" or "segno", and `until` what it then plays to.
    """

    repeats_from_here: int = 0
    repeats_to_here: int = 0
    ending: frozenset[int] = frozenset()
    ends_section: bool = False
    part: str = ""
    has_segno: bool = False
    has_coda: bool = False
    has_fine: bool = False
    jump: str = ""
    until: str = ""


@dataclass(slots=True)
class WrittenMeasure:
    """A measure of one voice: its notes, and what is in force at its start."""

    meter: tuple[int, int]
    key: Key
    tempo: int | None
    notes: list[WrittenNote] = field(default_factory=list)
    length: Fraction = Fraction(0)
    keys: list[tuple[Fraction, Key]] = field(default_factory=list)  # (place in the measure, what begins there)
    tempos: list[tuple[Fraction, int]] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)

    @property
    def nominal(self) -> Fraction:
        """The quarters of a whole bar; of a bar in free meter, its own."""
        numerator, denominator = self.meter
        return Fraction(4 * numerator, denominator) if numerator else self.length

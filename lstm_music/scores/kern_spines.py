"""The spines of Humdrum: which column of each line belongs to which, through splits, joins and exchanges.

Humdrum is a table: a line is a moment, a column (a spine) a part or something else, such as lyrics. An interpretation in a
column changes what columns there are from the next line on: `*^` splits one, `*v` joins neighbours, `*x` exchanges two, `*+`
adds one, `*-` ends one. (https://www.humdrum.org/guide/ch05)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import ReadLimits

MOST_SPINES = 512
MOST_PARTS = ReadLimits().max_tracks
MOST_LINES = 200_000
MOST_TOKENS = 500_000  # with as many notes as a score may have, some 10 seconds of work
SPLIT, JOIN, EXCHANGE, ADD, END = "*^", "*v", "*x", "*+", "*-"
_NO_PART = -1


@dataclass(slots=True)
class Spine:
    """A column: its kind (`**kern`), its part, and how far its music has come.

    `part` is -1 if it holds no notes. `end` is where its last note ends; `is_sure` is False after a split until its next
    note, because the new column need not begin where the note before the split ends. `reading` names the strophe or ossia
    that the column writes down, if it does.
    """

    kind: str
    part: int = _NO_PART
    end: Fraction = Fraction(0)
    is_sure: bool = False
    reading: str = ""
    is_ossia: bool = False

    @property
    def is_kern(self) -> bool:
        """Say whether notes are written in it."""
        return self.part != _NO_PART


@dataclass(slots=True)
class Table:
    """The lines of a Humdrum text with their spines; iterate over it once.

    `part_order` has the numbers of the kern parts from left to right. `uneven_lines` counts lines that have another number
    of columns than there are spines: what is missing is taken for null, what is too much is not read.
    """

    text: str
    part_order: list[int] = field(default_factory=list)
    uneven_lines: int = 0
    ended_at: Fraction = Fraction(0)  # the latest end of a spine that has ended

    def lines(self) -> Iterator[tuple[list[str], list[Spine]]]:
        """Yield the tokens of each line that is no comment, and the spines that they stand in.

        Raises RejectedInputError for a table with more lines, tokens, spines or parts than a score may have.
        """
        lines = self.text.count("\n")
        _check("lines", lines, MOST_LINES)
        _check("tokens", lines + self.text.count("\t"), MOST_TOKENS)
        spines: list[Spine] = []
        for line in self.text.split("\n"):
            if line.startswith("!") or not line.strip():
                continue
            tokens = [token for token in line.split("\t") if token]
            if not spines:
                if not line.startswith("**"):
                    continue  # no spine has begun, or all have ended
                spines = self._first_spines(tokens)
                continue
            if len(tokens) != len(spines):
                self.uneven_lines += 1
                null = "*" if line.startswith("*") else "."
                tokens = (tokens + [null] * len(spines))[: len(spines)]
            yield tokens, spines
            if line.startswith("*"):
                spines = self._next_spines(tokens, spines)
                _check("spines", len(spines), MOST_SPINES)

    def _first_spines(self, tokens: list[str]) -> list[Spine]:
        """Begin the spines of a header. A second header in a file goes on with the parts of the first, where they ended."""
        _check("spines", len(tokens), MOST_SPINES)
        spines = [Spine(token, end=self.ended_at) for token in tokens]
        kern = [spine for spine in spines if _holds_notes(spine.kind)]
        for part, spine in enumerate(kern):
            spine.part = part
        self.part_order += range(len(self.part_order), len(kern))
        return spines

    def _next_spines(self, tokens: list[str], spines: list[Spine]) -> list[Spine]:
        spines = _exchanged(tokens, spines)
        following: list[Spine] = []
        index = 0
        while index < len(spines):
            token, spine = tokens[index], spines[index]
            index += 1
            if token == JOIN:
                first = index - 1
                while index < len(spines) and tokens[index] == JOIN:
                    index += 1
                following += _joined(spines[first:index])
            elif token == SPLIT:
                following += [_branch(spine), _branch(spine)]
            elif token == ADD:
                following += [spine, Spine("", end=spine.end)]
            elif token.startswith("**"):
                following.append(self._begun(spine, token, following))
            elif token == END:
                self.ended_at = max(self.ended_at, spine.end)
            else:
                following.append(spine)
        return following

    def _begun(self, spine: Spine, kind: str, left: list[Spine]) -> Spine:
        """Give a spine a new kind; one that begins to hold notes is a new part, right of its neighbour."""
        if not _holds_notes(kind) or spine.is_kern:
            spine.kind = kind
            return spine if _holds_notes(kind) else Spine(kind, end=spine.end)
        part = len(self.part_order)
        _check("parts", part + 1, MOST_PARTS)
        neighbour = next((other.part for other in reversed(left) if other.is_kern), None)
        place = 0 if neighbour is None else self.part_order.index(neighbour) + 1
        self.part_order.insert(place, part)
        return Spine(kind, part, spine.end)


def _check(what: str, number: int, most: int) -> None:
    if number > most:
        raise RejectedInputError(f"has too many {what}: expected at most {most:,}, got {number:,}")


def _holds_notes(kind: str) -> bool:
    """Say whether a kind of spine is `**kern`, or the same under the names that data sets for neural networks use."""
    return kind == "**kern" or kind.startswith(("**ekern", "**bekern"))


def _branch(spine: Spine) -> Spine:
    return Spine(spine.kind, spine.part, spine.end, reading=spine.reading, is_ossia=spine.is_ossia)


def _joined(run: list[Spine]) -> list[Spine]:
    """Join a run of neighbours, each with those of its own part: `*v *v *v *v` can be two joins beside each other."""
    groups: list[list[Spine]] = []
    for spine in run:
        if groups and (groups[-1][0].kind, groups[-1][0].part) == (spine.kind, spine.part):
            groups[-1].append(spine)
        else:
            groups.append([spine])
    if any(len(group) == 1 for group in groups):
        groups = [run]
    joined = []
    for group in groups:
        latest = max(group, key=lambda spine: spine.end)
        sure = any(spine.is_sure for spine in group if spine.end == latest.end)
        joined.append(Spine(group[0].kind, group[0].part, latest.end, sure, is_ossia=group[0].is_ossia))
    return joined


def _exchanged(tokens: list[str], spines: list[Spine]) -> list[Spine]:
    places = [index for index, token in enumerate(tokens) if token == EXCHANGE]
    exchanged = list(spines)
    for first, second in zip(places[::2], places[1::2], strict=False):
        exchanged[first], exchanged[second] = spines[second], spines[first]
    return exchanged

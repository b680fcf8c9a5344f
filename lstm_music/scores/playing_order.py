"""The order in which the measures of a score are played: repeats, endings, da capo, dal segno, coda and fine.

`"as_played"` follows every sign:

- A repeat sign goes back to the last start of a repeat, else to the start of the score or to the end of the last repeat.
- An ending belongs to the passes whose numbers it shows. Adjacent endings are one group; the passage is played as often as
  the highest number of the group says, and once more if there is a single ending. A group without a repeat sign or a jump,
  or without an ending for the first pass, is no choice: all of it is played.
- *Da capo* and *dal segno* jump once each. After a jump, repeats are left out unless their sign says otherwise, the last
  ending of a group is taken, *fine* ends the piece, and the way to the coda is taken.

`"once"` plays each passage once, in the order of the score, as a player does who leaves out all repeats: of a group of
endings it takes the last. So the end of the first ending never stands before the start of the second, which nobody plays.

The signs are those of MusicXML's `barline` and `sound`, but nothing here knows of MusicXML.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lstm_music.errors import RejectedInputError
from lstm_music.scores.spec import Repeats

MOST_PASSES = 64  # what a repeat sign can ask for
MOST_MEASURES = 65_536  # that a score can have as it is played


@dataclass(frozen=True, slots=True)
class MeasureSigns:
    """The signs of one measure. `passes` is how often a repeat sign at its end has the passage played; 0 means no sign.

    `ending` are the passes that an ending covers this measure for, empty outside of endings. Segnos and codas have names:
    `segno` and `coda` stand here, `dal_segno` and `to_coda` lead to them.
    """

    starts_repeat: bool = False
    passes: int = 0
    repeats_after_jump: bool = False
    ending: frozenset[int] = frozenset()
    starts_ending: bool = False
    da_capo: bool = False
    dal_segno: str = ""
    segno: str = ""
    to_coda: str = ""
    coda: str = ""
    fine: bool = False

    @property
    def leads_back(self) -> bool:
        """Whether the music can go back from here."""
        return bool(self.passes or self.da_capo or self.dal_segno)


@dataclass(slots=True)
class _Group:
    """Adjacent endings, and how often the passage before them is played. `last` is the first measure of the last ending."""

    passes: int
    last: int
    repeats_after_jump: bool


@dataclass(slots=True)
class _Walk:
    """Where a player is: the measure, the start of the passage, which pass of it this is, and the jumps so far.

    `segnos` and `codas` are the first measures of each name.
    """

    signs: Sequence[MeasureSigns]
    groups: Sequence[_Group | None]
    segnos: Mapping[str, int]
    codas: Mapping[str, int]
    place: int = 0
    passage: int = 0
    turn: int = 1
    jumps: set[int] = field(default_factory=set)


def playing_order(signs: Sequence[MeasureSigns], repeats: Repeats) -> list[int]:
    """Return the indices of the measures in the order in which they are played.

    Raises RejectedInputError if that is more than `MOST_MEASURES`.
    """
    groups = _groups(signs)
    if repeats == "once":
        return [place for place, group in enumerate(groups) if group is None or place >= group.last]
    walk = _Walk(signs, groups, _first_places(sign.segno for sign in signs), _first_places(sign.coda for sign in signs))
    order: list[int] = []
    while walk.place < len(signs):
        measure = signs[walk.place]
        if measure.starts_repeat and walk.place != walk.passage:
            walk.passage, walk.turn = walk.place, 1
        if _is_passed_over(walk):
            walk.place += 1
            continue
        order.append(walk.place)
        if len(order) > MOST_MEASURES:
            raise RejectedInputError(f"has repeats that make more than {MOST_MEASURES:,} measures of it")
        if measure.fine and walk.jumps:
            break
        _go_on(walk)
    return order


def _is_passed_over(walk: _Walk) -> bool:
    group, measure = walk.groups[walk.place], walk.signs[walk.place]
    if group is None:
        return False
    if walk.jumps and not group.repeats_after_jump:
        return walk.place < group.last
    return walk.turn not in measure.ending


def _go_on(walk: _Walk) -> None:
    """Move to the measure that is played after this one."""
    here, measure, group = walk.place, walk.signs[walk.place], walk.groups[walk.place]
    passes = min(group.passes if group else measure.passes, MOST_PASSES)
    repeats = measure.passes and (not walk.jumps or measure.repeats_after_jump)
    if repeats and walk.turn < passes:
        walk.place, walk.turn = walk.passage, walk.turn + 1
        return
    is_last_of_group = (
        group is not None and walk.place + 1 < len(walk.groups) and walk.groups[walk.place + 1] is not group
    )
    if measure.passes or is_last_of_group:
        walk.passage, walk.turn = here + 1, 1
    target = _jump(walk)
    if target is None:
        walk.place += 1
    else:
        walk.place = walk.passage = target
        walk.turn = 1


def _jump(walk: _Walk) -> int | None:
    """Return where a jump leads that is taken after this measure."""
    here, measure = walk.place, walk.signs[walk.place]
    if walk.jumps and measure.to_coda:
        target = _named(walk.codas, measure.to_coda)
        return target if target is not None and target > here else None
    if here in walk.jumps:
        return None
    target = 0 if measure.da_capo else None
    if measure.dal_segno:
        target = _named(walk.segnos, measure.dal_segno)
    if target is not None:
        walk.jumps.add(here)
    return target


def _first_places(names: Iterable[str]) -> dict[str, int]:
    """Return the first place of each name, in the order of the places."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if name:
            places.setdefault(name, place)
    return places


def _named(places: Mapping[str, int], name: str) -> int | None:
    """Return the first place of a name, else the first place of any."""
    return places.get(name, next(iter(places.values()), None))


def _groups(signs: Sequence[MeasureSigns]) -> list[_Group | None]:
    """Return for each measure the group of endings that is a choice, if it is in one."""
    groups: list[_Group | None] = [None] * len(signs)
    first = 0
    for place in range(len(signs) + 1):
        if place < len(signs) and signs[place].ending:
            continue
        if first < place:
            groups[first:place] = [_group(signs, first, place)] * (place - first)
        first = place + 1
    return groups


def _group(signs: Sequence[MeasureSigns], first: int, end: int) -> _Group | None:
    starts = [place for place in range(first, end) if signs[place].starts_ending or place == first]
    members = signs[first:end]
    if not any(sign.leads_back for sign in members) or not any(1 in sign.ending for sign in members):
        return None
    highest = max(number for sign in members for number in sign.ending)
    after_jump = any(sign.repeats_after_jump for sign in members)
    return _Group(highest + (len(starts) == 1), starts[-1], after_jump)

# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False
"""The loops that go from event to event, which numpy cannot: of reading MIDI, of finding what repeats, and of comparing pieces.

This module has no dependency, so that Cython compiles it as it is (types are in `loops.pxd`); setup.py does that where a C
compiler is at hand. Interpreted and compiled it gives the same, and neither reads outside its arrays: the compiled loops
check each index, and a read past the end of the file ends the track as it does in Python.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array

# What ends a track early. 0: nothing does.
WHOLE, CUT, NO_STATUS, LONG_QUANTITY, LONG_EVENT = range(5)

SOUNDS = 16 << 7  # a channel and a pitch

try:
    DIGEST: int = LOOPS_DIGEST  # type: ignore[name-defined]
except NameError:
    DIGEST = 0  # this source is interpreted
LONGEST_QUANTITY_BYTES = 5  # the standard allows 4; real files have 5


def locate(  # noqa: C901, PLR0912, PLR0915 (calls would dominate the time)
    data: bytes,
    start: int,
    stop: int,
    kept: bytes,
    ticks: "array[int]",
    places: "array[int]",
    count: int,
    system_ticks: "array[int]",
    system_places: "array[int]",
    system_count: int,
) -> tuple[int, int, int, int, int, int, int, int]:
    """Find the events of the track whose contents are `data` from `start` to `stop` (exclusive).

    Each channel event adds its tick to `ticks` and the position of its first data byte to `places`, from index `count` on. So do
    `system_ticks` and `system_places` from `system_count` on for each meta or system exclusive event that `kept` wants (256
    flags, by its kind; 0xF0 is system exclusive), with the position of its first byte. Ticks are arrays of 8-byte integers,
    places of 4-byte ones.

    Returns (count, system count, end tick, position behind the end of track or -1, fault, position of the fault, number and first
    position of messages that do not belong in a file).
    """
    position = start
    tick = data_bytes = stray = 0
    behind_end = fault_at = stray_at = -1
    known = count
    fault = WHOLE
    try:
        while position < stop:
            delta = data[position]
            position += 1
            if delta > 127:
                byte = data[position]
                position += 1
                delta = (delta & 127) << 7 | byte & 127
                if byte > 127:
                    last = position + LONGEST_QUANTITY_BYTES - 3
                    while byte > 127 and position <= last:
                        byte = data[position]
                        position += 1
                        delta = delta << 7 | byte & 127
                    if byte > 127:
                        fault, fault_at = LONG_QUANTITY, last + 1 - LONGEST_QUANTITY_BYTES
                        break
            tick += delta
            event = data[position]
            if event < 0xF0:
                if event > 127:
                    data_bytes = 1 if 0xC0 <= event < 0xE0 else 2  # one for program change and channel pressure
                    position += 1
                elif data_bytes == 0:
                    fault, fault_at = NO_STATUS, position
                    break
                ticks[count] = tick
                places[count] = position
                count += 1
                position += data_bytes
                continue
            kind = event
            begin = position
            position += 1
            if event == 0xFF:
                kind = data[position]
                position += 1
            elif event not in (0xF0, 0xF7):  # a message for a cable, which sequencers leave in files: it takes no time
                stray += 1
                if stray == 1:
                    stray_at = begin
                position += 2 if event == 0xF2 else 1 if event in (0xF1, 0xF3) else 0
                continue
            first = position
            length = data[position] & 127
            while data[position] > 127 and position < first + LONGEST_QUANTITY_BYTES - 1:
                position += 1
                length = length << 7 | data[position] & 127
            if data[position] > 127:
                fault, fault_at = LONG_QUANTITY, first
                break
            position += 1
            after = position + length
            if after > stop:
                fault, fault_at = LONG_EVENT, position
                break
            if kept[kind] and (event == 0xFF or kind == 0xF0):
                system_ticks[system_count] = tick
                system_places[system_count] = begin
                system_count += 1
            position = after
            if event == 0xFF and kind == 0x2F:
                behind_end = after
                break
    except IndexError:
        fault, fault_at = CUT, stop
    if position > stop and fault == WHOLE:
        fault, fault_at = CUT, stop
    if count > known and places[count - 1] + data_bytes > stop:
        count -= 1  # the last event lacks data
    return count, system_count, tick, behind_end, fault, fault_at, stray, stray_at


def match(
    status: bytes,
    first: bytes,
    second: bytes,
    start: int,
    stop: int,
    ons: "array[int]",
    offs: "array[int]",
    following: "array[int]",
    heads: "array[int]",
    tails: "array[int]",
    count: int,
) -> tuple[int, int]:
    """Find the notes among the channel events from `start` to `stop` (exclusive), which are in time.

    Each note-on adds its index to `ons` and that of its note-off (or -1) to `offs`, from index `count` on: the first note-on of
    a channel and pitch ends at the first later note-off of them. `following`, as long as the others, `heads`, full of -1, and
    `tails`, each of `SOUNDS` entries, are for its own use.

    Returns (count, number of note-offs without a note).
    """
    # The first and the last sounding note of each channel and pitch; `following` leads from one to the next.
    begin = count
    orphans = sounding = 0
    for row in range(start, stop):
        kind = status[row]
        if kind >= 0xA0:
            continue
        sound = (kind & 15) << 7 | first[row]
        head = heads[sound]
        if kind >= 0x90 and second[row] > 0:
            ons[count] = row
            offs[count] = -1
            following[count] = -1
            if head < 0:
                heads[sound] = count
            else:
                following[tails[sound]] = count
            tails[sound] = count
            count += 1
            sounding += 1
        elif head < 0:
            orphans += 1
        else:
            offs[head] = row
            heads[sound] = following[head]
            sounding -= 1
    if sounding:
        for note in range(begin, count):
            row = ons[note]
            heads[(status[row] & 15) << 7 | first[row]] = -1
    return count, orphans


def name_runs(
    first: "memoryview[int]",
    second: "memoryview[int]",
    lag: int,
    names: "memoryview[int]",
    previous: "memoryview[int]",
    latest: "memoryview[int]",
    table: "memoryview[int]",
    shift: int,
) -> int:
    """Name the run that ends at each event. Two runs are equal if both of their parts are.

    The parts of a run have the names `second[event]`, and before it `first[event - lag]`; a negative one stands for no part.
    The name of a run is the first event at which it ended, or -1 if it ends at no other. `previous` gets the event at which the
    run ended last, or -1. All are int64 [events]. `latest`, int64 [events], and `table`, int32 with 2^(64 - `shift`) entries,
    more than there are events, are for its own use.

    Returns the number of events at which a run ends that ended before.
    """
    golden = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: Knuth's multiplicative hashing
    word = 0xFFFFFFFFFFFFFFFF  # compiled, a product has 64 bits, and this changes nothing
    mask = (1 << (64 - shift)) - 1
    found = 0
    for slot in range(mask + 1):
        table[slot] = -1
    for event in range(len(second)):
        names[event] = previous[event] = -1
        if event < lag:
            continue
        before = first[event - lag]
        here = second[event]
        if before < 0 or here < 0:
            continue
        slot = (((before * golden & word) ^ here) * golden & word) >> shift
        name = table[slot]
        while name >= 0 and (second[name] != here or first[name - lag] != before):
            slot = (slot + 1) & mask
            name = table[slot]
        if name < 0:
            table[slot] = event
        else:
            found += 1
            previous[event] = name if names[name] < 0 else latest[name]
            names[name] = names[event] = name
        latest[table[slot]] = event
    return found


def best_runs(
    names: "memoryview[int]",
    previous: "memoryview[int]",
    levels: int,
    events: int,
    count: int,
    following: "memoryview[int]",
    reached: "memoryview[int]",
) -> None:
    """Find the `count` longest runs that end at each event and ended before: of equally long ones, the latest.

    `names` and `previous`, int64 [lengths · events], are what `name_runs` found for runs of several lengths, ascending, of which
    the first `levels` count. `following` and `reached`, int64 [events · count] and full of 0, get for each event and run the
    event after the one where it ended before, and the number of its length, from 1 on.
    """
    for event in range(events):
        filled = event * count
        full = filled + count
        for level in range(levels - 1, -1, -1):
            row = level * events
            above = row + events
            earlier = previous[row + event]
            longer = names[above + event] if level + 1 < levels else -1
            while earlier >= 0 and filled < full:
                if longer < 0 or names[above + earlier] != longer:  # else it was found as a longer run
                    following[filled] = earlier + 1
                    reached[filled] = level + 1
                    filled += 1
                earlier = previous[row + earlier]


def count_shared(numbers: "memoryview[int]", first: int, first_stop: int, second: int, second_stop: int) -> int:
    """Count the numbers that two parts of `numbers`, uint64, have both. Each part is ascending, and holds no number twice."""
    shared = 0
    while first < first_stop and second < second_stop:
        one = numbers[first]
        other = numbers[second]
        shared += one == other
        first += one <= other
        second += other <= one
    return shared

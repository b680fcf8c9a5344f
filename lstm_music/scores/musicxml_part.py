"""The measures of one MusicXML part → what each of them holds, in quarters from its start."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from lstm_music.errors import RejectedInputError
from lstm_music.scores.musicxml_clock import ZERO, Clock, Timeline
from lstm_music.scores.musicxml_instruments import ensemble_of
from lstm_music.scores.musicxml_notes import (
    MOST_STAVES,
    Surroundings,
    WrittenNote,
    lengths_of,
    looks_like,
    sounding_note,
    velocity_of,
)
from lstm_music.scores.musicxml_signs import (
    KeySign,
    TimeSign,
    add_barline,
    add_sound,
    ending_of,
    key_sign,
    metronome_tempo,
    sound_tempo,
    sounding_key,
    time_sign,
    transposition,
)
from lstm_music.scores.musicxml_tree import PartTree, number_of, plain_text, whole_number
from lstm_music.scores.playing_order import MeasureSigns

MOST_COPIED_INSTRUMENTS = 1_000_000  # in a part; a drum set of 50 with 1,000 changes has 50,000


@dataclass(slots=True)
class WrittenMeasure:
    """What a part has in a measure, in quarters from its start.

    `filled` is how far its notes and rests reach, `skipped` how far a `forward` goes, `rest` how long the rest of a whole
    measure claims to be. `time` and `key` hold at its start; `times` and `keys` are the signatures that stand in it. A tempo
    is (place, microseconds per quarter); those of `sound` stand before printed ones.
    """

    number: str = ""
    is_implicit: bool = False
    notes: list[WrittenNote] = field(default_factory=list)
    filled: Fraction = ZERO
    skipped: Fraction = ZERO
    rest: Fraction = ZERO
    time: TimeSign | None = None
    key: KeySign | None = None
    times: list[tuple[Fraction, TimeSign]] = field(default_factory=list)
    keys: list[tuple[Fraction, KeySign]] = field(default_factory=list)
    sounds: list[tuple[Fraction, int]] = field(default_factory=list)
    marks: list[tuple[Fraction, int]] = field(default_factory=list)
    signs: MeasureSigns = field(default_factory=MeasureSigns)


@dataclass(slots=True)
class WrittenPart:
    """A part as it is written. `staves` are the numbers of its staves; `faults` counts what was left out, by what it is."""

    name: str
    family: int
    measures: list[WrittenMeasure]
    staves: list[int]
    faults: Counter[str]


def read_part(tree: PartTree) -> WrittenPart:
    """Read the measures of a part."""
    reader = _PartReader(tree)
    measures = [reader.read(element) for element in tree.measures]
    used = {note.staff for measure in measures for note in measure.notes}
    staves = sorted(used | set(range(1, reader.staves + 1)))
    return WrittenPart(plain_text(tree.listed, "part-name"), tree.family, measures, staves, reader.faults)


class _PartReader:
    """Reads one measure after the other; what holds until it is changed is kept here."""

    def __init__(self, tree: PartTree) -> None:
        self.staves = 1
        self.faults: Counter[str] = Counter()
        self._around = Surroundings(Timeline(ensemble_of(tree.listed)))
        self._divisions = Fraction(1)
        self._copied = 0  # instruments, at all their changes
        self._time: TimeSign | None = None
        self._key: KeySign | None = None
        self._ending: frozenset[int] = frozenset()
        self._readers: Mapping[str, Callable[[Element], None]] = {
            "note": self._note,
            "backup": self._backup,
            "forward": self._forward,
            "attributes": self._attributes,
            "direction": self._direction,
            "sound": self._sound,
            "barline": self._barline,
        }

    def read(self, element: Element) -> WrittenMeasure:
        """Read the next measure."""
        self._clock = Clock()
        self._onset = ZERO  # of the last note, where the rest of its chord stands
        self._length = ZERO
        self._first: Element | None = None  # of its chord
        self._lasting: list[tuple[Element, Fraction, Fraction]] = []  # notes with onset and end
        self._rests: list[Fraction] = []
        self._measure = WrittenMeasure(element.get("number", ""), element.get("implicit") == "yes")
        self._ends_ending = False
        for child in element:
            reader = self._readers.get(child.tag)
            if reader is not None:
                reader(child)
        return self._finished()

    def _finished(self) -> WrittenMeasure:
        """Give the notes their sounds, when all changes in the measure are known, and close the measure."""
        measure = self._measure
        for note, onset, end in self._lasting:
            sounding = sounding_note(note, onset, end, self._around)
            if sounding is None:
                self.faults["note whose pitch MIDI does not have"] += 1
            else:
                measure.notes.append(sounding)
        if not self._lasting and len(self._rests) == 1:  # alone in the measure, it is a rest of the whole measure
            measure.rest, measure.filled = max(measure.rest, self._rests[0]), ZERO
        measure.time = next((time for place, time in measure.times if place == 0), self._time)
        measure.key = next((key for place, key in measure.keys if place == 0), self._key)
        self._time = measure.times[-1][1] if measure.times else self._time
        self._key = measure.keys[-1][1] if measure.keys else self._key
        measure.signs = replace(measure.signs, ending=self._ending)
        if self._ends_ending or measure.signs.passes:
            self._ending = frozenset()
        self._around.next_measure()
        return measure

    def _note(self, note: Element) -> None:
        if note.find("grace") is not None:
            return
        lengths = lengths_of(note, self._divisions)
        is_chord = note.find("chord") is not None
        if is_chord and (lengths is None or (self._first is not None and looks_like(note, self._first))):
            lengths = self._length, self._length  # some programs give the first note of a chord alone its true duration
        if lengths is None:
            self.faults["note without a duration"] += 1
            return
        counted, exact = lengths
        onset = self._onset if is_chord else self._clock.now
        rest = note.find("rest")
        if not is_chord:
            self._first, self._onset, self._length = note, onset, exact
            self._clock.advance(counted, exact)
            self._fill(rest)
        if rest is None and exact > 0 and note.find("cue") is None:
            self._lasting.append((note, onset, onset + exact))

    def _fill(self, rest: Element | None) -> None:
        """Note how far the measure is filled, now that the clock has gone on by a note or rest."""
        reached = self._clock.now
        if rest is None:
            self._measure.filled = max(self._measure.filled, reached)
            return
        if rest.get("measure") == "yes" and self._onset == 0:
            self._measure.rest = max(self._measure.rest, reached)
            return
        self._rests.append(reached)
        self._measure.filled = max(self._measure.filled, reached)

    def _backup(self, element: Element) -> None:
        self._clock.go_back(self._quarters(element))

    def _forward(self, element: Element) -> None:
        length = self._quarters(element)
        self._clock.advance(length, length)
        self._measure.skipped = max(self._measure.skipped, self._clock.now)

    def _quarters(self, element: Element) -> Fraction:
        duration = number_of(element.findtext("duration"))
        if duration is None or duration < 0:
            self.faults[f"{element.tag} without a duration"] += 1
            return ZERO
        return duration / self._divisions

    def _attributes(self, element: Element) -> None:
        now = self._clock.now
        divisions = number_of(element.findtext("divisions"))
        if divisions is not None and divisions > 0:
            self._divisions = divisions
        self.staves = max(self.staves, whole_number(element.findtext("staves"), 1, MOST_STAVES) or 1)
        self._transpositions(element.findall("transpose"), now)
        for clef in element.iterfind("clef"):
            is_percussion = plain_text(clef, "sign") == "percussion"
            staff = whole_number(clef.get("number", "1"), 1, MOST_STAVES) or 1
            clefs = self._around.percussion_clef
            clefs.change(now, {**clefs.at(now), staff: is_percussion})
        time = next((sign for sign in map(time_sign, element.iterfind("time")) if sign is not None), None)
        if time is not None:
            self._measure.times.append((now, time))
        key = next((sign for sign in map(key_sign, element.iterfind("key")) if sign is not None), None)
        if key is not None:
            semitones = self._around.transposition.at(now)
            self._measure.keys.append((now, sounding_key(key, semitones.get(1, semitones.get(0, 0)))))

    def _transpositions(self, elements: list[Element], now: Fraction) -> None:
        for element in elements:
            staff = whole_number(element.get("number", "0"), 0, MOST_STAVES) or 0
            others = self._around.transposition.at(now) if staff else {}
            self._around.transposition.change(now, {**others, staff: transposition(element)})

    def _direction(self, element: Element) -> None:
        sound = element.find("sound")
        offset = element.find("offset")
        place = self._clock.now
        if offset is not None and (offset.get("sound") == "yes"):
            place = self._moved(place, offset)
        if sound is not None:
            self._sound(sound, place)
        if sound_tempo(sound) is None:
            tempos = map(metronome_tempo, element.iterfind("direction-type/metronome"))
            self._measure.marks += [(place, tempo) for tempo in tempos if tempo is not None]
        if element.find("direction-type/segno") is not None and not self._measure.signs.segno:
            self._measure.signs = replace(self._measure.signs, segno="segno")  # the sign, without a sound that names it

    def _sound(self, sound: Element, place: Fraction | None = None) -> None:
        place = self._clock.now if place is None else place
        offset = sound.find("offset")
        if offset is not None:
            place = self._moved(place, offset)
        tempo = sound_tempo(sound)
        if tempo is not None:
            self._measure.sounds.append((place, tempo))
        velocity = velocity_of(sound.get("dynamics"))
        if velocity is not None:
            self._around.velocity.change(place, velocity)
        if len(sound):
            self._change_instruments(sound, place)
        self._measure.signs = add_sound(self._measure.signs, sound)

    def _change_instruments(self, sound: Element, place: Fraction) -> None:
        """Change instruments, or which of them plays. Raises RejectedInputError where all the copies would fill the memory."""
        before = self._around.ensemble.at(place)
        after = before.after(sound)
        if after.instruments is not before.instruments:
            self._copied += len(after.instruments)
            if self._copied > MOST_COPIED_INSTRUMENTS:
                raise RejectedInputError("changes its instruments too often")
        self._around.ensemble.change(place, after)

    def _moved(self, place: Fraction, offset: Element) -> Fraction:
        return max(place + (number_of(offset.text) or ZERO) / self._divisions, ZERO)

    def _barline(self, element: Element) -> None:
        kind, passes = ending_of(element)
        if kind == "start":
            self._ending = passes
            self._measure.signs = replace(self._measure.signs, starts_ending=True)
        elif kind:
            self._ends_ending = True
            if not self._ending:  # nothing says where it starts, so it is one measure
                self._ending = passes or frozenset({1})
        self._measure.signs = add_barline(self._measure.signs, element)
        if self._measure.signs.starts_repeat and kind != "start":
            self._ending = frozenset()  # an ending that nothing ends


def faults_of(parts: list[WrittenPart]) -> Iterator[str]:
    """Yield a warning for each kind of element that was left out."""
    faults: Counter[str] = sum((part.faults for part in parts), Counter())
    for what, count in sorted(faults.items()):
        name, rest = what.split(" ", 1)
        yield f"has {count:,} {name}{'s' * (count > 1)} {rest}, which {'are' if count > 1 else 'is'} left out"

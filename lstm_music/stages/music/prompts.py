"""Prompts: good or random places of held-out pieces, a named place, a file of the user's, or no music at all."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.encoding.chords import content
from lstm_music.encoding.events import EventSpec, PieceEvents
from lstm_music.encoding.parts import PartReader
from lstm_music.encoding.splits import SPLITS, TEST, VALIDATION
from lstm_music.encoding.streams import PART, STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import PieceSpan
from lstm_music.errors import NotEnoughMusicError, RejectedInputError, SourceError
from lstm_music.generation.prompt import Prompt, choose_places, cut_segment, nothing_before
from lstm_music.generation.prompt_choice import PieceView, badness, density_of, ends_with_bars, good_places
from lstm_music.generation.spec import AUTO, NONE, RANDOM, GenerationSpec
from lstm_music.generation.steering import read_bars
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.text import printable
from lstm_music.midi.usable import require_music
from lstm_music.scores.reading import read_score
from lstm_music.scores.spec import Repeats
from lstm_music.sources.books import one_tune
from lstm_music.sources.entry import Refused, music_format
from lstm_music.sources.file import read_file
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.data.events import read_piece
from lstm_music.stages.music.lengths import ends_with_a_bar
from lstm_music.stages.music.segments import cut, piece_rows
from lstm_music.stages.music.steering import fits_key, in_meter, steered
from lstm_music.store import Store

Start = tuple[PieceSpan, int]
"""A piece, and its event that a segment begins with."""

NAMED = 3  # pieces that a sentence names

PIANOS = range(8)
FAMILIES = (  # of eight programs each, by General MIDI
    "pianos",
    "chromatic percussion",
    "organs",
    "guitars",
    "basses",
    "strings",
    "ensembles",
    "brass",
    "reeds",
    "pipes",
    "synth leads",
    "synth pads",
    "synth effects",
    "folk instruments",
    "percussive instruments",
    "sound effects",
)


@dataclass(frozen=True)
class PromptMidi:
    """A file of the user's to go on from: its name, bytes and format, and how often repeated bars of a score are read."""

    name: str
    data: bytes
    format: str
    repeats: Repeats = "once"

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def spec(self) -> dict[str, str]:
        """What of the file decides the music; a MIDI file has no signs of repetition."""
        has_signs = self.format != "midi" and self.repeats != "once"
        return {"name": self.name, "sha256": self.sha256, **({"repeats": self.repeats} if has_signs else {})}

    def read(self) -> PieceNotes:
        """Read its music; RejectedInputError if there is none."""
        return (
            read_midi(self.data) if self.format == "midi" else read_score(self.data, self.format, repeats=self.repeats)
        )


@dataclass(frozen=True)
class Origin:
    """What a prompt was cut out of: the split ("" for a file of the user's), and the piece's credits.

    `warnings` are sentences for the user, such as what the prompt leaves out of their file. If the prompt `ends_bar`, music goes
    on with the next bar. `moved` is by how many semitones the prompt is higher than in its piece.
    """

    segment: Prompt
    split: str = ""
    composer: str = ""
    source: str = ""
    licence: str = ""
    warnings: tuple[str, ...] = ()
    ends_bar: bool = False
    moved: int = 0


def read_prompt_midi(path: Path, repeats: Repeats = "once") -> PromptMidi:
    """Read the file given by `--prompt-midi`, or a tune of a book, such as `book.abc/12`; `repeats` is the recipe's.

    Raises SourceError if it does not exist, if its extension is not one of music files, or if it is a whole book.
    """
    if path.is_dir():
        raise SourceError(f"{path}: expected a music file, got a folder; give one of its files")
    is_in_book = music_format(path.parent.name) == "abc" and path.parent.is_file()
    file, tune = (path.parent, path.name) if is_in_book else (path, "")
    form = music_format(file.name)
    if form is None:
        raise SourceError(f"{path}: not a music file by its extension; give a .mid file")
    read = read_file(file, printable(file.name))
    if isinstance(read, Refused):
        raise SourceError(f"{path}: {read.reason}; give the path of a music file")
    if form == "abc":
        read = one_tune(read, tune)
    return PromptMidi(read.name, read.data, form, repeats)


def choose_prompts(
    store: Store, dataset: Dataset, spec: GenerationSpec, random_seed: int, prompt_midi: PromptMidi | None
) -> list[Origin]:
    """Return the prompt of each candidate, with the key, meter, tempo and velocity that are asked for.

    Raises NotEnoughMusicError if no held-out piece is long enough, RejectedInputError for a prompt MIDI without music,
    SourceError for an unknown piece or composer, and for a meter or a key that no prompt has.
    """
    found = _choose(store, dataset, spec, random_seed, prompt_midi)
    is_own_choice = prompt_midi is not None or spec.prompt not in {AUTO, RANDOM}
    known: dict[int, Origin] = {}
    for origin in found:
        if id(origin) not in known:
            segment, moved, warnings = steered(dataset, spec, origin.segment, is_own_choice=is_own_choice)
            said = (*origin.warnings, *warnings)
            known[id(origin)] = replace(origin, segment=segment, moved=moved, warnings=said)
    return [known[id(origin)] for origin in found]


def _choose(
    store: Store, dataset: Dataset, spec: GenerationSpec, random_seed: int, prompt_midi: PromptMidi | None
) -> list[Origin]:
    if prompt_midi is not None:
        return [_origin_of_file(dataset, prompt_midi, spec)] * spec.candidates
    if spec.prompt == NONE:
        return [Origin(nothing_before(dataset.tokens.shape[1], dataset.events.grid))] * spec.candidates
    rows = piece_rows(store, dataset)
    if spec.prompt in {AUTO, RANDOM}:
        spans = in_meter(store, dataset, _held_out(dataset, rows, spec.composer), spec.meter)
        if spec.prompt == RANDOM:
            places = _any_places(dataset, spans, spec, random_seed)
        else:
            places = _good_places(dataset, spans, spec, random_seed)
    else:
        places = [_named_place(dataset, rows, spec)] * spec.candidates
    return _cut(store, dataset, rows, places, spec)


def _held_out(dataset: Dataset, rows: dict[str, dict[str, Any]], composer: str) -> list[PieceSpan]:
    """Return the held-out pieces, of one composer if there is one; NotEnoughMusicError if no piece is held out."""
    spans = sorted({*dataset.spans[VALIDATION], *dataset.spans[TEST]}, key=lambda span: span.piece_id)
    if not spans:
        raise NotEnoughMusicError("no piece is held out to take a prompt from; give --prompt-midi FILE, or more music")
    if not composer:
        return spans
    composers = {rows[span.piece_id]["composer"] for span in spans} - {""}
    matching = sorted(name for name in composers if composer.casefold() in name.casefold())
    if len(matching) != 1:
        known = ", ".join(matching or sorted(composers)) or "none, because no piece lies in a composer's folder"
        raise SourceError(f"--composer: expected a composer of the held-out pieces ({known}), got {composer!r}")
    return [span for span in spans if rows[span.piece_id]["composer"] == matching[0]]


def _any_places(dataset: Dataset, spans: Sequence[PieceSpan], spec: GenerationSpec, random_seed: int) -> list[Start]:
    events, length = [span.events for span in spans], spec.prompt_events
    count = spec.candidates
    if spec.key:  # then some are left out
        count = max(count, sum(max(total - length + 1, 0) for total in events))
    places = ((spans[index], first) for index, first in choose_places(events, length, count, random_seed))
    return _taken(places, spec, fits_key(dataset, spec))


def _good_places(dataset: Dataset, spans: Sequence[PieceSpan], spec: GenerationSpec, random_seed: int) -> list[Start]:
    """Take the best place of each piece, the pieces in random order; then the second best of each, and so on.

    Places that overlap a better one of their piece are not taken, nor the worse half of all, until there is no other. If music of
    a certain length is asked for, a place is better if it ends with a bar.
    """
    length = spec.prompt_events
    choose_places(
        [span.events for span in spans], length, 1, random_seed
    )  # raises the error if no piece is long enough
    long = [span for span in spans if span.events >= length]
    views = [_view(dataset, span) for span in long]
    density = density_of(views)
    ranked = []
    for span, view in zip(long, views, strict=True):
        bad = badness(view, length, density)
        if spec.has_length:
            bad = np.column_stack([bad, ~ends_with_bars(view, length)])
        ranked += [(turn, span, place, bad[place].sum()) for turn, place in enumerate(good_places(bad, length))]
    usual = float(np.median([bad for *_, bad in ranked]))
    order = np.random.default_rng([random_seed, 4]).permutation(len(ranked))
    found = sorted((ranked[index] for index in order), key=lambda found: (found[3] > usual, found[0]))
    return _taken(((span, place) for _, span, place, _ in found), spec, fits_key(dataset, spec))


def _taken(places: Iterable[Start], spec: GenerationSpec, fits: Callable[[PieceSpan, int], bool]) -> list[Start]:
    """Take a place for each candidate, from the first on those that fit; where there are too few, they come again."""
    found = list(islice((place for place in places if fits(*place)), spec.candidates))
    if not found:
        raise SourceError(
            f"--key: no prompt of {spec.prompt_events} events in the held-out pieces sounds like {spec.key}"
        )
    return (found * -(-spec.candidates // len(found)))[: spec.candidates]


def _view(dataset: Dataset, span: PieceSpan) -> PieceView:
    tokens = np.asarray(dataset.tokens[span.start : span.stop], np.int64)
    grid, offsets = dataset.events.grid, dataset.offset_quarters * dataset.events.grid.steps_per_quarter
    step, quarter = tokens[:, len(dataset.streams)], tokens[:, len(dataset.streams) + 1]
    onsets = np.cumsum(np.rint(offsets[tokens[:, 0]]).astype(np.int64))
    bar = (int(quarter.max()) + 1) * grid.steps_per_quarter  # at least: a very long one counts as its first quarters
    notes = tokens[:, STREAMS.index("note")]
    return PieceView(onsets, quarter * grid.steps_per_quarter + step, bar, notes, _pitch_classes(dataset)[notes])


def _pitch_classes(dataset: Dataset) -> np.ndarray:
    """Give the pitch classes of each note id, float [ids, 12]."""
    values = dataset.vocabularies["note"].values
    table = np.zeros((SPECIAL_IDS + len(values), 12))
    for row, value in enumerate(values, start=SPECIAL_IDS):
        table[row, list(content(value)[1])] = 1
    return table


def _named_place(dataset: Dataset, rows: dict[str, dict[str, Any]], spec: GenerationSpec) -> Start:
    """Find PIECE or PIECE:INDEX among all pieces, by its name or a part of it that no other has."""
    name, colon, number = spec.prompt.rpartition(":")
    name, index = (name, int(number)) if colon and number.isdecimal() else (spec.prompt, None)
    spans = {span.piece_id: span for split in reversed(SPLITS) for span in dataset.spans[split]}
    names = {piece_id: rows[piece_id]["names"] for piece_id in spans}
    matching = [piece_id for piece_id, known in names.items() if name in known] or [
        piece_id for piece_id, known in names.items() if any(name.casefold() in one.casefold() for one in known)
    ]
    if len(matching) != 1:
        shown = sorted(names[piece_id][0] for piece_id in (matching or names))
        found = f"which is in the names of {len(shown)} pieces" if matching else "which is in the name of no piece"
        some = ", ".join(shown[:NAMED]) + (", …" if len(shown) > NAMED else "")
        raise SourceError(f"--prompt: expected auto, random, none or a piece ({some}), got {name!r}, {found}")
    span, length = spans[matching[0]], spec.prompt_events
    last = span.events - length
    if last < 0:
        raise NotEnoughMusicError(
            f"--prompt: {names[matching[0]][0]} has {span.events} events, and the prompt needs {length}; "
            "give a smaller --prompt-events"
        )
    if index is None:
        view = _view(dataset, span)
        return span, good_places(badness(view, length, density_of([view])), length)[0]
    if index > last:
        raise SourceError(f"--prompt: expected an event from 0 to {last} of {names[matching[0]][0]}, got {index}")
    return span, index


def _cut(
    store: Store, dataset: Dataset, rows: dict[str, dict[str, Any]], places: Sequence[Start], spec: GenerationSpec
) -> list[Origin]:
    splits = {span.piece_id: split for split in SPLITS for span in dataset.spans[split]}
    length = spec.prompt_events
    wanted = {(span.piece_id, first): span for span, first in places}
    found = cut(store, dataset, wanted, length)
    origins = {}
    for (piece_id, first), span in wanted.items():
        origins[piece_id, first] = Origin(
            found[piece_id, first],
            splits[piece_id],
            **{name: rows[piece_id][name] for name in ("composer", "source", "licence")},
            ends_bar=spec.has_length and ends_with_a_bar(dataset, span, first + length),
        )
    return [origins[span.piece_id, first] for span, first in places]


def _origin_of_file(dataset: Dataset, prompt_midi: PromptMidi, spec: GenerationSpec) -> Origin:
    """Take bars of a file of the user's, or its last events, or all of a shorter one."""
    name, form = prompt_midi.name, prompt_midi.format
    try:
        piece = prompt_midi.read()
        require_music(piece)
    except RejectedInputError as error:
        raise RejectedInputError(f"{name}: {error}; give a file with notes to go on from") from error
    if dataset.events.reading != "exact" and form != "midi":
        raise RejectedInputError(f"{name}: is {form}, and these models read MIDI files; give a .mid file")
    known = _of_known_parts(dataset)
    events = read_piece(piece, known, name=name, form=form, raw=lambda: prompt_midi.data)
    if not len(events):
        raise RejectedInputError(f"{name}: these models read no event in it; give a longer piece")
    taken = _events_of_bars(events, name, spec.prompt_bars) if spec.prompt_bars else None
    first, stop = taken or (max(len(events) - spec.prompt_events, 0), len(events))
    segment = cut_segment(
        piece,
        events,
        dataset.events,
        dataset.vocabularies,
        name=name,
        first=first,
        length=stop - first,
        knowledge=dataset.knowledge,
    )
    cut_warnings = [] if taken else _cut_warnings(segment, len(events))
    return Origin(
        segment, warnings=(*cut_warnings, *_file_warnings(piece, name, known)), ends_bar=bool(spec.prompt_bars)
    )


def _events_of_bars(events: PieceEvents, name: str, bars: str) -> tuple[int, int]:
    """Return the first event of some bars, and the one behind their last. Raises SourceError if no event begins in them."""
    first, last = read_bars(bars)
    taken = np.flatnonzero((events.bar >= first) & (events.bar <= last))
    if not len(taken) or last > events.bar.max():
        raise SourceError(
            f"--prompt-bars: expected bars of {name}, which has {events.bar.min()} to {events.bar.max()}, got {bars!r}"
        )
    return int(taken[0]), int(taken[-1]) + 1


def _of_known_parts(dataset: Dataset) -> EventSpec:
    """Give the encoding in which notes of parts that the models do not know go to the most similar one."""
    if dataset.events.parts == "none":
        return dataset.events
    known = dataset.vocabularies[PART].values
    return EventSpec.model_validate({**dataset.events.model_dump(), "part_names": known, "other_parts": "merge"})


def _cut_warnings(segment: Prompt, events: int) -> list[str]:
    """Say that a prompt is only the end of its file."""
    if not segment.first:
        return []
    first, last = segment.bars
    end = f"the last {len(segment.tokens):,} of {events:,} events (bars {first} to {last})"
    return [f"{segment.name}: the prompt is {end}; --prompt-events {events} takes all"]


def _file_warnings(piece: PieceNotes, name: str, spec: EventSpec) -> list[str]:
    """Say what of a file could not be read, and who plays the notes of what the models do not know."""
    if spec.part_reader is not None:
        return [f"{name}: {warning}" for warning in (*piece.warnings, *_replaced(spec.part_reader, piece))]
    drums = int(np.count_nonzero(piece.notes["is_drum"]))
    families = np.unique(piece.notes["program"][~piece.notes["is_drum"]] // len(PIANOS)).tolist()
    others = [FAMILIES[family] for family in families if family]
    warnings = [f"{name}: {warning}" for warning in piece.warnings]
    if others:
        warnings.append(
            f"{name}: the piano plays the notes of {_listed(others)}, because the models know one instrument"
        )
    if drums:
        warnings.append(f"{name}: {drums:,} drum {'note is' if drums == 1 else 'notes are'} left out")
    return warnings


def _replaced(reader: PartReader, piece: PieceNotes) -> Iterator[str]:
    for called, part, notes in reader.replaced(piece):
        if part:
            yield f"the {part} plays the {notes:,} {'note' if notes == 1 else 'notes'} of the {called}"
        else:
            yield f"{notes:,} {'note' if notes == 1 else 'notes'} of the {called} {'is' if notes == 1 else 'are'} left out"


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]

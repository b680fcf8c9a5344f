"""Prompts: good or random places of held-out pieces, a named place, a file of the user's, or no music at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from lstm_music.encoding.chords import content
from lstm_music.encoding.splits import SPLITS, TEST, VALIDATION
from lstm_music.encoding.streams import PART, STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.encoding.windows import PieceSpan
from lstm_music.errors import NotEnoughMusicError, SourceError
from lstm_music.generation.prompt import Prompt, choose_places, nothing_before
from lstm_music.generation.prompt_choice import PieceView, badness, density_of, ends_with_bars, good_places
from lstm_music.generation.spec import AUTO, NONE, RANDOM, GenerationSpec
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.lengths import ends_with_a_bar
from lstm_music.stages.music.prompt_files import PromptMidi, segment_of_file
from lstm_music.stages.music.segments import cut, learnt_events, piece_rows
from lstm_music.stages.music.steering import fits_key, holds_a_bar, in_meter, steered
from lstm_music.store import Store

Start = tuple[PieceSpan, int]
"""A piece, and its event that a segment begins with."""

DRUMS_LEFT_OUT = "the drums of held-out pieces are left out of their prompts, because the models do not know drums"

NAMED = 3  # pieces that a sentence names


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
        segment, warnings = segment_of_file(dataset, prompt_midi, spec)
        return [Origin(segment, warnings=tuple(warnings), ends_bar=bool(spec.prompt_bars))] * spec.candidates
    if spec.prompt == NONE:
        return [Origin(nothing_before(dataset.tokens.shape[1], dataset.events.grid))] * spec.candidates
    rows = piece_rows(store, dataset)
    if spec.prompt in {AUTO, RANDOM}:
        spans = in_meter(store, dataset, _held_out(dataset, rows, spec.composer, spec.prompt_events), spec.meter)
        if spec.prompt == RANDOM:
            places = _any_places(spans, spec, random_seed)
        else:
            places = _good_places(dataset, spans, spec, random_seed)
        fits = fits_key(dataset, spec)
        return _those_that_fit(store, dataset, rows, (place for place in places if fits(*place)), spec)
    return _cut(store, dataset, rows, [_named_place(dataset, rows, spec)] * spec.candidates, spec)


def _held_out(dataset: Dataset, rows: dict[str, dict[str, Any]], composer: str, length: int) -> list[PieceSpan]:
    """Return the held-out pieces, of one composer if there is one; NotEnoughMusicError if no piece is held out."""
    spans = sorted({*dataset.spans[VALIDATION], *dataset.spans[TEST]}, key=lambda span: span.piece_id)
    spans = [span for span in spans if _has_prompt(dataset, span, length)]
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


def _has_prompt(dataset: Dataset, span: PieceSpan, length: int) -> bool:
    """Whether a piece has a prompt's events of known parts, where drums are left out of it."""
    if learnt_events(dataset) == dataset.events:
        return True
    parts = dataset.tokens[span.start : span.stop, dataset.streams.index(PART)]
    return int(np.count_nonzero(parts != UNKNOWN)) >= length


def _any_places(spans: Sequence[PieceSpan], spec: GenerationSpec, random_seed: int) -> Iterator[Start]:
    events, length = [span.events for span in spans], spec.prompt_events
    count = spec.candidates
    if spec.key or spec.seconds:  # then some are left out
        count = max(count, sum(max(total - length + 1, 0) for total in events))
    return ((spans[index], first) for index, first in choose_places(events, length, count, random_seed))


def _good_places(
    dataset: Dataset, spans: Sequence[PieceSpan], spec: GenerationSpec, random_seed: int
) -> Iterator[Start]:
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
    return ((span, place) for _, span, place, _ in found)


def _those_that_fit(
    store: Store, dataset: Dataset, rows: dict[str, dict[str, Any]], places: Iterator[Start], spec: GenerationSpec
) -> list[Origin]:
    """Cut a prompt for each candidate at the first places whose bars fit into the seconds of music that are asked for.

    Where too few fit, they come again; where none does, those that do not fit are given, for one sentence about all.
    """
    kept: list[Origin] = []
    others: list[Origin] = []
    size = spec.candidates
    while len(kept) < spec.candidates and (some := list(islice(places, size))):
        for origin in _cut(store, dataset, rows, some, spec):
            (kept if holds_a_bar(dataset, spec, origin.segment) else others).append(origin)
        size *= 2
    found = kept or others
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
    for piece_id, _ in wanted.keys() - found.keys():
        raise NotEnoughMusicError(
            f"{rows[piece_id]['name']}: has fewer than the {length} events of a prompt beside its drums, which the models do not "
            "know; give a smaller --prompt-events, or another --prompt"
        )
    origins = {}
    for (piece_id, first), span in wanted.items():
        segment = found[piece_id, first]
        origins[piece_id, first] = Origin(
            segment,
            splits[piece_id],
            **{name: rows[piece_id][name] for name in ("composer", "source", "licence")},
            warnings=(DRUMS_LEFT_OUT,) if segment.drums_left_out else (),
            ends_bar=spec.has_length and ends_with_a_bar(dataset, span, first + length),
        )
    return [origins[span.piece_id, first] for span, first in places]

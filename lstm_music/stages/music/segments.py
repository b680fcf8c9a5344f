"""Segments of the pieces of a dataset, cut out of the note table at given events."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.streams import PART
from lstm_music.generation.prompt import Prompt, cut_segment
from lstm_music.midi.general_midi import DRUMS
from lstm_music.midi.table import from_arrow
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.data.events import read_piece
from lstm_music.stages.data.notes import iterate_notes, read_pieces, read_some_pieces
from lstm_music.store import Store

CREDITS = ("piece_id", "name", "names", "composer", "source", "licence")

Start = tuple[str, int]
"""The id of a piece, and the index of the event that a segment begins with."""


def piece_rows(store: Store, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Return the names and the credits of all pieces, by id."""
    return {row["piece_id"]: row for row in read_pieces(store, dataset.notes_ref, CREDITS)}


def knows_drums(dataset: Dataset) -> bool:
    """Whether the training pieces have drums, as a part of their own."""
    return PART in dataset.vocabularies and DRUMS in dataset.vocabularies[PART].values


def learnt_events(dataset: Dataset) -> EventSpec:
    """Give the encoding of a dataset, without drums where the training pieces have none: no other part may play their notes."""
    events = dataset.events
    others = tuple(part for part in events.part_alphabet if part != DRUMS)
    if knows_drums(dataset) or others == events.part_alphabet:
        return events
    return EventSpec.model_validate({**events.model_dump(), "part_names": others})


def cut(store: Store, dataset: Dataset, places: Iterable[Start], length: int) -> dict[Start, Prompt]:
    """Cut `length` events from each place on; only the shards with their pieces are read.

    Drums that the training pieces do not have are left out: the events after them take their places, near the end of the piece
    those before. A piece with fewer than `length` other events has no segment.
    """
    learnt = learnt_events(dataset)
    firsts: dict[str, set[int]] = {}
    for piece_id, first in places:
        firsts.setdefault(piece_id, set()).add(first)
    found = {}
    rows = read_some_pieces(store, dataset.notes_ref, firsts.keys())
    for piece_id, table in iterate_notes(store, dataset.notes_ref, firsts.keys()):
        row = rows[piece_id]
        piece = from_arrow(table, row)
        raw = partial(store.get_blob, piece_id)
        events = read_piece(piece, dataset.events, name=row["name"], form=row["format"], raw=raw)
        wanted = {first: first for first in firsts[piece_id]}
        is_kept = np.ones(len(events), np.bool_)
        if learnt != dataset.events:
            is_kept = np.array([part != DRUMS for part in events.part or ()])
            events = read_piece(piece, learnt, name=row["name"], form=row["format"], raw=raw)
            wanted = _among_kept(is_kept, wanted, length)
        for place, first in wanted.items():
            segment = cut_segment(
                piece,
                events,
                dataset.events,
                dataset.vocabularies,
                name=row["name"],
                first=first,
                length=length,
                knowledge=dataset.knowledge,
            )
            drums = int(np.count_nonzero(~is_kept[place : place + length]))
            found[piece_id, place] = replace(segment, drums_left_out=drums)
    return found


def _among_kept(is_kept: np.ndarray, firsts: Iterable[int], length: int) -> dict[int, int]:
    """Find the places of events among those that are kept, bool [events]; none where fewer than `length` are."""
    kept = int(is_kept.sum())
    return {first: min(int(is_kept[:first].sum()), kept - length) for first in firsts if kept >= length}

"""Segments of the pieces of a dataset, cut out of the note table at given events."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from lstm_music.generation.prompt import Prompt, cut_segment
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


def cut(store: Store, dataset: Dataset, places: Iterable[Start], length: int) -> dict[Start, Prompt]:
    """Cut `length` events from each place on; only the shards with their pieces are read."""
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
        for first in firsts[piece_id]:
            found[piece_id, first] = cut_segment(
                piece,
                events,
                dataset.events,
                dataset.vocabularies,
                name=row["name"],
                first=first,
                length=length,
                knowledge=dataset.knowledge,
            )
    return found

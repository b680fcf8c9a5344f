"""The table of n-grams of a dataset: counted on its training pieces, kept among its files."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.encoding import guesses, ngrams
from lstm_music.encoding.ngrams import MOST_EVENTS, Counts, Occasions, added, count, joined, occasions
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import heard
from lstm_music.encoding.vocabulary import Vocabulary
from lstm_music.encoding.windows import PieceSpan
from lstm_music.npy import save_array
from lstm_music.stages.data.columns import EventColumns
from lstm_music.store import Artifact

TABLE_FILES = ("contexts", "starts", "values", "counts")


def ngram_rule(streams: Sequence[str]) -> dict[str, Any]:
    """Return what decides the guesses at these streams: part of the key of the datasets that have them."""
    return {
        "orders": list(ngrams.ORDERS),
        "most_events": MOST_EVENTS,
        "smoothing": {stream: list(pair) for stream, pair in guesses.SMOOTHING.items() if stream in heard(streams)},
        "odds_step": guesses.ODDS_STEP,
        "least_share": guesses.LEAST_SHARE,
    }


def counted_pieces(train: Sequence[PieceSpan]) -> list[str]:
    """Return the ids of the training pieces that are counted: the first ones, up to about `MOST_EVENTS` events."""
    ends = np.cumsum([span.events for span in train])
    return [span.piece_id for span, end in zip(train, ends.tolist(), strict=True) if end - span.events < MOST_EVENTS]


def write_table_of_ngrams(
    writer: Any,
    parts: Iterable[EventColumns],
    vocabularies: Mapping[str, Vocabulary],
    counted: frozenset[str],
    before: Counts | None = None,
) -> Counts:
    """Count n-grams in these pieces, and write the table to the dataset's files. Raises OSError on a full disk.

    What an earlier table counted `before`, by the same ids, counts too. Return the table memory-mapped.
    """
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch:
        table = joined([*count(_occasions(parts, vocabularies, counted), Path(scratch))])
    if before is not None:
        table = added(before, table)
    paths = {name: writer.file(f"ngram_{name}", "npy") for name in TABLE_FILES}
    for name, path in paths.items():
        save_array(path, getattr(table, name))
    return _mapped(paths)


def open_table(artifact: Artifact) -> Counts:
    """Open the table of a dataset, memory-mapped."""
    return _mapped({name: artifact.file(f"ngram_{name}") for name in TABLE_FILES})


def _mapped(paths: Mapping[str, Path]) -> Counts:
    """Map the arrays of a table into memory; as plain arrays, of which numpy reads a part sooner than of a `memmap`."""
    arrays = {name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in paths.items()}
    return Counts(**{name: np.asarray(array) for name, array in arrays.items()})


def _occasions(
    parts: Iterable[EventColumns], vocabularies: Mapping[str, Vocabulary], counted: frozenset[str]
) -> Iterator[dict[str, Occasions]]:
    shapes = shapes_of(vocabularies["note"])
    for columns in parts:
        tokens = columns.stream_tokens(vocabularies)[:, : len(heard([*vocabularies]))].astype(np.int64)
        for piece_id, start, stop in columns.pieces():
            if piece_id in counted:
                yield occasions(tokens[start:stop], shapes)

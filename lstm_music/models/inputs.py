"""What chained models read of tokens: a row number for each field, and behind these what their experts know."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import LENGTH, LENGTHS, RANKS, echo_column, echo_columns
from lstm_music.encoding.guesses import GUESSES
from lstm_music.encoding.guesses import PARTS as GUESS_PARTS
from lstm_music.encoding.ngrams import ORDERS
from lstm_music.encoding.own_echoes import OWN, OWN_ECHOES, OWN_STREAMS
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import STREAMS, heard
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec

KINDS = {
    "offset": ("melody", "rhythm"),
    "part": ("melody", "rhythm"),
    "note": ("melody",),
    "duration": ("melody", "rhythm"),
}
"""The echoes that each stream's experts read; the note is better without those of the rhythm (measured)."""

NO_ID = -1


class ChainedInputs:
    """The inputs of the model of one stream.

    The first layer's kernel has one row for each id of each of the `fields`: first the columns of the previous event, then those
    of this event that are earlier in the chain, then the controls: before the offset is known, those of the previous event. The
    places are known with the first stream; the echoes are those of the previous event. `experts` read what stands behind.

    `places` int [fields] is where each field stands in the columns of the previous event and, behind these, of this one;
    `first_rows` int32 [fields] is the first row of each.
    """

    def __init__(self, spec: ModelSpec, stream: str, columns: Columns) -> None:
        self.has_offset = columns.chain.index(stream) > 0
        earlier = [*columns.chain[: columns.chain.index(stream)], *(PLACES if self.has_offset else ())]
        read = (*columns.streams, *PLACES, *(echo_columns(columns.streams) if spec.echoes else ()))
        self._read = len(read)
        self._known = [[*columns.sizes].index(name) for name in earlier]
        self._controls = [columns.controls[name] for name in spec.controls]
        self.fields = (*read, *earlier, *spec.controls)
        now = len(columns.sizes)
        controls = [now + place if self.has_offset else place for place in self._controls]
        self.places = np.array([*range(len(read)), *(now + place for place in self._known), *controls])
        sizes = [columns.sizes[name] for name in self.fields]
        self.kernel_rows = sum(sizes)
        self.first_rows = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
        is_heard = stream in heard(columns.streams)
        self.experts = expert_inputs(spec.experts, stream, columns) if is_heard else ()

    def rows(self, previous: npt.NDArray[Any], current: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Turn tokens, int [..., columns] of the previous event and of this one, into int [..., fields, experts' inputs].

        Of this event only the streams that are earlier in the chain are read, and the guesses that are made from them.
        """
        told = current if self.has_offset else previous
        ids = [previous[..., : self._read], current[..., self._known], told[..., self._controls]]
        rows = np.concatenate(ids, -1) + self.first_rows
        if not self.experts:
            return rows
        return np.concatenate([rows, *(part for one in self.experts for part in one.read(previous, current))], -1)


def window_rows(
    spec: ModelSpec, predicts: Sequence[str], columns: Columns, previous: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Turn tokens, int [..., columns] of the previous event, into what the report's architectures read, int [..., fields].

    These are row numbers, of a kernel with one row for each id of each stream; the ids themselves for `dual_head`, whose kernel
    has no rows for offsets.
    """
    places = [columns.streams.index(stream) for stream in predicts]
    sizes = [columns.sizes[stream] for stream in predicts]
    first_rows = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    ids = previous[..., places]
    return ids if spec.architecture == "dual_head" else ids + first_rows


class PieceInputs:
    """What the expert of the piece reads of one kind of echo: the ids of its matches, and the positions of their lengths.

    `places` says where the ids and the lengths of the echoes, int [ranks] each, stand in the columns of the previous event and,
    behind these, of this one. A match agrees with this event in all of `agreeing`: places [ranks] of the echoes' values, and
    that of the event's.
    """

    levels = len(LENGTHS) + 1
    width = 2 * RANKS
    first_gate = 0.4

    def __init__(self, kind: str, stream: str, columns: Columns) -> None:
        names = list(columns.sizes)
        earlier = columns.chain[: columns.chain.index(stream)]
        if kind == OWN:  # offset and part chose them
            earlier = tuple(known for known in earlier if known in OWN_STREAMS)
        self._stands_with_event = kind == OWN
        self.ids = columns.sizes[stream]
        self._sources = [
            [names.index(echo_column(kind, rank, part)) for rank in range(1, RANKS + 1)]
            for part in (*earlier, stream, LENGTH)
        ]
        self._known = [names.index(known) for known in earlier]
        first, now = len(names) if self._stands_with_event else 0, len(names)
        *values, ids, lengths = (first + np.array(places) for places in self._sources)
        self.places = ids, lengths
        self.agreeing = [(value, now + known) for value, known in zip(values, self._known, strict=True)]

    def read(self, previous: npt.NDArray[Any], current: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Find the ids [..., ranks] of the matches, and the positions of their lengths.

        An echo that is no match has the id `NO_ID` and the length 0.
        """
        event = current if self._stands_with_event else previous
        *known, ids, lengths = (event[..., places] for places in self._sources)
        for column, values in zip(self._known, known, strict=True):
            lengths = lengths * (values == current[..., column : column + 1])
        return np.where(lengths > 0, ids, NO_ID), lengths


class NgramInputs:
    """What the expert of the n-grams reads: the guesses of its stream.

    `places` int [parts] says where they stand in the columns of the previous event and, behind these, of this one.
    """

    levels = len(ORDERS) + 1
    width = len(GUESS_PARTS)
    first_gate = 0.6

    def __init__(self, stream: str, columns: Columns) -> None:
        names = list(columns.sizes)
        self._is_of_next = stream == STREAMS[0]
        self._source = [names.index(f"{stream}_{part}") for part in GUESS_PARTS]
        self.places = np.array(self._source) + (0 if self._is_of_next else len(names))

    def read(self, previous: npt.NDArray[Any], current: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Read the guesses, [..., parts]: `GUESSES` ids, their odds, and the number of orders."""
        return ((previous if self._is_of_next else current)[..., self._source],)


ExpertInputs = PieceInputs | NgramInputs

ID_OF, ODDS_OF, ORDER_OF = slice(0, GUESSES), slice(GUESSES, 2 * GUESSES), 2 * GUESSES
"""Where the parts of the guesses stand in what `NgramInputs` reads."""


def expert_inputs(names: Sequence[str], stream: str, columns: Columns) -> tuple[ExpertInputs, ...]:
    """Give what the named experts of a stream read."""
    found: list[ExpertInputs] = []
    if "piece" in names:
        own = (OWN,) if stream in OWN_STREAMS and OWN_ECHOES[0] in columns.sizes else ()
        found += [PieceInputs(kind, stream, columns) for kind in (*KINDS[stream], *own)]
    if "ngrams" in names:
        found.append(NgramInputs(stream, columns))
    return tuple(found)

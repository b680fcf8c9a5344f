"""What the tokens of an event say beside its streams and places: its echoes, and the guesses of the n-grams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import RANKS, echo_columns, echo_sizes, echo_tokens
from lstm_music.encoding.guesses import guess_columns, guess_sizes, guess_tokens
from lstm_music.encoding.ngrams import Counts
from lstm_music.encoding.shapes import Shapes

Ids = npt.NDArray[np.int64]


def known_columns(experts: tuple[str, ...], streams: Sequence[str]) -> list[str]:
    """Name the columns that models of these streams and with these experts read, behind streams and places."""
    echoes = echo_columns(streams, Knowledge.of(experts).echo_ranks)
    return [*echoes, *(guess_columns(streams) if "ngrams" in experts else ())]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """How many echoes of each kind an event has, the `table` of n-grams if it has guesses, and the pieces counted in it."""

    echo_ranks: int = 1
    table: Counts | None = None
    counted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, experts: tuple[str, ...]) -> "Knowledge":
        """What models with these experts know before anything is counted."""
        return cls(RANKS if "piece" in experts else 1)

    def sizes(self, streams: Mapping[str, int]) -> dict[str, int]:
        """Return the number of ids of each column, given that of each stream."""
        guesses = {} if self.table is None else guess_sizes(streams)
        return {**echo_sizes(streams, self.echo_ranks), **guesses}

    def tokens(self, streams: Ids, shapes: Shapes, sizes: Mapping[str, int]) -> Ids:
        """Return the columns, int64 [events, columns], of a piece that is not counted, or a part of one.

        `streams` are the tokens of the heard streams, int64 [events, streams], `sizes` the number of ids of each stream.
        """
        echoes = echo_tokens(streams, shapes, ranks=self.echo_ranks)
        if self.table is None:
            return echoes
        guesses = guess_tokens(streams, shapes, sizes, self.table, is_counted=False)
        return np.concatenate([echoes, guesses], axis=1)

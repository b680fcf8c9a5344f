"""What the tokens of an event say beside its streams and places: its echoes, the own ones of its part, guesses, and controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.controls import NOTHING, SIZES
from lstm_music.encoding.echoes import RANKS, echo_columns, echo_sizes, echo_tokens
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.guesses import guess_columns, guess_sizes, guess_tokens
from lstm_music.encoding.ngrams import Counts
from lstm_music.encoding.own_echoes import OWN_ECHOES, own_echo_sizes, own_echo_tokens
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import Vocabulary, steps_of

Ids = npt.NDArray[np.int64]


def known_columns(experts: tuple[str, ...], streams: Sequence[str], controls: tuple[str, ...] = ()) -> list[str]:
    """Name the columns that models of these streams, with these experts and controls, read behind streams and places."""
    known = Knowledge.of(experts, streams)
    own = OWN_ECHOES if known.own_echoes else ()
    guesses = guess_columns(streams) if "ngrams" in experts else ()
    return [*echo_columns(streams, known.echo_ranks), *own, *guesses, *controls]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """How many echoes of each kind an event has, and whether its part has own ones.

    If it has guesses, there are the `table` of n-grams and the pieces counted in it. `controls` come last.
    """

    echo_ranks: int = 1
    own_echoes: bool = False
    table: Counts | None = None
    counted: frozenset[str] = frozenset()
    controls: tuple[str, ...] = ()

    @classmethod
    def of(cls, experts: tuple[str, ...], streams: Sequence[str], controls: tuple[str, ...] = ()) -> "Knowledge":
        """What models of these streams, with these experts and controls, know before anything is counted."""
        has_piece = "piece" in experts
        return cls(RANKS if has_piece else 1, has_piece and PART in streams, controls=controls)

    def sizes(self, streams: Mapping[str, int]) -> dict[str, int]:
        """Return the number of ids of each column, given that of each stream."""
        own = own_echo_sizes(streams) if self.own_echoes else {}
        guesses = {} if self.table is None else guess_sizes(streams)
        controls = {name: SIZES[name] for name in self.controls}
        return {**echo_sizes(streams, self.echo_ranks), **own, **guesses, **controls}

    def tokens(self, streams: Ids, vocabularies: Mapping[str, Vocabulary], grid: Grid) -> Ids:
        """Return the columns, int64 [events, columns], of a piece that is not counted, or a part of one.

        `streams` are the tokens of the heard streams, int64 [events, streams]. The controls say nothing.
        """
        found = [self.echo_tokens(streams, vocabularies, grid)]
        if self.table is not None:
            found.append(self.guess_tokens(streams, vocabularies, is_counted=False))
        return np.concatenate([*found, np.full((len(streams), len(self.controls)), NOTHING)], axis=1)

    def echo_tokens(
        self, streams: Ids, vocabularies: Mapping[str, Vocabulary], grid: Grid, piece: npt.ArrayLike = 0
    ) -> Ids:
        """Return the columns of all echoes, int64 [events, columns]; for several pieces, `piece` is a number per event."""
        shapes = shapes_of(vocabularies["note"])
        echoes = echo_tokens(streams, shapes, piece, self.echo_ranks)
        if not self.own_echoes:
            return echoes
        steps = steps_of(vocabularies["offset"], grid)
        return np.concatenate([echoes, own_echo_tokens(streams, shapes, steps, piece)], axis=1)

    def guess_tokens(self, streams: Ids, vocabularies: Mapping[str, Vocabulary], *, is_counted: bool) -> Ids:
        """Return the columns of the guesses at one piece, int64 [events, columns], by the table, which may count the piece."""
        assert self.table is not None
        sizes = {stream: vocabulary.size for stream, vocabulary in vocabularies.items()}
        return guess_tokens(streams, shapes_of(vocabularies["note"]), sizes, self.table, is_counted=is_counted)

"""What stands beside the streams and places of an event as it is made: echoes, own echoes of its part, and guesses."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.echoes import PART_COLUMN, echo_columns
from lstm_music.encoding.guesses import PARTS, guess_columns
from lstm_music.encoding.own_echoes import OWN_ECHOES
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import PART, STREAMS, chain_of, heard
from lstm_music.generation import echo, own_echo
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.guess import Guesser, Table
from lstm_music.models.event_model import EventModel


class Memory(NamedTuple):
    """What was heard: `past` of all parts together, `own` of each one (an `own_echo.OwnPast`), or () without own echoes."""

    past: echo.Past
    own: Any


def begin(tokens: npt.NDArray[np.int32], more: int, grammar: Grammar, *, has_own: bool) -> Memory:
    """Begin with the events of the prompts, tokens [events, outputs, streams], which so many `more` will follow."""
    past = echo.begin(tokens, more, grammar.shapes)
    if not has_own:
        return Memory(past, ())
    return Memory(past, own_echo.begin(tokens, past.runs.shape[1], grammar.shapes, grammar.offset_steps))


def reads_own_echoes(models: Sequence[EventModel]) -> bool:
    """Whether the tokens of these models have own echoes."""
    return any(OWN_ECHOES[0] in model.columns.sizes for model in models)


class Beside:
    """Fills the columns of events that stand behind streams and places: echoes, own ones, and guesses if there is a guesser.

    For each event, `known` is called after each stream that was chosen, and `heard` at its end.
    """

    def __init__(self, grammar: Grammar, guesser: Guesser | None, table: Table | None, columns: int) -> None:
        self._grammar, self._shapes, self._guesser, self._table = grammar, grammar.shapes, guesser, table
        self._echoes = len(grammar.streams) + len(PLACES)  # the first of their columns
        self._of_rank = len(echo_columns(grammar.streams))
        self._heard = heard(grammar.streams)
        self._guesses = columns if guesser is None else columns - len(guess_columns(grammar.streams))
        self._step: own_echo.Step | None = None

    def known(self, stream: str, current: Any, memory: Memory) -> Any:
        """Set what is known of an event once a stream of it was chosen."""
        if stream == PART and memory.own:
            current = self._with_own(current, memory)
        later = chain_of(self._grammar.streams)
        after = later[later.index(stream) + 1 :]
        return self._guessed(after[0], current, memory.past) if after else current

    def heard(self, current: Any, memory: Memory) -> tuple[Any, Memory]:
        """Remember an event, and set what is known after it: its echoes, and the guesses at the next offset."""
        past, own = echo.hear(memory.past, current[:, : len(self._heard)], self._shapes), memory.own
        if own and self._step is not None:
            own = own_echo.hear(own, self._step, current[:, PART_COLUMN])
        first_own = self._guesses - (len(OWN_ECHOES) if own else 0)
        found = echo.latest_echoes(past, self._shapes, (first_own - self._echoes) // self._of_rank)
        current = tf.concat([current[:, : self._echoes], found, current[:, first_own:]], 1)
        return self._guessed(STREAMS[0], current, past), Memory(past, own)

    def _with_own(self, current: Any, memory: Memory) -> Any:
        passed = tf.gather(tf.constant(self._grammar.offset_steps), current[:, 0])
        self._step = own_echo.step_to(memory.own, memory.past, passed, current[:, PART_COLUMN], self._shapes)
        found = own_echo.own_echoes(self._step, memory.own, memory.past, self._shapes)
        first = self._guesses - len(OWN_ECHOES)
        return tf.concat([current[:, :first], found, current[:, self._guesses :]], 1)

    def _guessed(self, stream: str, current: Any, past: echo.Past) -> Any:
        """Set the guesses of a stream, after `past` and given what is known of the event."""
        if self._guesser is None or self._table is None or stream not in self._heard:
            return current
        first = self._guesses + self._heard.index(stream) * len(PARTS)
        found = self._guesser.guess(stream, self._table, past, current)
        return tf.concat([current[:, :first], found, current[:, first + len(PARTS) :]], 1)

"""What stands beside the streams and places of an event as it is made: echoes, own echoes of its part, and guesses."""

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import PART_COLUMN, echo_columns
from lstm_music.encoding.guesses import PARTS, guess_columns
from lstm_music.encoding.own_echoes import OWN_ECHOES
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import PART, STREAMS, chain_of, heard
from lstm_music.generation import echo, own_echo
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.guess import Guesser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_music.inference.model import InferenceModel


class Memory(NamedTuple):
    """What was heard: `past` of all parts together, `own` of each one, or None without own echoes."""

    past: echo.Past
    own: own_echo.OwnPast | None


def begin(tokens: npt.NDArray[np.int32], more: int, grammar: Grammar, *, has_own: bool) -> Memory:
    """Begin with the events of the prompts, tokens [events, outputs, heard streams], which so many `more` will follow."""
    if has_own:
        return Memory(*own_echo.begin(tokens, more, grammar.shapes, grammar.offset_steps))
    return Memory(echo.begin(tokens, more, grammar.shapes), None)


def reads_own_echoes(models: "Sequence[InferenceModel]") -> bool:
    """Whether the tokens of these models have own echoes."""
    return any(OWN_ECHOES[0] in model.columns.sizes for model in models)


class Beside:
    """Fills the columns of events that stand behind streams and places: echoes, own ones, and guesses if there is a guesser.

    For each event `known` is called after each stream that was chosen, and `heard` at its end. Both write into the event,
    int32 [outputs, columns], and `heard` also into the memory. What is behind the first `columns` is left as it is.
    """

    def __init__(self, grammar: Grammar, guesser: Guesser | None, columns: int, memory: Memory) -> None:
        self._guesser, (self._past, self._own) = guesser, memory
        self._heard, chain = heard(grammar.streams), chain_of(grammar.streams)
        self._next = dict(pairwise(chain))  # the stream that is predicted after each
        first = len(grammar.streams) + len(PLACES)
        self._guesses = columns if guesser is None else columns - len(guess_columns(grammar.streams))
        self._own_echoes = self._guesses - (0 if self._own is None else len(OWN_ECHOES))
        self._echoes = slice(first, self._own_echoes)
        self._ranks = (self._own_echoes - first) // len(echo_columns(grammar.streams))
        self._step: own_echo.Step | None = None

    def known(self, stream: str, current: npt.NDArray[np.int32]) -> None:
        """Set what is known of an event once a stream of it was chosen."""
        if stream == PART and self._own is not None:
            self._step = self._own.step_to(current[:, 0], current[:, PART_COLUMN])
            current[:, self._own_echoes : self._guesses] = self._own.own_echoes(self._step)
        if stream in self._next:
            self._guess(self._next[stream], current)

    def heard(self, current: npt.NDArray[np.int32]) -> None:
        """Remember an event, and set what is known after it: its echoes, and the guesses at the next offset."""
        if self._own is not None and self._step is not None:
            self._own.hear(self._step)
        self._past.hear(current[:, : len(self._heard)])
        current[:, self._echoes] = self._past.latest_echoes(self._ranks)
        self._guess(STREAMS[0], current)

    def _guess(self, stream: str, current: npt.NDArray[np.int32]) -> None:
        """Set the guesses of a stream, given what is known of the event."""
        if self._guesser is None or stream not in self._heard:
            return
        first = self._guesses + self._heard.index(stream) * len(PARTS)
        current[:, first : first + len(PARTS)] = self._guesser.guess(stream, self._past, current)

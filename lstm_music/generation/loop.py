"""The loop that makes music: many pieces at once, the models in a chain, their states carried, all of it compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.echoes import PART_COLUMN
from lstm_music.encoding.places import QUARTERS
from lstm_music.encoding.streams import heard
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.allowed import allowed_ids
from lstm_music.generation.beside import Beside, Memory, begin, reads_own_echoes
from lstm_music.generation.drums import Beat, Drums
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.guess import Guesser, Table
from lstm_music.generation.loop_guard import History, forbidden_note, history_of, remember
from lstm_music.generation.parallels import Moves, ParallelGuard, moves_of
from lstm_music.generation.sampling import sample
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.backend import compiled
from lstm_music.models.event_model import EventModel


@dataclass(frozen=True, eq=False)
class Prompts:
    """The prompts of all outputs, each of the same number of events, which may be none.

    `tokens` int32 [events, outputs, columns] are the segments, `before` [outputs, columns] the event before each. Of each
    segment's last event, in steps of the grid, int32 [outputs]: `onsets` since the start of its piece, `positions` since that
    of its bar, and `bars` how long that bar is.
    """

    tokens: npt.NDArray[np.int32]
    before: npt.NDArray[np.int32]
    onsets: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    bars: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Made:
    """One output: `tokens` int32 [events, columns] are the new events.

    `nats` float32 [events] is what the models, at temperature 1, thought of each of them (-ln p, all streams added);
    `loops_left` how often the guard led the music out of a loop.
    """

    tokens: npt.NDArray[np.int32]
    nats: npt.NDArray[np.float32]
    loops_left: int


def generate_tokens(
    models: Sequence[EventModel],
    grammar: Grammar,
    spec: GenerationSpec,
    prompts: Prompts,
    random_seed: int,
    guesser: Guesser | None = None,
    drums: Drums | None = None,
) -> list[Made]:
    """Go on from prompts, one output for each.

    A stream that none of the `models` predicts has the allowed value next to half a quarter: half a quarter after each other,
    half a quarter long. A piece is shorter than `spec.num_events` where its end was sampled. Models whose tokens have guesses
    need the `guesser` that makes them. `drums` says where drums have to play.
    """
    outputs = prompts.tokens.shape[1]
    chance = np.random.default_rng([random_seed, 2]).random(
        (spec.num_events, outputs, len(grammar.streams)), np.float32
    )
    previous = np.concatenate([prompts.before[None], prompts.tokens])
    drums = drums or Drums()
    loop = _compiled_loop(models, grammar, spec, guesser, drums)
    sounding = len(heard(grammar.streams))
    history = history_of(prompts.tokens, sounding)
    memory = begin(prompts.tokens[..., :sounding], spec.num_events, grammar, has_own=reads_own_echoes(models))
    moves = moves_of(prompts.tokens, grammar.offset_steps, tf.constant(grammar.pitches), len(grammar.parts))
    beat = drums.before(prompts.tokens, prompts.positions)
    arrays = tuple(map(tf.constant, (previous, prompts.onsets, prompts.positions, prompts.bars, chance)))
    tokens, nats, left = (
        found.numpy() for found in loop(*arrays, history, memory, moves, guesser and guesser.table, beat)
    )
    ends = tokens[..., 0] == END
    counts = np.where(ends.any(0), ends.argmax(0), spec.num_events)
    return [
        Made(tokens[:count, output], nats[:count, output], int(left[output])) for output, count in enumerate(counts)
    ]


class _Playing(NamedTuple):
    """What goes from one event to the next: the event before, its place, whether the piece has ended, and its history."""

    last: Any
    onset: Any
    position: Any
    ended: Any
    history: History
    memory: Memory
    moves: Moves
    states: Any
    beat: Beat


def _compiled_loop(
    models: Sequence[EventModel],
    grammar: Grammar,
    spec: GenerationSpec,
    guesser: Guesser | None,
    drums: Drums,
) -> Any:
    @compiled
    def loop(
        previous: Any,
        onsets: Any,
        positions: Any,
        bars: Any,
        chance: Any,
        history: History,
        memory: Memory,
        moves: Moves,
        table: Table | None,
        beat: Beat,
    ) -> Any:
        outputs, sounding = previous.shape[1], len(heard(grammar.streams))
        beside = Beside(grammar, guesser, table, previous.shape[2])
        parallels = ParallelGuard(grammar.pitches, is_on=spec.avoid_parallels and grammar.has_parts)
        states = [model.after(model.rows(previous[:-1], previous[1:])) for model in models]

        def event(index: Any, playing: _Playing, written: Any, thought: Any) -> Any:
            last, onset, position, ended, history, memory, moves, states, beat = playing
            may_end = index >= spec.min_events
            current = tf.zeros_like(last)
            said = _Said(models, states, last)
            nats = tf.zeros([outputs])
            intervened = tf.zeros([outputs], tf.bool)
            passed = tf.zeros([outputs], tf.int32)
            is_in_new_bar = now = tf.zeros([outputs], tf.bool)
            for turn, stream in enumerate(grammar.chain):
                logits = said.logits(stream, current)
                is_predicted = logits is not None
                if not is_predicted:
                    logits = _near_half_a_quarter(grammar, stream, outputs)
                allowed = allowed_ids(stream, grammar, may_end, last, current, onset, logits)
                if stream == "note" and spec.max_repeats:
                    allowed, intervened = _led_out(
                        allowed,
                        forbidden_note(
                            history,
                            current[:, 0],
                            spec.max_repeats,
                            bars,
                            current[:, PART_COLUMN] if grammar.has_parts else None,
                        ),
                    )
                if stream == "note":
                    allowed = parallels.avoided(allowed, moves, current, passed)
                chosen = sample(
                    logits,
                    drums.allowed(stream, allowed, now),
                    chance[index, :, turn],
                    temperature=spec.of_stream("temperature", stream) if is_predicted else 0.0,
                    top_k=int(spec.of_stream("top_k", stream)),
                    top_p=spec.of_stream("top_p", stream),
                    min_p=spec.of_stream("min_p", stream),
                )
                chosen, now = drums.chosen(stream, beat, last, bars - position, chosen, now)
                if is_predicted:
                    nats += tf.nn.sparse_softmax_cross_entropy_with_logits(chosen, logits)
                current = _with_column(current, grammar.streams.index(stream), chosen)
                if turn == 0:  # with the offset, the place of the new event is known
                    passed = tf.gather(tf.constant(grammar.offset_steps), chosen)
                    is_in_new_bar = position + passed >= bars
                    onset, position = onset + passed, (position + passed) % bars
                    current = _with_places(current, len(grammar.streams), position, grammar.steps_per_quarter)
                current = beside.known(stream, current, memory)
            ended |= current[:, 0] == END
            history = remember(history, current[:, :sounding], passed, intervened & ~ended)
            moves = parallels.moved(moves, current, passed)
            current = tf.where(ended[:, None], END, current)
            current, memory = beside.heard(current, memory)
            beat = drums.after(beat, current, is_in_new_bar)
            after = _Playing(current, onset, position, ended, history, memory, moves, said.states, beat)
            return index + 1, after, written.write(index, current), thought.write(index, nats)

        written = tf.TensorArray(tf.int32, size=spec.num_events, element_shape=[outputs, previous.shape[2]])
        thought = tf.TensorArray(tf.float32, size=spec.num_events, element_shape=[outputs])
        none = tf.zeros([outputs], tf.bool)
        start = _Playing(previous[-1], onsets, positions, none, history, memory, moves, states, beat)
        _, played, written, thought = tf.while_loop(
            lambda index, *_: index < spec.num_events,
            event,
            (0, start, written, thought),
            maximum_iterations=spec.num_events,
        )
        return written.stack(), thought.stack(), played.history.interventions

    return loop


def _led_out(allowed: Any, note: Any) -> tuple[Any, Any]:
    """Forbid a note where another is allowed; say where that was."""
    others = allowed & (tf.range(allowed.shape[-1])[None] != note[:, None])
    intervened = (note >= 0) & tf.reduce_any(others, -1)
    return tf.where(intervened[:, None], others, allowed), intervened


class _Said:
    """What the models say of one event: each is asked once, when the first of its streams is due; `states` are those after."""

    def __init__(self, models: Sequence[EventModel], states: Sequence[Any], last: Any) -> None:
        self._models, self._last = models, last
        self.states = list(states)
        self._logits: dict[str, Any] = {}

    def logits(self, stream: str, current: Any) -> Any:
        """Give the logits of a stream, [outputs, ids], or None where no model predicts it."""
        for place, model in enumerate(self._models):
            if stream == model.predicts[0]:
                outputs, self.states[place] = model.step(model.rows(self._last, current), self.states[place])
                self._logits.update(zip(model.predicts, model.logits(outputs), strict=True))
        return self._logits.get(stream)


def _near_half_a_quarter(grammar: Grammar, stream: str, outputs: int) -> Any:
    """Logits that are the higher the nearer a value is to half a quarter."""
    steps = grammar.offset_steps if stream == "offset" else grammar.duration_steps
    distance = np.abs(2 * steps - grammar.steps_per_quarter).astype(np.float32)
    return tf.tile(tf.constant(-distance)[None], [outputs, 1])


def _with_column(tokens: Any, column: int, values: Any) -> Any:
    return tf.concat([tokens[:, :column], values[:, None], tokens[:, column + 1 :]], 1)


def _with_places(tokens: Any, streams: int, position: Any, steps_per_quarter: int) -> Any:
    """Set the places, which stand behind the streams, as `encoding.places.place_tokens` does."""
    places = [position % steps_per_quarter, tf.minimum(position // steps_per_quarter, QUARTERS - 1)]
    return tf.concat([tokens[:, :streams], tf.stack(places, 1), tokens[:, streams + len(places) :]], 1)

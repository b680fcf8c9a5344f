"""The loop that makes music: many pieces at once, the models in a chain, their states carried, all of it compiled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.places import QUARTERS
from lstm_music.encoding.streams import heard
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.beside import Beside, Memory, begin, reads_own_echoes
from lstm_music.generation.conditioning import Asked, BarSoFar, Conditioning
from lstm_music.generation.drums import Drums
from lstm_music.generation.ending import Ending
from lstm_music.generation.given import Given
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.guess import Guesser, Table
from lstm_music.generation.guidance import GuidedModels, states_after
from lstm_music.generation.rules import EventRules, Kept, Rules
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

    `nats` float32 [events] is what the models, at temperature 1 and without controls, thought of each (-ln p, all streams added);
    `loops_left` how often the guard led the music out of a loop. `end_nats` float32 [events] is what they thought of an end after
    each event, where an end was asked for; infinity after the last one if the music did not end there.
    """

    tokens: npt.NDArray[np.int32]
    nats: npt.NDArray[np.float32]
    loops_left: int
    end_nats: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))


def generate_tokens(
    models: Sequence[EventModel],
    grammar: Grammar,
    spec: GenerationSpec,
    prompts: Prompts,
    random_seed: int,
    guesser: Guesser | None = None,
    drums: Drums | None = None,
    ending: Ending | None = None,
    given: Given | None = None,
    asked: Asked | None = None,
) -> list[Made]:
    """Go on from prompts, one output for each; `ending` says where, if that was asked for.

    A stream that none of the `models` predicts has the allowed value next to half a quarter: half a quarter after each other,
    half a quarter long. A piece is shorter than `spec.num_events` where its end was sampled. Models whose tokens have guesses
    need the `guesser` that makes them. `drums` says where drums have to play, `given` which notes each output has to hold,
    `asked` what is asked of the bars, from models that were taught controls.
    """
    run = generator(models, grammar, spec, guesser, drums, given, asked)
    return run(prompts, random_seed, ending)


def generator(
    models: Sequence[EventModel],
    grammar: Grammar,
    spec: GenerationSpec,
    guesser: Guesser | None = None,
    drums: Drums | None = None,
    given: Given | None = None,
    asked: Asked | None = None,
    *,
    is_shared: bool = False,
) -> Callable[[Prompts, int, Ending | None], list[Made]]:
    """Give what `generate_tokens` runs, with prompts, a random seed and an ending; for prompts of one shape it compiles once.

    If all outputs have one and the same prompt (`is_shared`), models that carry their state read it once.
    """
    rules = Rules(grammar, spec, drums or Drums(), given or Given())
    conditioning = Conditioning(grammar, models[0].columns.controls, asked)
    loop = _compiled_loop(models, rules, guesser, conditioning, is_shared=is_shared)

    def generate(prompts: Prompts, random_seed: int, ending: Ending | None = None) -> list[Made]:
        outputs = prompts.tokens.shape[1]
        chance = np.random.default_rng([random_seed, 2]).random(
            (spec.num_events, outputs, len(grammar.streams)), np.float32
        )
        previous = np.concatenate([prompts.before[None], prompts.tokens])
        sounding = prompts.tokens[..., : len(heard(grammar.streams))]
        memory = begin(sounding, spec.num_events, grammar, has_own=reads_own_echoes(models))
        kept, so_far = rules.before(prompts.tokens, prompts.positions), conditioning.before(prompts.tokens)
        arrays = map(tf.constant, (previous, prompts.onsets, prompts.positions, prompts.bars, chance))
        found = loop(*arrays, kept, so_far, memory, guesser and guesser.table, ending)
        tokens, nats, left = (one.numpy() for one in found)
        ends = tokens[..., 0] == END
        counts = np.where(ends.any(0), ends.argmax(0), spec.num_events)
        end_nats = np.pad(nats[1:, :, 1], ((0, 1), (0, 0)), constant_values=np.inf)  # no event told it of the last one
        return [
            Made(tokens[:count, one], nats[:count, one, 0], int(left[one]), end_nats[:count, one])
            for one, count in enumerate(counts)
        ]

    return generate


class _Playing(NamedTuple):
    """What goes from one event to the next: the event before, its place, whether the piece has ended, and what is remembered."""

    last: Any
    onset: Any
    position: Any
    ended: Any
    kept: Kept
    so_far: BarSoFar
    memory: Memory
    states: Any


def _compiled_loop(
    models: Sequence[EventModel],
    rules: Rules,
    guesser: Guesser | None,
    conditioning: Conditioning,
    *,
    is_shared: bool = False,
) -> Any:
    grammar, spec = rules.grammar, rules.spec

    @compiled
    def loop(
        previous: Any,
        onsets: Any,
        positions: Any,
        bars: Any,
        chance: Any,
        kept: Kept,
        so_far: BarSoFar,
        memory: Memory,
        table: Table | None,
        ending: Ending | None,
    ) -> Any:
        outputs = previous.shape[1]
        beside = Beside(grammar, guesser, table, previous.shape[2] - len(conditioning.columns))
        states = states_after(models, previous[:, :1] if is_shared else previous, is_guided=bool(conditioning.guided))
        if is_shared:
            states = tf.nest.map_structure(lambda state: tf.repeat(state, outputs, 0), states)

        def event(index: Any, playing: _Playing, written: Any, thought: Any) -> Any:
            last, onset, position, ended, kept, so_far, memory, states = playing
            current = tf.zeros_like(last)
            guided = GuidedModels(models, states, last, conditioning.guided)
            ruled = EventRules(rules, ending, bars, index, kept, last, onset, position)
            nats = tf.zeros([outputs])
            for turn, stream in enumerate(grammar.chain):
                logits = guided.logits(stream, current)
                is_predicted = logits is not None
                if not is_predicted:
                    logits = _near_half_a_quarter(grammar, stream, outputs)
                allowed = ruled.allowed(stream, current, logits)
                sampled = sample(
                    logits,
                    conditioning.allowed(stream, allowed, so_far, ruled.position, bars),
                    chance[index, :, turn],
                    temperature=spec.of_stream("temperature", stream) if is_predicted else 0.0,
                    top_k=int(spec.of_stream("top_k", stream)),
                    top_p=spec.of_stream("top_p", stream),
                    min_p=spec.of_stream("min_p", stream),
                )
                chosen = ruled.chosen(stream, sampled, logits)
                if is_predicted:
                    nats += tf.nn.sparse_softmax_cross_entropy_with_logits(chosen, guided.unguided(stream))
                current = _with_column(current, grammar.streams.index(stream), chosen)
                if turn == 0:  # with the offset, the place of the new event is known
                    current = _with_places(current, len(grammar.streams), ruled.position, grammar.steps_per_quarter)
                    current, so_far = conditioning.condition(current, so_far, ruled.passed, ruled.position, bars)
                current = beside.known(stream, current, memory)
            ended |= current[:, 0] == END
            kept = ruled.after(current, ended)
            current = tf.where(ended[:, None], END, current)
            current, memory = beside.heard(current, memory)
            so_far = conditioning.after(so_far, current)
            after = _Playing(current, ruled.onset, ruled.position, ended, kept, so_far, memory, guided.states)
            nats_of_both = tf.stack([nats, ruled.end_nats], 1)
            return index + 1, after, written.write(index, current), thought.write(index, nats_of_both)

        written = tf.TensorArray(tf.int32, size=spec.num_events, element_shape=[outputs, previous.shape[2]])
        thought = tf.TensorArray(tf.float32, size=spec.num_events, element_shape=[outputs, 2])
        start = _Playing(previous[-1], onsets, positions, tf.zeros([outputs], tf.bool), kept, so_far, memory, states)
        _, played, written, thought = tf.while_loop(
            lambda index, playing, *_: (index < spec.num_events) & ~tf.reduce_all(playing.ended),
            event,
            (0, start, written, thought),
            maximum_iterations=spec.num_events,
        )
        return written.stack(), thought.stack(), played.kept.history.interventions

    return loop


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

"""The loop that makes music: many pieces at once, three models in a chain, their states carried, all of it compiled."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.sampling import sample
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.architectures import ChainedLSTM


def generate_tokens(
    models: Mapping[str, ChainedLSTM],
    grammar: Grammar,
    spec: GenerationSpec,
    *,
    before: npt.NDArray[np.int32],
    seeds: npt.NDArray[np.int32],
    phases: npt.NDArray[np.int32],
    random_seed: int,
) -> list[npt.NDArray[np.int32]]:
    """Go on from seed segments; give the new events of each, int32 [events, streams].

    `models` are in the order of the chain. `seeds` int32 [events, outputs, streams] are the segments, `before` [outputs,
    streams] the event before each, and `phases` [outputs] the place of each segment's last onset in its quarter, in
    steps of the grid. A piece is shorter than `spec.num_events` where its end was sampled.
    """
    chance = np.random.default_rng([random_seed, 2]).random((spec.num_events, seeds.shape[1], len(models)), np.float32)
    loop = _compiled_loop(list(models.values()), grammar, spec)
    previous = np.concatenate([before[None], seeds[:-1]])
    tokens = loop(tf.constant(previous), tf.constant(seeds), tf.constant(phases), tf.constant(chance)).numpy()
    ends = tokens[..., 0] == END
    counts = np.where(ends.any(0), ends.argmax(0), spec.num_events)
    return [tokens[:count, output] for output, count in enumerate(counts)]


def _compiled_loop(models: Sequence[ChainedLSTM], grammar: Grammar, spec: GenerationSpec) -> Any:
    streams = [model.stream for model in models]
    offset_steps = tf.constant(grammar.offset_steps)

    @tf.function(jit_compile=True)
    def loop(previous: Any, seeds: Any, phases: Any, chance: Any) -> Any:
        outputs = seeds.shape[1]
        states = [model(model.rows(previous, seeds), model.initial_state(outputs))[1] for model in models]

        def event(index: Any, last: Any, phase: Any, ended: Any, states: Any, written: Any) -> Any:
            current = tf.zeros_like(last)
            states_after = []
            for place, model in enumerate(models):
                logits, after = model.step(model.rows(last, current), states[place])
                states_after.append(after)
                name = streams[place]
                allowed = _allowed(name, grammar, index >= spec.min_events, last, current, phase, logits)
                chosen = sample(
                    logits,
                    allowed,
                    chance[index, :, place],
                    temperature=spec.temperature[name],
                    top_k=spec.top_k[name],
                    top_p=spec.top_p[name],
                )
                current = tf.concat([current[:, :place], chosen[:, None], current[:, place + 1 :]], 1)
            ended = ended | (current[:, 0] == END)
            current = tf.where(ended[:, None], END, current)
            phase = (phase + tf.gather(offset_steps, current[:, 0])) % grammar.steps_per_quarter
            return index + 1, current, phase, ended, states_after, written.write(index, current)

        written = tf.TensorArray(tf.int32, size=spec.num_events, element_shape=[outputs, len(models)])
        start = (0, seeds[-1], phases, tf.zeros([outputs], tf.bool), states, written)
        *_, written = tf.while_loop(
            lambda index, *_: index < spec.num_events, event, start, maximum_iterations=spec.num_events
        )
        return written.stack()

    return loop


def _allowed(stream: str, grammar: Grammar, may_end: Any, last: Any, current: Any, phase: Any, logits: Any) -> Any:
    """Say which ids may be chosen now, bool [outputs, ids]. `last` and `current` are the tokens of the two events."""
    ids = tf.range(logits.shape[-1])[None]
    values = tf.broadcast_to(ids >= SPECIAL_IDS, tf.shape(logits))
    highest = last[:, 1:2]
    if stream == "offset":
        allowed = values & tf.gather(tf.constant(grammar.on_grid), phase)
        if grammar.ascending:  # nothing is above the highest note, so time has to go on
            stays = tf.constant(grammar.offset_steps)[None] == 0
            allowed &= ~(stays & (highest == SPECIAL_IDS + 127))
        return allowed | (may_end & (ids == END))
    if stream == "note" and grammar.ascending:
        at_once = tf.gather(tf.constant(grammar.offset_steps), current[:, :1]) == 0
        return values & (~at_once | (ids > highest) | (highest == START))
    return values

"""The loop that makes music: many pieces at once, the models in a chain, their states carried."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from lstm_music.encoding.places import QUARTERS
from lstm_music.encoding.streams import heard
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.beside import Beside, begin, reads_own_echoes
from lstm_music.generation.conditioning import Asked, Conditioning
from lstm_music.generation.drums import Drums
from lstm_music.generation.ending import Ending
from lstm_music.generation.given import Given
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.guess import Guesser
from lstm_music.generation.guidance import GuidedModels
from lstm_music.generation.rails import Rails
from lstm_music.generation.rules import EventRules, Rules
from lstm_music.generation.sampling import LIKELIEST, Sampling, sample
from lstm_music.generation.spec import GenerationSpec
from lstm_music.inference.exact import Array, nats_of
from lstm_music.inference.model import InferenceModel


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

    `nats` float64 [events] is what the models, at temperature 1 and without guided controls, thought of each: -ln p, all streams
    added. `loops_left` is how often the guard led the music out of a loop. `end_nats` float64 [events] is what they thought of
    an end after each event, where an end was asked for; infinity after the last one if the music did not end there.
    """

    tokens: npt.NDArray[np.int32]
    nats: Array
    loops_left: int
    end_nats: Array = field(default_factory=lambda: np.zeros(0))


def generate_tokens(
    models: Sequence[InferenceModel],
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
    outputs = prompts.tokens.shape[1]
    chance = np.random.default_rng([random_seed, 2]).random(
        (spec.num_events, outputs, len(grammar.streams)), np.float32
    )
    rules = Rules(grammar, spec, drums or Drums(), given or Given())
    conditioning = Conditioning(grammar, models[0].columns.controls, asked)
    sounding = prompts.tokens[..., : len(heard(grammar.streams))]
    memory = begin(sounding, spec.num_events, grammar, has_own=reads_own_echoes(models))
    beside = Beside(grammar, guesser, prompts.tokens.shape[2] - len(conditioning.columns), memory)
    with _threads().limit(limits=1, user_api="blas"):  # on a busy machine, more threads wait for each other
        made = _Music(models, rules, conditioning, prompts, ending, beside)
        for numbers in chance:
            if made.is_over:
                break
            made.add_event(numbers)
    return made.outputs()


@cache
def _threads() -> ThreadpoolController:
    """Give what limits the threads of libraries; to look for these takes as long as many events."""
    return ThreadpoolController()


class _Music:
    """The music so far, of all outputs: each call of `add_event` adds one event to each."""

    def __init__(
        self,
        models: Sequence[InferenceModel],
        rules: Rules,
        conditioning: Conditioning,
        prompts: Prompts,
        ending: Ending | None,
        beside: Beside,
    ) -> None:
        self._grammar, self._spec = rules.grammar, rules.spec
        self._rules, self._conditioning, self._ending, self._beside = rules, conditioning, ending, beside
        self._sampling = {
            stream: Sampling(
                self._spec.of_stream("temperature", stream),
                int(self._spec.of_stream("top_k", stream)),
                self._spec.of_stream("top_p", stream),
                self._spec.of_stream("min_p", stream),
            )
            for stream in rules.grammar.chain
        }
        self._rails = Rails(rules.grammar, conditioning.asked)
        tokens = np.concatenate([prompts.before[None], prompts.tokens])
        self._models = GuidedModels(models, tokens, conditioning.guided)
        self._kept = rules.before(prompts.tokens, prompts.positions)
        self._so_far = conditioning.before(prompts.tokens)
        self._last, self._onset, self._position, self._bars = (
            tokens[-1],
            prompts.onsets,
            prompts.positions,
            prompts.bars,
        )
        self._ended = np.zeros(len(self._last), np.bool_)
        self._tokens: list[npt.NDArray[np.int32]] = []
        self._nats: list[Array] = []
        self._end_nats: list[Array] = []

    @property
    def is_over(self) -> bool:
        """Whether every output has ended."""
        return bool(self._ended.all())

    def add_event(self, chance: npt.NDArray[np.float32]) -> None:
        """Add one event, by uniform random numbers, float32 [outputs, streams]."""
        grammar = self._grammar
        ruled = EventRules(
            self._rules,
            self._ending,
            self._bars,
            len(self._tokens),
            self._kept,
            self._last,
            self._onset,
            self._position,
        )
        current, nats = np.zeros_like(self._last), np.zeros(len(self._last))
        for turn, stream in enumerate(grammar.chain):
            logits = self._models.logits(stream, current)
            chosen = self._choose(stream, ruled, current, logits, chance[:, turn])
            if logits is not None:
                nats += nats_of(self._models.unguided(stream), chosen)
            current[:, grammar.streams.index(stream)] = chosen
            if turn == 0:  # with the offset, the place of the new event is known
                self._place(current, ruled)
            self._beside.known(stream, current)
        self._ended = self._ended | (current[:, 0] == END)
        self._kept = ruled.after(current, self._ended)
        current[self._ended] = END
        self._beside.heard(current)
        self._so_far = self._conditioning.after(self._so_far, current)
        self._last, self._onset, self._position = current, ruled.onset, ruled.position
        self._models.next_event(current)
        self._tokens.append(current)
        self._nats.append(nats)
        self._end_nats.append(ruled.end_nats)

    def _choose(
        self,
        stream: str,
        ruled: EventRules,
        current: npt.NDArray[np.int32],
        logits: Array | None,
        chance: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.int64]:
        """Choose the ids of a stream, int64 [outputs]."""
        scores = _near_half_a_quarter(self._grammar, stream, len(current)) if logits is None else logits
        allowed = ruled.allowed(stream, current, scores.shape[1])
        allowed = self._rails.allowed(stream, allowed, self._so_far, ruled.position, self._bars)
        sampled = sample(scores, allowed, chance, LIKELIEST if logits is None else self._sampling[stream])
        found: npt.NDArray[np.int64] = ruled.chosen(stream, sampled, scores)
        return found

    def _place(self, current: npt.NDArray[np.int32], ruled: EventRules) -> None:
        """Set the place of an event, as `encoding.places.place_tokens` does, and its controls."""
        streams, quarter = len(self._grammar.streams), self._grammar.steps_per_quarter
        current[:, streams] = ruled.position % quarter
        current[:, streams + 1] = np.minimum(ruled.position // quarter, QUARTERS - 1)
        self._so_far = self._conditioning.condition(current, self._so_far, ruled.passed, ruled.position, self._bars)

    def outputs(self) -> list[Made]:
        """Give what was made."""
        tokens, nats, end_nats = np.array(self._tokens), np.array(self._nats), np.array(self._end_nats)
        ends = tokens[..., 0] == END
        counts = np.where(ends.any(0), ends.argmax(0), len(tokens))
        end_nats = np.pad(end_nats[1:], ((0, 1), (0, 0)), constant_values=np.inf)  # no event told it of the last one
        left = self._kept.history.interventions
        return [
            Made(tokens[:count, one], nats[:count, one], int(left[one]), end_nats[:count, one])
            for one, count in enumerate(counts)
        ]


def _near_half_a_quarter(grammar: Grammar, stream: str, outputs: int) -> Array:
    """Give scores that are the higher the nearer a value is to half a quarter, [outputs, ids]."""
    steps = grammar.offset_steps if stream == "offset" else grammar.duration_steps
    scores = -np.abs(2.0 * steps - grammar.steps_per_quarter)
    return np.broadcast_to(scores, (outputs, len(scores)))

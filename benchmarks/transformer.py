"""Measures the NLL of a small decoder-only Transformer on the same events, with the same CPU seconds as the LSTMs.

Run: python benchmarks/transformer.py --recipe default --storage storage --cpu-seconds 2600 [--split test] [--json]

It opens the recipe's latest prepared dataset. It trains one trunk with three heads on the same pieces and transpositions, with
the same chain: p(offset | past) · p(note | past, offset) · p(duration | past, offset, note). The trunk reads the streams, the
places and the best echoes of the past (--no-echoes: without). Each head gets the trunk's output and the earlier fields of the
current event. Beside each head stand the recipe's experts, which join when the recipe says (--no-experts: none). So it
knows what the LSTMs know.

The budget is the CPU time of training, from the first step to the last; importing torch and scoring do not count. The learning
rate depends on the spent share of the budget and is zero at its end. The best weights on validation are kept. The rules
of the score card apply: each event of a split is scored once, ends of pieces count in the offset stream, and an unknown
value also pays ln of the number of unknown values. The context is limited and moves on by half its length. So each event is
scored with at least half a context of past (if its piece has that much) and at most a whole one.

One thread is fair, because each LSTM trains with one. It needs torch, which the project itself does not: `make install-bench`.
"""

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.encoding.echoes import ECHOES
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import Batch, PieceSpan, Tokens, blank_batch, fill, hide
from lstm_music.errors import LstmMusicError
from lstm_music.evaluation.targets import StreamScores, most_probable, score
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.columns import Columns
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.stages.training.scorecard import protocol_of
from lstm_music.store import Store

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    sys.stderr.write("transformer.py needs torch: install it with `make install-bench`\n")
    sys.exit(2)

WARM_UP = 0.02  # share of the budget
VALIDATIONS = 6  # during the budget
MLP = 4  # times the width
SCORED_AT_ONCE = 64  # windows
LENGTH_JITTER = 0.1  # batches group windows of similar length; the jitter varies which ones


@dataclass(frozen=True)
class Settings:
    """The settings of the model and its training; `batch` counts windows, `context` events.

    `experts` are those of the recipe, or none.
    """

    width: int = 192
    layers: int = 3
    heads: int = 4
    dropout: float = 0.1
    hidden_inputs: float = 0.05
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    batch: int = 4
    context: int = 256
    random_seed: int = 1
    echoes: bool = True
    experts: bool = True


@dataclass(frozen=True)
class Window:
    """Targets `first` to `first` + `count` (exclusive) of a piece; those before `scored_from` are context only."""

    span: PieceSpan
    first: int
    count: int
    scored_from: int = 0
    shift: int = 0


class Block(nn.Module):
    """Causal self-attention with rotary positions (Su et al. 2021), and an MLP, each behind a layer norm."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, MLP * width), nn.Linear(MLP * width, width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, values: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the values [windows, time, width] after this block."""
        windows, steps, width = values.shape
        qkv = self.qkv(self.attention_norm(values)).view(windows, steps, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # No dropout of attention weights, because the CPU has no fused kernel with it.
        mixed = functional.scaled_dot_product_attention(turned(query, turns), turned(key, turns), value, is_causal=True)
        values = values + self.dropout(self.out(mixed.transpose(1, 2).reshape(windows, steps, width)))
        return values + self.dropout(self.down(functional.gelu(self.up(self.mlp_norm(values)))))


def turned(values: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Rotate each pair of features, [..., time, features], by the angle of its position."""
    cosine, sine = turns
    steps = values.shape[-2]
    first, second = values.chunk(2, -1)
    cosine, sine = cosine[:steps], sine[:steps]
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


class Head(nn.Module):
    """The trunk's output and the earlier fields of the current event → logits of one stream."""

    def __init__(self, settings: Settings, ids: int) -> None:
        super().__init__()
        width = settings.width
        self.layers = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(settings.dropout), nn.Linear(width, ids)
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return logits [..., ids]."""
        return self.layers(values)


class Transformer(nn.Module):
    """A trunk that reads past events, and a head per stream that also reads the known fields of the current event."""

    def __init__(self, columns: Columns, experts: Sequence[str], settings: Settings) -> None:
        super().__init__()
        self.settings, self.has_experts, sizes = settings, bool(experts), columns.sizes
        read = (*STREAMS, *PLACES, *(ECHOES if settings.echoes else ()))
        self.before, self.known = (
            nn.ModuleDict({name: nn.Embedding(max(sizes[name], SPECIAL_IDS), settings.width) for name in names})
            for names in (read, (*STREAMS[:2], *PLACES))
        )
        self.columns = {name: list(sizes).index(name) for name in read}
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.heads = nn.ModuleDict({stream: Head(settings, sizes[stream]) for stream in STREAMS})
        self.dropout = nn.Dropout(settings.dropout)
        pairs = settings.width // settings.heads // 2
        angles = torch.arange(settings.context)[:, None] * 10_000 ** (-torch.arange(pairs) / pairs)
        self.turns = angles.cos(), angles.sin()
        self.apply(self._initialise)
        self.experts = nn.ModuleDict(gated_experts(experts, columns, settings.width) if experts else {})

    def _initialise(self, module: nn.Module) -> None:
        """Draw weights that keep the size of values: with the usual 0.02, attention takes far longer to form (measured)."""
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=module.weight.shape[1] ** -0.5)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, Block):
            for last in (module.out, module.down):
                nn.init.normal_(last.weight, std=(2 * self.settings.layers * last.weight.shape[1]) ** -0.5)

    def forward(
        self, previous: torch.Tensor, current: torch.Tensor, mask: torch.Tensor, is_event: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Return the logits [targets, ids] of each stream for tokens [windows, time, columns].

        `mask` selects the targets of the offset, `is_event` those of the other streams; both are bool [windows, time]. Experts
        say something if `has_experts`.
        """
        values = self.dropout(sum(self.before[name](previous[..., column]) for name, column in self.columns.items()))
        for block in self.blocks:
            values = block(values, self.turns)
        logits = {"offset": self._logits("offset", values[mask], previous[mask], current[mask])}
        values, previous, current = values[is_event], previous[is_event], current[is_event]
        values = values + self._embedded(current, ("offset", *PLACES))
        logits["note"] = self._logits("note", values, previous, current)
        values = values + self._embedded(current, ("note",))
        logits["duration"] = self._logits("duration", values, previous, current)
        return logits

    def _logits(self, stream: str, values: torch.Tensor, previous: torch.Tensor, current: torch.Tensor) -> torch.Tensor:
        logits = self.heads[stream](values)
        return logits + self.experts[stream](values, previous, current) if self.has_experts else logits

    def _embedded(self, current: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
        return sum(self.known[name](current[..., self.columns[name]]) for name in names)


def gated_experts(names: Sequence[str], columns: Columns, width: int) -> dict[str, nn.Module]:
    """Return the experts of each stream; they need TensorFlow for some functions."""
    load_tensorflow(torch.get_num_threads())
    from transformer_experts import GatedExperts

    return {stream: GatedExperts(names, stream, columns, width) for stream in STREAMS}


class Budget:
    """The CPU seconds of this process, without pauses."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._started = time.process_time()

    @property
    def spent(self) -> float:
        """CPU seconds since the start."""
        return time.process_time() - self._started

    @property
    def share(self) -> float:
        """The spent share of the budget, from 0 to 1."""
        return min(1.0, self.spent / self.seconds)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Stop counting inside this context."""
        begun = time.process_time()
        yield
        self._started += time.process_time() - begun


def training_windows(spans: Sequence[PieceSpan], context: int, rng: np.random.Generator) -> list[Window]:
    """Cut the pieces of one epoch. Short pieces stay whole, others are cut at a random phase; each target is in one window."""
    windows = []
    for span in spans:
        targets = span.events + 1
        phase = context if targets <= context else int(rng.integers(1, context, endpoint=True))
        borders = [0, *range(phase, targets, context), targets]
        for first, end in itertools.pairwise(borders):
            shift = int(rng.integers(span.lowest_shift, span.highest_shift, endpoint=True))
            windows.append(Window(span, first, end - first, shift=shift))
    return windows


def in_batches(windows: Sequence[Window], settings: Settings, rng: np.random.Generator) -> list[list[Window]]:
    """Group windows of similar length into batches with at most as many steps as `batch` full windows."""
    jitter = rng.uniform(1 - LENGTH_JITTER, 1 + LENGTH_JITTER, len(windows))
    order = np.argsort([-window.count * noise for window, noise in zip(windows, jitter, strict=True)])
    groups: list[list[Window]] = [[]]
    for index in order:
        longest = max(window.count for window in [*groups[-1], windows[index]])
        if longest * (len(groups[-1]) + 1) > settings.batch * settings.context:
            groups.append([])
        groups[-1].append(windows[index])
    return [groups[place] for place in rng.permutation(len(groups))]


def read_batch(tokens: Tokens, windows: Sequence[Window]) -> Batch:
    """Read windows, time-major; steps that are context only are masked."""
    batch = blank_batch(max(window.count for window in windows), len(windows), tokens.shape[1])
    for column, window in enumerate(windows):
        fill(batch, column, tokens, window.span, window.first, window.count)
        batch.mask[: window.scored_from, column] = batch.is_event[: window.scored_from, column] = 0
    return batch


def transpose(
    batch: Batch, windows: Sequence[Window], note_columns: Sequence[int], table: np.ndarray, first_shift: int
) -> None:
    """Transpose the notes of each window by its shift."""
    for column, window in enumerate(windows):
        for part in (batch.previous, batch.current):
            part[:, column, note_columns] = table[window.shift - first_shift][part[:, column, note_columns]]


def tensors(*parts: np.ndarray) -> tuple[torch.Tensor, ...]:
    """Convert time-major arrays to tensors with the windows first, as the model expects them."""
    return tuple(torch.from_numpy(np.ascontiguousarray(part.swapaxes(0, 1))) for part in parts)


class Training:
    """One training within a budget of CPU time."""

    def __init__(self, dataset: Dataset, recipe: Recipe, settings: Settings, cpu_seconds: float) -> None:
        if dataset.streams != STREAMS:
            raise SystemExit(
                f"expected a dataset with the streams {', '.join(STREAMS)}, got {', '.join(dataset.streams)}; use another recipe"
            )
        self.dataset, self.recipe, self.settings = dataset, recipe, settings
        torch.manual_seed(settings.random_seed)
        self.columns = Columns(dataset.streams, dataset.sizes, dataset.offset_quarters, settings.context)
        self.model = Transformer(self.columns, recipe.model.experts if settings.experts else (), settings)
        if recipe.training.experts_from:
            for experts in self.model.experts.values():
                experts.close()
        self.spans = dataset.targets(TRAIN).spans
        self.transposition = dataset.transposition(recipe.windows)
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), betas=(0.9, 0.98), fused=True)
        self.best: tuple[float, dict[str, torch.Tensor]] = math.inf, {}
        self.steps, self.seen, self.history = 0, 0, []
        self.budget = Budget(cpu_seconds)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Apply weight decay to the matrices of linear layers only."""
        decays = {id(module.weight) for module in self.model.modules() if isinstance(module, nn.Linear)}
        parameters = list(self.model.parameters())
        return [
            {"params": [one for one in parameters if id(one) in decays], "weight_decay": self.settings.weight_decay},
            {"params": [one for one in parameters if id(one) not in decays], "weight_decay": 0.0},
        ]

    @property
    def epochs(self) -> float:
        """The average number of times that each target was seen."""
        return self.seen / sum(span.events + 1 for span in self.spans)

    def run(self) -> Transformer:
        """Train until the budget is spent; return the model with its best weights on validation."""
        losses: list[float] = []
        for batch, rng in self._batches():
            losses.append(self._step(batch, rng))
            if self.budget.share * VALIDATIONS >= len(self.history) + 1:
                with self.budget.pause():
                    self._validate(float(np.mean(losses)))
                losses = []
            if self.budget.share >= 1:
                break
        self.model.load_state_dict(self.best[1])
        return self.model

    def _batches(self) -> Iterator[tuple[Batch, np.random.Generator]]:
        first_shift = self.recipe.windows.transpose_from
        for epoch in itertools.count():
            rng = np.random.default_rng([self.settings.random_seed, epoch])
            for group in in_batches(training_windows(self.spans, self.settings.context, rng), self.settings, rng):
                batch = read_batch(self.dataset.tokens, group)
                transpose(batch, group, self.columns.note_columns, self.transposition, first_shift)
                yield batch, rng

    def _step(self, batch: Batch, rng: np.random.Generator) -> float:
        """Train on one batch; return its loss in nats per event."""
        targets, *masks = tensors(batch.current, batch.mask > 0, batch.is_event > 0)
        for tokens in (batch.previous, batch.current):
            tokens[..., : len(STREAMS)] = hide(tokens[..., : len(STREAMS)], self.settings.hidden_inputs, rng)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.model.train()
        self.model.has_experts = bool(self.model.experts) and self.budget.share >= self.recipe.training.experts_from
        logits = self.model(*tensors(batch.previous, batch.current), *masks)
        events = int(masks[1].sum())
        nats = [
            functional.cross_entropy(logits[stream], targets[masks[min(place, 1)]][:, place].long(), reduction="sum")
            for place, stream in enumerate(STREAMS)
        ]
        loss = sum(nats) / max(events, 1)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.steps, self.seen = self.steps + 1, self.seen + int(masks[0].sum())
        return float(loss.detach())

    def _learning_rate(self) -> float:
        """Return the rate: it rises during the warm-up, then falls along a cosine to zero at the end of the budget."""
        share = self.budget.share
        return self.settings.learning_rate * min(1.0, share / WARM_UP) * 0.5 * (1 + math.cos(math.pi * share))

    def _validate(self, loss: float) -> None:
        nats = in_nats(evaluate(self.model, self.dataset, VALIDATION))["sum"]
        self.history.append(nats)
        if nats < self.best[0]:
            self.best = nats, {name: value.clone() for name, value in self.model.state_dict().items()}
        sys.stderr.write(
            f"{self.budget.spent:7.0f} CPU s, {self.steps:6,} steps, {self.epochs:5.1f} epochs: "
            f"training loss {loss:.4f}, validation {nats:.4f}\n"
        )
        if not math.isfinite(nats):
            sys.exit("the validation NLL is not a number; use a smaller --learning-rate")


def scoring_windows(span: PieceSpan, context: int) -> Iterator[Window]:
    """Cut a piece so that each target is scored once, with at least half a context of past if the piece has that much."""
    targets, half = span.events + 1, context // 2
    yield Window(span, 0, min(context, targets))
    for end in range(context + half, targets + half, half):
        first = end - context
        yield Window(span, first, min(end, targets) - first, scored_from=context - half)


@torch.inference_mode()
def evaluate(model: Transformer, dataset: Dataset, split: str) -> dict[str, StreamScores]:
    """Score every event and every end of a split."""
    model.eval()
    targets = dataset.targets(split)
    rows = len(dataset.tokens)
    logs = {stream: np.full(rows, np.nan, np.float32) for stream in STREAMS}  # a missing event would make the sum NaN
    guesses = {stream: np.zeros(rows, np.int64) for stream in STREAMS}
    ends: list[np.ndarray] = []
    windows = [window for span in targets.spans for window in scoring_windows(span, model.settings.context)]
    windows.sort(key=lambda window: -window.count)  # less padding
    for begin in range(0, len(windows), SCORED_AT_ONCE):
        group = windows[begin : begin + SCORED_AT_ONCE]
        batch = read_batch(dataset.tokens, group)
        previous, current, mask, is_event = tensors(batch.previous, batch.current, batch.mask > 0, batch.is_event > 0)
        firsts = np.array([window.span.start + window.first for window in group])
        places = torch.from_numpy(firsts)[:, None] + torch.arange(mask.shape[1])
        for stream, logits in model(previous, current, mask, is_event).items():
            chosen = mask if stream == STREAMS[0] else is_event
            ids = current[chosen][:, STREAMS.index(stream), None].long()
            log_p = functional.log_softmax(logits, -1).gather(1, ids)[:, 0].numpy()
            of_events = is_event[chosen].numpy()
            at = places[chosen].numpy()[of_events]
            logs[stream][at], guesses[stream][at] = log_p[of_events], most_probable(logits.numpy())[of_events]
            ends += [log_p[~of_events]]
    return {
        stream: score(
            dataset.tokens[targets.places, place],
            logs[stream][targets.places],
            guesses[stream][targets.places],
            log_unknown=dataset.log_unknown[stream],
            end_log_probabilities=np.concatenate(ends) if place == 0 else None,
        )
        for place, stream in enumerate(STREAMS)
    }


def in_nats(scores: Mapping[str, StreamScores]) -> dict[str, float]:
    """Return the nats per event of each stream and their sum; ends are not counted as events."""
    by_stream = {stream: scored.total / len(scored.nats) for stream, scored in scores.items()}
    return {**by_stream, "sum": sum(by_stream.values())}


def measure(arguments: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Train within the budget and score the model."""
    torch.set_num_threads(arguments.threads)
    store, recipe = Store(arguments.storage), load_recipe(arguments.recipe)
    dataset = load_dataset(store, last_prepared(store, recipe.name).dataset)
    training = Training(dataset, recipe, settings, arguments.cpu_seconds)
    model = training.run()
    splits = [VALIDATION, TEST] if arguments.split == TEST else [VALIDATION]
    return {
        "cpu_seconds": round(training.budget.spent, 1),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "epochs": round(training.epochs, 1),
        "steps": training.steps,
        "validations": training.history,
        "protocol": protocol_of(dataset),
        "past_events": {"at_least": settings.context // 2, "at_most": settings.context},
        **{split: in_nats(evaluate(model, dataset, split)) for split in splits},
        "settings": {**asdict(settings), "threads": arguments.threads},
    }


def describe(result: Mapping[str, Any]) -> None:
    """Print the result as a table."""
    past = result["past_events"]
    print(
        f"Trained for {result['cpu_seconds']:,} CPU s: {result['parameters']:,} parameters, {result['steps']:,} steps, "
        f"{result['epochs']} epochs"
    )
    print(
        f"Nats per event ({result['protocol']}), with {past['at_least']} to {past['at_most']} past events "
        "if the piece has them:"
    )
    print(f"{'':12}" + "".join(f"{name:>10}" for name in (*STREAMS, "sum")))
    for split in (VALIDATION, TEST):
        if split in result:
            print(f"{split:12}" + "".join(f"{nats:10.4f}" for nats in result[split].values()))


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", required=True, help="a recipe's name, or the path of a .toml file")
    parser.add_argument("--storage", type=Path, required=True, help="storage in which the recipe was prepared")
    parser.add_argument("--cpu-seconds", type=float, required=True, help="CPU time of the training")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--split", choices=[VALIDATION, TEST], default=VALIDATION, help="test scores both splits")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    for field in fields(Settings):
        option, kind = f"--{field.name.replace('_', '-')}", type(field.default)
        how: dict[str, Any] = {"action": argparse.BooleanOptionalAction} if kind is bool else {"type": kind}
        parser.add_argument(option, **how, default=field.default, help="[default: %(default)s]")
    arguments = parser.parse_args()
    settings = Settings(**{field.name: getattr(arguments, field.name) for field in fields(Settings)})
    if settings.width % (2 * settings.heads):
        parser.error(f"--width: expected a multiple of {2 * settings.heads} (twice the heads), got {settings.width}")
    try:
        result = measure(arguments, settings)
    except LstmMusicError as error:
        sys.stderr.write(f"transformer.py: {error}\n")
        sys.exit(error.exit_code)
    if arguments.json:
        print(json.dumps(result))
    else:
        describe(result)


if __name__ == "__main__":
    main()

"""Measures how well results obey learned controls, and what obeying costs.

    python benchmarks/controls.py --storage STORAGE [--outputs 64] [--bars 8] [--only density key …] [--levels 1 … 8] [--seed 1]

Density, polyphony and mean pitch: the bars of the training pieces fall into eight equal buckets, and what is asked is the median
of each. It says how many bars of the results lie in that bucket, and within one of it, beside results of which nothing was asked.
Key: how many results music21 finds in the key, beside stretches of held-out pieces that `midi.key` finds in theirs.
Chords: in how many quarters
the root and the third or fifth sounds. NLL: nats per event of the results under the same models without controls; copies and
loops are medians.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lstm_music.encoding.harmony import read_chords
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import PieceSpan, Targets
from lstm_music.evaluation.bar_measures import BarMeasures, measure_bars
from lstm_music.evaluation.loops import bar_contents, longest_repeat
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import note_name, read_key
from lstm_music.midi.key import keys_of, sharps_of
from lstm_music.models.backend import load_tensorflow
from lstm_music.stages.current import default_recipe, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.asked_bars import chords_kept
from lstm_music.stages.music.candidates import go_on
from lstm_music.stages.music.copies import event_reader, index_copies, load_index
from lstm_music.stages.music.prompts import Origin, choose_prompts
from lstm_music.stages.training.trained import load_model
from lstm_music.store import Store

BUCKETS = 8
KEYS = ("C major", "Eb major", "A minor", "C minor")
CHORDS = ("Am F C G", "Dm G7 C Am", "C C F G")


class Piece(NamedTuple):
    """Events as they are played, int64 [events] in steps since a barline; drums have the pitch -1."""

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    bar: int


class Results(NamedTuple):
    """Results of one thing asked: the piece and its tokens, with the segment before, for each."""

    pieces: list[Piece]
    tokens: list[np.ndarray]
    origins: list[Origin]


class Bench:
    """The promoted models of a storage, and music made with them."""

    def __init__(self, storage: str, outputs: int, bars: int, seed: int) -> None:
        self.store = Store(storage)
        self.recipe = default_recipe(self.store, "promoted").recipe
        self.current = require_promoted(self.store, self.recipe.name)
        self.dataset = load_dataset(self.store, self.current.dataset)
        self.outputs, self.bars, self.seed = outputs, bars, seed
        self.steps = {name: _steps(self.dataset, name) for name in ("offset", "duration")}
        self.pitches = _pitches(self.dataset)
        self.index = load_index(self.store, index_copies(self.store, self.current.dataset))

    def make(self, **asked: Any) -> Results:
        """Make music of so many bars, of which something is asked."""
        said = {**self.recipe.generation.model_dump(), "num_outputs": self.outputs, "best_of": 1, "bars": self.bars}
        spec = GenerationSpec.model_validate({**said, **asked})
        began = time.process_time()
        origins = choose_prompts(self.store, self.dataset, spec, self.seed, None)
        made = go_on(self.store, self.dataset, self.current.models, spec, self.seed, origins)
        print(f"  {asked or 'nothing asked'}: {time.process_time() - began:.0f} CPU seconds", flush=True)
        pieces = [self._piece(one.tokens, origin) for one, origin in zip(made, origins, strict=True)]
        return Results(pieces, [one.tokens for one in made], origins)

    def _piece(self, tokens: np.ndarray, origin: Origin) -> Piece:
        segment, offsets = origin.segment, self.steps["offset"][tokens[:, 0]]
        first = (segment.last_position_in_bar_steps + int(offsets[0])) % segment.bar_steps
        onset = first + np.cumsum(offsets) - offsets[0]
        return Piece(onset, self.steps["duration"][tokens[:, 2]], self.pitches[tokens[:, 1]], segment.bar_steps)

    def training_bars(self) -> BarMeasures:
        """Measure the bars of the training pieces by their places, those of one length a piece only."""
        found = []
        for span in self.dataset.spans["train"]:
            tokens = np.asarray(self.dataset.tokens[span.start : span.stop])
            streams, quarter = len(self.dataset.streams), self.dataset.events.grid.steps_per_quarter
            position = tokens[:, streams].astype(np.int64) + quarter * tokens[:, streams + 1].astype(np.int64)
            onset = np.cumsum(self.steps["offset"][tokens[:, 0]])
            begins = np.unique(onset - position)
            lengths, counts = np.unique(np.diff(begins), return_counts=True)
            if not len(lengths):
                continue
            bar = int(lengths[counts.argmax()])
            start = int(begins[np.flatnonzero(np.diff(begins) == bar)[0]])
            kept = onset >= start
            piece = (
                onset[kept] - start,
                self.steps["duration"][tokens[kept, 2]],
                self.pitches[tokens[kept, 1]],
            )
            found.append(measure_bars(*piece, bar, quarter, int(piece[0].max()) // bar + 1))
        density, polyphony, mean_pitch = (
            np.concatenate([getattr(one, name) for one in found]) for name in ("density", "polyphony", "mean_pitch")
        )
        return BarMeasures(density, polyphony, mean_pitch, np.zeros((0, 0, 12), np.int64))

    def bars_of(self, results: Results) -> list[BarMeasures]:
        """Measure the bars of results; a bar that the prompt begins is left out, and the last, in which the music ends early."""
        quarter = self.dataset.events.grid.steps_per_quarter
        return [
            _inner(measure_bars(*piece, quarter, self.bars), is_whole=piece.onset[0] == 0) for piece in results.pieces
        ]

    def cost(self, results: Results) -> float:
        """Give the NLL of results under the models to which nothing is said, in nats per event."""
        load_tensorflow()
        from lstm_music.models.scoring import make_scorer

        parts, spans, news, at = [], [], [], 0
        for tokens, origin in zip(results.tokens, results.origins, strict=True):
            whole = np.concatenate([origin.segment.tokens, tokens])
            parts.append(whole)
            spans.append(PieceSpan(str(at), at, at + len(whole)))
            news.append(np.arange(len(whole)) >= len(origin.segment.tokens))
            at += len(whole)
        array, is_new = np.concatenate(parts).astype(np.uint32), np.concatenate(news)
        nats = 0.0
        for ref in self.current.models.values():
            model = load_model(self.store, ref, self.dataset)
            for predicted in make_scorer(model, array)(Targets.of(spans)).values():
                nats -= float(predicted.log_probabilities[is_new].sum(dtype=np.float64))
        return nats / int(is_new.sum())

    def repeats(self, results: Results) -> tuple[float, float]:
        """Give the medians of the longest copy from a training piece, in events, and of how often a bar comes in a row."""
        reader = event_reader(self.dataset)
        copies, loops = [], []
        for tokens, piece in zip(results.tokens, results.pieces, strict=True):
            shared = self.index.longest(reader.read(tokens))
            copies.append(shared.length_events if shared else 0)
            bar, position = np.divmod(piece.onset, piece.bar)
            loops.append(longest_repeat(bar_contents(bar, position, tokens[:, 1], piece.duration)))
        return float(np.median(copies)), float(np.median(loops))


def _inner(measured: BarMeasures, *, is_whole: bool) -> BarMeasures:
    first = 0 if is_whole else 1
    names = ("density", "polyphony", "mean_pitch", "quarters")
    return BarMeasures(*(getattr(measured, name)[first:-1] for name in names))


def _steps(dataset: Dataset, stream: str) -> np.ndarray:
    values = [dataset.events.grid.steps(value) for value in dataset.vocabularies[stream].values]
    return np.array([0] * SPECIAL_IDS + values, np.int64)


def _pitches(dataset: Dataset) -> np.ndarray:
    from lstm_music.encoding.chords import content

    values = [min(content(value)[0], default=-1) for value in dataset.vocabularies["note"].values]
    return np.array([-1] * SPECIAL_IDS + values, np.int64)


def buckets(
    bench: Bench, name: str, free: Sequence[BarMeasures], levels: Sequence[int]
) -> Iterator[tuple[float, Results, list[float]]]:
    """Ask for the median of each bucket; yield it, the results, and the shares of bars: in it, within one, and both unasked."""
    values = getattr(bench.training_bars(), name)
    values = values[~np.isnan(values)]
    edges = np.quantile(values, np.arange(1, BUCKETS) / BUCKETS)
    of_value, unasked = np.searchsorted(edges, values, "right"), _bucket(free, name, edges)
    for bucket in (one for one in np.unique(of_value).tolist() if one + 1 in levels):
        asked = float(np.median(values[of_value == bucket]))
        said: Any = note_name(round(asked)) if name == "mean_pitch" else round(asked, 1)
        results = bench.make(**{name: said})
        found = _bucket(bench.bars_of(results), name, edges)
        yield (
            asked,
            results,
            [float(np.mean(np.abs(one - bucket) <= off)) for one in (found, unasked) for off in (0, 1)],
        )


def _bucket(measured: Sequence[BarMeasures], name: str, edges: np.ndarray) -> np.ndarray:
    values = np.concatenate([getattr(one, name) for one in measured])
    found: np.ndarray = np.searchsorted(edges, values[~np.isnan(values)], "right")
    return found


def music21_key(piece: Piece) -> tuple[int, bool]:
    """Give the key that music21 finds, as the sharps of its signature and whether it is minor."""
    from music21 import duration, note, stream

    part = stream.Part()
    for onset, lasts, pitch in zip(piece.onset.tolist(), piece.duration.tolist(), piece.pitch.tolist(), strict=True):
        if pitch >= 0:
            one = note.Note(pitch)
            one.duration = duration.Duration(lasts / 24)
            part.insert(onset / 24, one)
    found = part.analyze("key")
    return found.sharps % 12, found.mode == "minor"


def keys(bench: Bench, free: Results) -> Iterator[tuple[str, Results, float, float]]:
    """Ask for keys; yield each, the results, and the share of results in it, asked and unasked."""
    unasked = [music21_key(piece) for piece in free.pieces]
    for name in KEYS:
        wanted = read_key(name)
        key = (wanted.sharps % 12, wanted.is_minor)
        results = bench.make(key=name)
        yield (
            name,
            results,
            float(np.mean([music21_key(one) == key for one in results.pieces])),
            unasked.count(key) / len(unasked),
        )


def held_out_keys(bench: Bench) -> float:
    """Give the share of stretches of held-out pieces, so many bars long, in which music21 finds the key that `midi.key` finds."""
    agree = []
    for span in (*bench.dataset.spans["validation"], *bench.dataset.spans["test"]):
        tokens = np.asarray(bench.dataset.tokens[span.start : span.stop])
        onset = np.cumsum(bench.steps["offset"][tokens[:, 0]])
        quarter = bench.dataset.events.grid.steps_per_quarter
        begin = int(onset[-1]) // 2
        kept = (onset >= begin) & (onset < begin + 4 * quarter * bench.bars)
        piece = Piece(
            onset[kept], bench.steps["duration"][tokens[kept, 2]], bench.pitches[tokens[kept, 1]], 4 * quarter
        )
        lasts = np.bincount(piece.pitch[piece.pitch >= 0] % 12, piece.duration[piece.pitch >= 0], 12)
        key = int(keys_of(lasts[None].astype(np.int64))[0])
        is_minor = key >= 12
        agree.append(music21_key(piece) == (sharps_of(key % 12, is_minor=is_minor) % 12, is_minor))
    return float(np.mean(agree))


def chords(bench: Bench, free: Results) -> Iterator[tuple[str, Results, float, float]]:
    """Ask for chords; yield them, the results, and the share of quarters with them, asked and unasked."""
    for text in CHORDS:
        bars = read_chords(text)
        results = bench.make(chords=text)
        shares = []
        for made in (results, free):
            has = [
                kept
                for one, piece in zip(bench.bars_of(made), made.pieces, strict=True)
                for bar, quarters in enumerate(one.quarters, start=0 if piece.onset[0] == 0 else 1)
                for kept in chords_kept(quarters, bars[bar % len(bars)])
            ]
            shares.append(float(np.mean(has)))
        yield text, results, shares[0], shares[1]


def main() -> None:
    """Print a table for each control."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--storage", required=True)
    parser.add_argument("--outputs", type=int, default=64)
    parser.add_argument("--bars", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    controls = ("density", "polyphony", "mean_pitch", "key", "chord")
    parser.add_argument("--levels", nargs="+", type=int, choices=range(1, BUCKETS + 1), default=range(1, BUCKETS + 1))
    parser.add_argument("--only", nargs="+", choices=controls, default=controls)
    arguments = parser.parse_args()
    bench = Bench(arguments.storage, arguments.outputs, arguments.bars, arguments.seed)
    free = bench.make()

    def cost(results: Results) -> str:
        return f"{bench.cost(results):>9.3f}" + "".join(f"{one:>9g}" for one in bench.repeats(results))

    heads = f"{'NLL':>9}{'copy':>9}{'loop':>9}"
    print(f"{'nothing asked':30}{heads}\n{'':30}{cost(free)}", flush=True)
    for name in ("density", "polyphony", "mean_pitch"):
        if name in arguments.only:
            print(f"\n{name:14}{'in bucket':>12}{'within 1':>12}{'unasked':>12}{'within 1':>12}{heads}", flush=True)
            rows = []
            for asked, results, shares in buckets(bench, name, bench.bars_of(free), arguments.levels):
                rows.append(shares)
                print(f"{asked:<14.2f}{''.join(f'{share:>12.1%}' for share in shares)}{cost(results)}", flush=True)
            print(f"{'mean':14}{''.join(f'{share:>12.1%}' for share in np.mean(rows, axis=0))}", flush=True)
    if "key" in arguments.only:
        print(
            f"\nkey: held-out stretches {held_out_keys(bench):.1%}\n{'':20}{'results':>12}{'unasked':>12}{heads}",
            flush=True,
        )
        for text, results, kept, unasked in keys(bench, free):
            print(f"{text:20}{kept:>12.1%}{unasked:>12.1%}{cost(results)}", flush=True)
    if "chord" in arguments.only:
        print(f"\n{'chords':20}{'quarters':>12}{'unasked':>12}{heads}", flush=True)
        for text, results, kept, unasked in chords(bench, free):
            print(f"{text:20}{kept:>12.1%}{unasked:>12.1%}{cost(results)}", flush=True)


if __name__ == "__main__":
    main()

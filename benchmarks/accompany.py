"""Measures accompaniments of held-out pieces: whether the given part is in them note for note, and how like the pieces they are.

Run: python benchmarks/accompany.py --recipe choir --part soprano --storage storage [--cases 64] [--json]

It takes the given part of each held-out piece (validation and test), with the same number of results for each, until there are
enough, and lets the promoted models of a recipe with parts write the others. The music is kept in the storage, so a second run is
quick.

- In how many results, and in how many of all candidates, the given part is note for note, as read back from the MIDI files: the
  same onsets, pitches and durations, and no other note of this part.
- The overlapped area of all statistics (`evaluation.statistics`, `part_statistics`): one half of the held-out pieces with the
  results around the given parts of the other half, and with that other half itself (the ceiling), as a mean over 20 halvings. For
  the results that were kept, for the first candidates, and for those in which the models find the given notes likeliest.
- The nats per given note and per new note of the results; and per given note in the pieces themselves, without its offset, as the
  score card has them.
- Voice crossings and parallels per 100 chords, where the parts are voices.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from lstm_music.encoding.parts import player_of
from lstm_music.encoding.splits import TEST, VALIDATION
from lstm_music.encoding.streams import PART
from lstm_music.errors import LstmMusicError, RecipeError
from lstm_music.evaluation.music_card import HALVINGS, halve
from lstm_music.evaluation.overlapped_area import compare
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import Promoted, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.music.accompaniment import accompanied, accompanying
from lstm_music.stages.music.candidates import Candidate, make_music, read_music
from lstm_music.stages.music.copies import index_copies, load_index
from lstm_music.stages.music.measures import Excerpt, notes_of, statistics_of
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.part_measures import describe_parts, has_parts
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.ranking import best, excerpt_of, score_candidates
from lstm_music.stages.music.reference import measure_reference, read_reference
from lstm_music.stages.music.segments import cut
from lstm_music.stages.training.scorecard import read_card
from lstm_music.store import Store

KEPT, FIRST, LIKELY = "kept", "first candidates", "likeliest given notes"


@dataclass(frozen=True, eq=False)
class Case:
    """The accompaniments of one held-out piece: its given notes, all candidates, and results by how they are chosen."""

    piece: str
    held_out: Excerpt
    given: list[tuple[int, int, int]]
    candidates: Sequence[Candidate]
    chosen: Mapping[str, Sequence[Candidate]]


def given_notes(dataset: Dataset, melody: Melody) -> list[tuple[int, int, int]]:
    """Give onset and duration in steps, and pitch, of the given notes of a file."""
    read = accompanied(dataset, melody).events
    pitches = [dataset.events.encoding.pitches(note)[0] for note in read.note]
    return sorted(zip(read.onset_steps.tolist(), read.duration_steps.tolist(), pitches, strict=True))


def found_notes(dataset: Dataset, made: Candidate, part: str) -> list[tuple[int, int, int]]:
    """Give the same of a part of a result, as read from its MIDI file."""
    piece, grid = read_midi(made.midi), dataset.events.grid
    parts, of_note = parts_of(piece)
    name = player_of(dataset.events.parts, part).name
    own = piece.notes[np.array([one.name == name for one in parts])[of_note]]
    steps = [grid.onsets(own[column], piece.ticks_per_quarter).tolist() for column in ("onset_ticks", "duration_ticks")]
    return sorted(zip(*steps, own["pitch"].tolist(), strict=True))


def cases(
    store: Store, current: Promoted, dataset: Dataset, spec: GenerationSpec, arguments: argparse.Namespace
) -> list[Case]:
    """Accompany each held-out piece."""
    spans = [span for split in (VALIDATION, TEST) for span in dataset.spans[split]]
    rows = {row["piece_id"]: row for row in read_pieces(store, dataset.notes_ref, ("piece_id", "name", "format"))}
    index = load_index(store, index_copies(store, current.dataset))
    reference = read_reference(
        store, measure_reference(store, current.dataset, index_copies(store, current.dataset), spec.num_events)
    )
    found = []
    for number, span in enumerate(spans):
        outputs = arguments.cases // len(spans) + (number < arguments.cases % len(spans))
        row = rows[span.piece_id]
        melody = Melody(PromptMidi(row["name"], store.get_blob(span.piece_id), row["format"]), arguments.part)
        own = spec.model_copy(update={"num_outputs": outputs})
        music = read_music(
            store, make_music(store, current.dataset, current.models, own, arguments.random_seed, melody=melody)
        )
        kept = best(score_candidates(dataset, index, reference, music), outputs)
        likely = sorted(music, key=lambda one: float(one.facts["given"]["nats_per_event"]))[:outputs]
        (whole,) = cut(store, dataset, [(span.piece_id, 0)], span.events).values()
        chosen = {KEPT: [one.made for one in kept], FIRST: music[:outputs], LIKELY: likely}
        found.append(Case(row["name"], Excerpt.of(whole), given_notes(dataset, melody), music, chosen))
    return found


def areas(dataset: Dataset, found: Sequence[Case], how: str) -> dict[str, dict[str, float]]:
    """Give the overlapped area of each metric, and its ceiling, as means over halvings; a result of each piece takes its turn."""

    def statistics(excerpt: Excerpt) -> dict[str, float]:
        return statistics_of(
            dataset, notes_of(dataset, excerpt), excerpt.bar_steps / dataset.events.grid.steps_per_quarter
        )

    real = [statistics(case.held_out) for case in found]
    made = [[statistics(excerpt_of(dataset, one)) for one in case.chosen[how]] for case in found]
    values: dict[str, dict[str, list[float]]] = {}
    for number in range(HALVINGS):
        in_b = halve([case.piece for case in found], np.random.default_rng([1, number]))
        reference = [one for one, is_in_b in zip(real, in_b, strict=True) if not is_in_b]
        sides = {
            "generated": [own[number % len(own)] for own, is_in_b in zip(made, in_b, strict=True) if is_in_b],
            "ceiling": [one for one, is_in_b in zip(real, in_b, strict=True) if is_in_b],
        }
        for name, other in sides.items():
            for metric, overlap in compare(reference, other).items():
                if overlap.area is not None:
                    values.setdefault(metric, {}).setdefault(name, []).append(overlap.area)
    return {
        metric: {name: fmean(own) for name, own in sides.items()} for metric, sides in values.items() if len(sides) == 2
    }


def measure(
    store: Store, current: Promoted, dataset: Dataset, spec: GenerationSpec, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Accompany and measure."""
    found = cases(store, current, dataset, spec, arguments)
    results = [(case, one) for case in found for one in case.chosen[KEPT]]
    candidates = [(case, one) for case in found for one in case.candidates]
    exact = {id(one): found_notes(dataset, one, arguments.part) == case.given for case, one in candidates}
    card = read_card(store, current.scorecard)["splits"]
    in_pieces = [sum(card[split]["parts"][arguments.part]["models"].values()) for split in (VALIDATION, TEST)]
    by_choice = {}
    for how in (KEPT, FIRST, LIKELY):
        by_metric = areas(dataset, found, how)
        own = [one for case in found for one in case.chosen[how]]
        by_choice[how] = {
            "area": fmean(sides["generated"] for sides in by_metric.values()),
            "ceiling": fmean(sides["ceiling"] for sides in by_metric.values()),
            "by_metric": by_metric,
            "given_nats": fmean(float(one.facts["given"]["nats_per_event"]) for one in own),
            "new_nats": fmean(float(one.facts["given"]["new_nats_per_event"]) for one in own),
            "parts": describe_parts(dataset, [notes_of(dataset, excerpt_of(dataset, one)) for one in own]),
        }
    return {
        "pieces": len(found),
        "cases": len(results),
        "cases_with_all_given_notes": sum(exact[id(one)] for _, one in results),
        "candidates": len(candidates),
        "candidates_with_all_given_notes": sum(exact.values()),
        "given_notes": sum(len(case.given) for case, _ in results),
        "given_nats_in_pieces": dict(zip((VALIDATION, TEST), in_pieces, strict=True)),
        "held_out_parts": describe_parts(dataset, [notes_of(dataset, case.held_out) for case in found]),
        "choices": by_choice,
    }


def show(found: Mapping[str, Any]) -> None:
    """Print what was found."""
    print(
        f"{found['pieces']} held-out pieces, {found['given_notes']:,} given notes in the results; the given part is there in"
    )
    for what in ("cases", "candidates"):
        print(f"  {found[f'{what}_with_all_given_notes']} of {found[what]} {what}")
    for how, one in found["choices"].items():
        ratio = one["area"] / one["ceiling"]
        print(
            f"{how}: overlapped area {one['area']:.3f}, ceiling {one['ceiling']:.3f}, ratio {ratio:.3f}; "
            f"{one['given_nats']:.2f} nats per given note, {one['new_nats']:.2f} per new one"
        )
    for split, nats in found["given_nats_in_pieces"].items():
        print(f"nats per given note in the pieces themselves, without offsets, {split}: {nats:.2f}")
    for metric, area in found["choices"][KEPT]["by_metric"].items():
        print(f"  {metric}: {area['generated']:.3f}, ceiling {area['ceiling']:.3f}")
    sides = {**{how: one["parts"] for how, one in found["choices"].items()}, "held-out": found["held_out_parts"]}
    for name, parts in sides.items():
        if "voice_leading" in parts:
            print(f"{name}: " + ", ".join(f"{what} {value:.2f}" for what, value in parts["voice_leading"].items()))


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="choir", help="with parts and promoted models (default: %(default)s)")
    parser.add_argument("--part", default="soprano", help="the given part (default: %(default)s)")
    parser.add_argument("--storage", type=Path, required=True, help="storage that holds the models")
    parser.add_argument("--cases", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--best-of", type=int, help="candidates for each result, instead of the usual number")
    parser.add_argument("--random-seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    try:
        store, recipe = Store(arguments.storage), accompanying(load_recipe(arguments.recipe))
        spec = recipe.generation
        if arguments.best_of:
            spec = spec.model_copy(update={"best_of": arguments.best_of})
        with store.session():
            current = require_promoted(store, recipe.name)
            dataset = load_dataset(store, current.dataset)
            if not has_parts(dataset) or arguments.part not in dataset.vocabularies[PART].values:
                raise RecipeError(f"the models of {recipe.name!r} know no part {arguments.part!r}")
            found = measure(store, current, dataset, spec, arguments)
    except LstmMusicError as error:
        parser.error(str(error))
    if arguments.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()

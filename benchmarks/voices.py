"""Measures music in parts beside held-out music: how many parts sound, ranges, voice crossings, parallels, and drums.

Run: python benchmarks/voices.py --recipe choir --storage storage [--instruments soprano,bass] [--json]

It generates 64 results with the promoted models of a recipe with parts, without their prompts and without rendering, long enough
for 16 bars, and cuts them there. Beside them stand the held-out pieces (validation and test), cut into stretches of 16 bars; a
shorter piece, or what is left of a long one, counts from 8 bars on. The music is kept in the storage, so a second run is quick.

- Notes inside the range of their part's training notes, part by part.
- The overlapped area of the number of sounding parts: half of the held-out pieces with the results after prompts of the other
  half, and with that other half (the ceiling), over 20 halvings. As a mean of each piece, and as shares of the time.
- Voice crossings, parallel fifths, octaves and unisons per 100 chords, for parts that are voices (`evaluation.voice_leading`).
- With --instruments, 64 further results: how many of their notes are in the parts asked for.
- With drums: how many results and stretches have them, and whether drums, and nothing else, are on channel 10 of the MIDI files.

Tune settings with --split validation, which leaves out test pieces and the results after prompts from them.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from lstm_music.encoding.parts import named_parts, player_of
from lstm_music.encoding.splits import TEST, VALIDATION
from lstm_music.encoding.streams import ALL_STREAMS, PART
from lstm_music.errors import LstmMusicError, NotEnoughMusicError, RecipeError
from lstm_music.evaluation.music_card import HALVINGS, halve
from lstm_music.evaluation.overlapped_area import compare
from lstm_music.evaluation.part_statistics import part_statistics
from lstm_music.evaluation.part_table import part_tables
from lstm_music.generation.spec import GenerationSpec, parse_per_stream
from lstm_music.midi.general_midi import DRUM_CHANNEL, DRUMS
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import Promoted, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.candidates import Candidate, make_music, new_notes, read_music
from lstm_music.stages.music.measures import Excerpt, notes_of
from lstm_music.stages.music.part_measures import describe_parts, has_parts, part_counts, training_ranges
from lstm_music.stages.music.ranking import excerpt_of
from lstm_music.stages.music.segments import cut
from lstm_music.store import Store

SOUNDING = ("sounding_parts", "sounding_parts_histogram")


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some bars of music, and the held-out piece that it was cut out of, or that its prompt was cut out of."""

    piece: str
    notes: PieceNotes
    bars: float
    events: int


def stretches(dataset: Dataset, piece: str, excerpt: Excerpt, bars: int, fewest: int) -> list[Stretch]:
    """Cut music at every `bars` bars from its first bar line on; the last stretch may be as short as `fewest`."""
    notes = notes_of(dataset, excerpt)
    bar = excerpt.bar_steps * notes.ticks_per_quarter // dataset.events.grid.steps_per_quarter
    onset = notes.notes["onset_ticks"]
    end = int((onset + notes.notes["duration_ticks"]).max())
    found = []
    for start in range(0, end, bars * bar):
        stop = min(start + bars * bar, end)
        own = notes.notes[(start <= onset) & (onset < stop)].copy()
        own["duration_ticks"] = np.minimum(own["duration_ticks"], stop - own["onset_ticks"])
        if stop - start >= fewest * bar and len(own):
            found.append(Stretch(piece, replace(notes, notes=own), (stop - start) / bar, len(own)))
    return found


def held_out_stretches(store: Store, dataset: Dataset, splits: Sequence[str], bars: int, fewest: int) -> list[Stretch]:
    """Cut all held-out pieces."""
    found = []
    for split in splits:
        for span in dataset.spans[split]:
            (whole,) = cut(store, dataset, [(span.piece_id, 0)], span.events).values()
            found += stretches(dataset, whole.name, Excerpt.of(whole), bars, fewest)
    return found


def generated(
    store: Store, current: Promoted, spec: GenerationSpec, random_seed: int, splits: Sequence[str]
) -> list[Candidate]:
    """Generate, or find what was generated before; keep the results after prompts from these splits."""
    ref = make_music(store, current.dataset, current.models, spec, random_seed)
    return [made for made in read_music(store, ref) if made.facts["prompt"]["split"] in splits]


def areas(dataset: Dataset, made: Sequence[Stretch], real: Sequence[Stretch]) -> dict[str, dict[str, float | None]]:
    """Give the overlapped area of the number of sounding parts and its ceiling, as means over halvings; None if undefined."""
    ranges = training_ranges(dataset)
    values = {id(one): part_statistics(part_counts(dataset, one.notes), ranges) for one in (*made, *real)}
    found: dict[str, dict[str, list[float]]] = {name: {"generated": [], "ceiling": []} for name in SOUNDING}
    for number in range(HALVINGS):
        half = halve([one.piece for one in real], np.random.default_rng([1, number]))
        pieces = {one.piece for one, in_b in zip(real, half, strict=True) if in_b}
        reference = [values[id(one)] for one in real if one.piece not in pieces]
        for name, others in (("generated", made), ("ceiling", real)):
            compared = compare(reference, [values[id(one)] for one in others if one.piece in pieces])
            for metric in SOUNDING:
                if (area := compared[metric].area) is not None:
                    found[metric][name].append(area)
    return {
        metric: {name: fmean(own) if all(sides.values()) else None for name, own in sides.items()}
        for metric, sides in found.items()
    }


def asked_parts(dataset: Dataset, music: Sequence[Candidate], instruments: str) -> dict[str, Any]:
    """Count the notes in the MIDI files, and those that the parts asked for play."""
    asked = named_parts(instruments, dataset.events.parts, dataset.vocabularies[PART].values)
    names = {player_of(dataset.events.parts, part).name for part in asked}
    notes = inside = 0
    for made in music:
        parts, of_note = parts_of(replace(read_midi(made.midi), notes=new_notes(made)))
        is_asked = np.array([part.name in names for part in parts])[of_note]
        notes, inside = notes + len(of_note), inside + int(is_asked.sum())
    return {"asked": list(asked), "results": len(music), "notes": notes, "in_asked_parts": inside}


def drums(music: Sequence[Candidate], made: Sequence[Stretch], real: Sequence[Stretch], bars: int) -> dict[str, Any]:
    """Count who has drums, among the held-out stretches those of full length, and the drums and others on channel 10."""
    name, on_channel = DRUMS.capitalize(), {True: [0, 0], False: [0, 0]}
    for one in music:
        piece = read_midi(one.midi)
        parts, of_note = parts_of(piece)
        is_drum = np.array([part.name == name for part in parts])[of_note]
        for kind, counted in on_channel.items():
            channels = piece.notes["channel"][is_drum == kind]
            counted[0] += int((channels == DRUM_CHANNEL).sum())
            counted[1] += len(channels)
    whole = [one for one in real if one.bars == bars]
    return {
        "generated": sum(bool(one.notes.notes["is_drum"].any()) for one in made) / max(len(made), 1),
        "held_out": sum(bool(one.notes.notes["is_drum"].any()) for one in whole) / max(len(whole), 1),
        "held_out_stretches": len(whole),
        "drum_notes_on_channel_10": on_channel[True],
        "other_notes_on_channel_10": on_channel[False],
    }


def measure(
    store: Store, current: Promoted, dataset: Dataset, spec: GenerationSpec, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Generate and measure."""
    splits = (VALIDATION, TEST) if arguments.split == "held-out" else (arguments.split,)
    real = held_out_stretches(store, dataset, splits, arguments.bars, arguments.fewest_bars)
    if not real:
        raise NotEnoughMusicError(f"no held-out piece has {arguments.fewest_bars} bars; give a smaller --fewest-bars")
    most = max(one.events / one.bars for one in real)
    num_events = math.ceil(most * arguments.bars)
    spec = spec.model_copy(update={"num_events": num_events, "min_events": num_events})
    music = generated(store, current, spec, arguments.random_seed, splits)
    made = [
        stretches(dataset, one.facts["prompt"]["piece"], excerpt_of(dataset, one), arguments.bars, 0)[0]
        for one in music
    ]
    found = {
        "results": len(made),
        "shorter_results": sum(one.bars < arguments.bars for one in made),
        "held_out_pieces": len({one.piece for one in real}),
        "held_out_stretches": len(real),
        "held_out_bars": fmean(one.bars for one in real),
        "parts": {
            name: describe_parts(dataset, [one.notes for one in side])
            for name, side in (("generated", made), ("held_out", real))
        },
        "areas": areas(dataset, made, real),
    }
    if DRUMS in dataset.vocabularies[PART].values:
        found["drums"] = drums(music, made, real, arguments.bars)
    if arguments.instruments:
        asked = spec.model_copy(update={"instruments": arguments.instruments})
        answered = generated(store, current, asked, arguments.random_seed, splits)
        found["instruments"] = asked_parts(dataset, answered, arguments.instruments)
    return found


def show(found: Mapping[str, Any], bars: int) -> None:
    """Print the tables."""
    print(
        f"{found['results']} results of {bars} bars ({found['shorter_results']} are shorter), and {found['held_out_stretches']} "
        f"held-out stretches from {found['held_out_pieces']} pieces, of {found['held_out_bars']:.1f} bars on average\n"
    )
    for table in part_tables(found["parts"]):
        print(table.markdown(), end="\n\n")
    for metric, area in found["areas"].items():
        if area["ceiling"] is None:
            print(f"overlapped area, {metric}: undefined, too few held-out pieces")
        else:
            share = area["generated"] / area["ceiling"]
            print(
                f"overlapped area, {metric}: {area['generated']:.3f}, ceiling {area['ceiling']:.3f}, ratio {share:.2f}"
            )
    made, real = (found["parts"][side].get("voice_leading", {}) for side in ("generated", "held_out"))
    for name in [name for name in made if name != "chords"]:
        ratio = f"{made[name] / real[name]:.2f}" if real[name] else "undefined: none in held-out music"
        print(f"{name} per 100 chords: {made[name]:.2f}, held-out {real[name]:.2f}, ratio {ratio}")
    if "drums" in found:
        print(f"drums: {found['drums']}")
    if "instruments" in found:
        asked = found["instruments"]
        share = asked["in_asked_parts"] / asked["notes"]
        print(f"{', '.join(asked['asked'])}: {share:.2%} of {asked['notes']} notes of {asked['results']} results")


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--recipe", default="choir", help="recipe with parts and promoted models (default: %(default)s)"
    )
    parser.add_argument("--storage", type=Path, required=True, help="storage that holds them")
    parser.add_argument("--num-outputs", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--bars", type=int, default=16, help="bars of each result (default: %(default)s)")
    parser.add_argument("--fewest-bars", type=int, default=8, help="of a held-out stretch (default: %(default)s)")
    parser.add_argument("--split", choices=("held-out", VALIDATION, TEST), default="held-out")
    parser.add_argument("--random-seed", type=int, default=1)
    parser.add_argument("--instruments", default="", help="also check results of these parts alone")
    for name in ("temperature", "top-p", "min-p"):
        parser.add_argument(f"--{name}", help="instead of the recipe's: one number, or note=0.9,part=0.8")
    parser.add_argument("--avoid-parallels", action="store_true", default=None, help="instead of the recipe's")
    parser.add_argument("--allow-parallels", dest="avoid_parallels", action="store_false", help="the same")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    try:
        found = run(arguments)
    except LstmMusicError as error:
        parser.error(str(error))
    if arguments.json:
        print(json.dumps(found))
    else:
        show(found, arguments.bars)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Open the storage, and measure."""
    store, recipe = Store(arguments.storage), load_recipe(arguments.recipe)
    asked: dict[str, Any] = {
        name: {**getattr(recipe.generation, name), **parse_per_stream(text, f"--{name}", ALL_STREAMS)}
        for name in ("temperature", "top_p", "min_p")
        if (text := getattr(arguments, name))
    }
    if arguments.avoid_parallels is not None:
        asked["avoid_parallels"] = arguments.avoid_parallels
    spec = recipe.generation.model_copy(
        update={"num_outputs": arguments.num_outputs, "include_prompt": False, "best_of": 1, **asked}
    )
    with store.session():
        current = require_promoted(store, recipe.name)
        dataset = load_dataset(store, current.dataset)
        if not has_parts(dataset):
            raise RecipeError(f"the models of {recipe.name!r} know no parts; give a recipe with [events] parts")
        return measure(store, current, dataset, spec, arguments)


if __name__ == "__main__":
    main()

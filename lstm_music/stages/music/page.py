"""The contents of the listening page: results, their prompts, and how they compare with the corpus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_music.encoding.splits import TRAIN
from lstm_music.evaluation.part_statistics import PART_METRICS
from lstm_music.evaluation.part_table import GENERATED, HELD_OUT, part_tables
from lstm_music.evaluation.statistics import METRICS
from lstm_music.midi.notes import PieceNotes, Tempo
from lstm_music.midi.reader import read_midi
from lstm_music.midi.titles import person_name, title_of_file
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.listening_page import (
    Asked,
    CopyCheck,
    Listening,
    Origin,
    QuizClip,
    Result,
    Roll,
    RollPlace,
    Setting,
    Statistic,
    Table,
)
from lstm_music.rendering.piano_roll import MARGIN
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.data.events import bar_of_event
from lstm_music.stages.music.asked import compare
from lstm_music.stages.music.candidates import Candidate, new_notes, result_at_quarters
from lstm_music.stages.music.copies import copies_stage, training_titles
from lstm_music.stages.music.ensembles import is_ensemble, parts_shown, picture_of, pixels_per_quarter
from lstm_music.stages.music.measures import notes_of
from lstm_music.stages.music.part_measures import describe_parts
from lstm_music.stages.music.part_sheets import part_sheets
from lstm_music.stages.music.players import Players
from lstm_music.stages.music.presented import Presented
from lstm_music.stages.music.ranking import PENALTIES, Scored, excerpt_of, typical_ranges
from lstm_music.stages.music.reference import BOUNDS, Reference, areas, mean_areas
from lstm_music.stages.music.segments import piece_rows
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.store import Artifact, Store

QUIZ_CLIPS = 4
"""Of each kind, at most."""
QUIZ_SECONDS = 12.0
QUIZ_VELOCITY = 80


def quiz_pieces(
    reference_artifact: Artifact, reference: Reference, candidates: Sequence[Candidate], players: Players
) -> dict[str, bytes]:
    """Return the MIDI of the quiz, by name: beginnings of held-out excerpts and of results, equally long and equally loud.

    The `players` of the results play the excerpts, too, so that no sound gives away which is which.
    """
    count = min(QUIZ_CLIPS, len(candidates), len(reference.held_out))
    real = [reference_artifact.file(f"held_out_{number:03d}.mid").read_bytes() for number in range(1, count + 1)]
    made = [replace(read_midi(one.midi), notes=new_notes(one)) for one in candidates[:count]]
    keeps_names = is_ensemble(candidates)
    return {
        **{
            f"quiz_real_{number}": _beginning(players.of_piece(read_midi(midi)), keeps_names)
            for number, midi in enumerate(real, start=1)
        },
        **{f"quiz_made_{number}": _beginning(piece, keeps_names) for number, piece in enumerate(made, start=1)},
    }


def build_page(
    store: Store,
    settings: GenerationSettings,
    dataset: Dataset,
    reference: Reference,
    scored: Sequence[Scored],
    kept: Sequence[Scored],
    presented: Presented,
    quiz: Mapping[str, bytes],
    warnings: Sequence[str] = (),
) -> Listening:
    """Lay out the page; `warnings` are shown with the settings of each result."""
    places = _copied_places(store, dataset, kept)
    ranges = typical_ranges(reference)

    def copy_check(one: Scored) -> CopyCheck:
        title, bar = places.get(one.measured.copied_from, ("", None))
        return CopyCheck(one.measured.longest_copy, title, bar, reference.longest_copy)

    results = [
        _result(settings, number, one, copy_check(one), ranges, presented, warnings)
        for number, one in enumerate(kept, start=1)
    ]
    return Listening(
        title=settings.title,
        results=results,
        command=settings.command_for_more,
        created_with=_created_with(settings),
        tables=[
            _areas(reference, kept),
            *_parts(dataset, reference, kept),
            *([_candidates(scored, kept)] if len(scored) > len(kept) else []),
        ],
        quiz=_quiz(presented, quiz, reference),
        quiz_random_seed=settings.random_seed,
    )


def _copied_places(
    store: Store, dataset: Dataset, kept: Sequence[Scored]
) -> dict[tuple[int, int] | None, tuple[str, int | None]]:
    """Give the title of the piece and the bar of each place, (piece, event), that a result has a copy of.

    The index of a bundle knows titles and no bars.
    """
    wanted = {one.measured.copied_from for one in kept if one.measured.copied_from}
    if (titles := training_titles(store, copies_stage(dataset.ref).ref)) is not None:
        return {place: (titles[place[0]], None) for place in wanted}
    rows = piece_rows(store, dataset)
    ids = [span.piece_id for span in dataset.spans[TRAIN]]
    bars = bar_of_event(store, dataset.events_ref, {(ids[piece], event) for piece, event in wanted})
    return {
        (piece, event): (title_of_file(str(rows[ids[piece]]["name"])), bars.get((ids[piece], event)))
        for piece, event in wanted
    }


def _result(
    settings: GenerationSettings,
    number: int,
    one: Scored,
    copy_check: CopyCheck,
    ranges: Mapping[str, tuple[float, float]],
    presented: Presented,
    warnings: Sequence[str],
) -> Result:
    facts, name = one.made.facts, f"result_{number:03d}"
    prompt = facts["prompt"]
    per_quarter, parts = pixels_per_quarter(one.made), parts_shown(one.made, number, presented)
    rate = per_quarter * 1_000_000 / facts["microseconds_per_quarter"]
    clip = presented.clip(name, "Prompt and result" if one.made.has_prompt_inside else "Result")
    place = f"bars {prompt['bars'][0]} to {prompt['bars'][1]}"
    composer = person_name(prompt["composer"])
    origin = Origin(prompt["title"], composer, prompt["source"], prompt["licence"], place, prompt["piece"])
    start = f"{prompt['piece']}:{prompt['first_event']}"
    like_it = replace(settings, spec=settings.spec.model_copy(update={"prompt": start, "composer": ""}))
    is_before = prompt["events"] and not one.made.has_prompt_inside
    return Result(
        number=number,
        clip=clip,
        roll=Roll(
            picture_of(one.made, has_legend=not parts),
            RollPlace(MARGIN + result_at_quarters(one.made) * per_quarter, rate),
            RollPlace(MARGIN, rate) if is_before else None,
        ),
        prompt=presented.clip(f"prompt_{number:03d}", "Prompt"),
        score_svg=presented.text(f"{name}.score.svg"),
        origin=origin if prompt["events"] else None,
        accompanied="{title}, {part}".format(**facts["given"]) if "given" in facts else "",
        rewritten="bars {bars} of {title}".format(**facts["rewritten"]) if "rewritten" in facts else "",
        settings=[
            Setting("events", str(facts["events"])),
            Setting("nats per event", f"{facts['nats_per_event']:.2f}"),
            *_of_given(facts),
            *_of_like(settings, facts),
            *([Setting("audio", "none: longer than an hour")] if presented.audio and clip is None else []),
            *([Setting("stems", "none: the music has one part")] if settings.rendering.stems and not parts else []),
            *(Setting(f"penalty: {what}", f"{one.penalties[what]:.2f}") for what in PENALTIES),
            *(Setting("note", warning) for warning in warnings),
        ],
        statistics=[
            Statistic(metric.replace("_", " "), described, one.measured.statistics[metric], ranges.get(metric))
            for metric, described in {**METRICS, **PART_METRICS}.items()
            if metric in one.measured.statistics
        ],
        copy_check=copy_check,
        asked=[Asked(row.name, row.asked, row.found, row.is_kept) for row in compare(settings.spec, one.made)],
        loop_interventions=facts["loops_left"] if settings.spec.max_repeats else None,
        downloads=[*presented.downloads(name), *part_sheets(presented.folder, name, facts.get("parts", ()))],
        command=(like_it if prompt["split"] else settings).command_for_more,
        parts=parts,
    )


def _of_given(facts: Mapping[str, Any]) -> Iterator[Setting]:
    """Say how likely the models find the given notes of a result, and the new ones, or what follows rewritten bars."""
    given = facts.get("given", {}) | facts.get("rewritten", {})
    for name, words in _NATS.items():
        if (nats := given.get(name)) is not None:
            yield Setting(words, f"{nats:.2f}")


_NATS = {
    "nats_per_event": "nats per given note",
    "new_nats_per_event": "nats per new note",
    "nats_per_event_behind": "nats per note behind the new bars",
    "nats_per_event_behind_before": "before they were rewritten",
}


def _of_like(settings: GenerationSettings, facts: Mapping[str, Any]) -> Iterator[Setting]:
    """Say which result this one is like, and how many of its events it has."""
    if settings.like:
        kept = facts.get("like", {})
        of_events = f", with {kept['kept_events']} of its {kept['of_events']} events" if kept else ", with other notes"
        yield Setting("like", f"{settings.like.name}{of_events}")


def _created_with(settings: GenerationSettings) -> list[Setting]:
    shown_settings = {"recipe": settings.recipe, "random seed": str(settings.random_seed)}
    if settings.like:
        shown_settings["like"] = settings.like.words.removeprefix("like ")
    if settings.prompt_midi:
        shown_settings["prompt MIDI"] = settings.prompt_midi.name
    if settings.melody:
        verb, _, what = settings.melody.words.partition(" ")
        shown_settings[verb] = what
    for name, value in settings.spec.model_dump().items():
        shown = (
            ", ".join(f"{key} {number:g}" for key, number in value.items()) if isinstance(value, dict) else str(value)
        )
        shown_settings[name.replace("_", " ")] = shown
    return [Setting(name, value) for name, value in shown_settings.items() if value]


def _areas(reference: Reference, kept: Sequence[Scored]) -> Table:
    """Compare the overlapped areas of the results with those of training music and of shuffled music."""
    found = areas(reference.statistics, [one.measured.statistics for one in kept])
    rows = [
        [metric.replace("_", " "), *map(_share, (area, *(reference.areas[name].get(metric) for name in BOUNDS)))]
        for metric, area in found.items()
    ]
    return Table(
        "Overlapped area with held-out music (Yang & Lerch 2018)",
        ["metric", "these results", "training music (ceiling)", "shuffled music (floor)"],
        [["mean", *map(_share, mean_areas(found, reference))], *rows],
        "1 means the same distribution, 0 two distributions that share nothing. With a few results it is a rough guide. It does "
        "not measure how good the music sounds: take the quiz for that.",
    )


def _parts(dataset: Dataset, reference: Reference, kept: Sequence[Scored]) -> list[Table]:
    """Compare the parts of the results with those of the held-out excerpts, of which none is longer; nothing without parts."""
    if reference.parts is None:
        return []
    pieces = [notes_of(dataset, excerpt_of(dataset, one.made).until(reference.events)) for one in kept]
    tables = part_tables({GENERATED: describe_parts(dataset, pieces), HELD_OUT: reference.parts})
    return [Table(table.title, table.columns, table.rows) for table in tables]


def _candidates(scored: Sequence[Scored], kept: Sequence[Scored]) -> Table:
    """List the penalties of all candidates, and which were kept."""
    numbers = {one.made.number: number for number, one in enumerate(kept, start=1)}
    rows = [
        [
            f"candidate {one.made.number}",
            f"result {numbers[one.made.number]}" if one.made.number in numbers else "no",
            f"{one.penalty:.2f}",
            *(f"{one.penalties[what]:.2f}" for what in PENALTIES),
        ]
        for one in sorted(scored, key=lambda one: (one.penalty, one.made.number))
    ]
    note = "Each penalty is from 0 to 1. The candidates with the smallest sum were kept."
    return Table("All candidates", ["", "kept as", "penalty", *PENALTIES], rows, note)


def _quiz(presented: Presented, quiz: Mapping[str, bytes], reference: Reference) -> list[QuizClip]:
    clips = []
    for name in quiz:
        clip = presented.clip(name, "Clip")
        kind, number = name.removeprefix("quiz_").split("_")
        about = title_of_file(reference.names[int(number) - 1]) if kind == "real" else f"result {number}"
        if clip is not None:
            clips.append(QuizClip(clip, kind == "made", about))
    return clips


def _beginning(piece: PieceNotes, keeps_names: bool) -> bytes:
    """Keep what begins in the first `QUIZ_SECONDS` from the first note on, all of it equally loud; names tell parts apart."""
    tempo = piece.tempos[0] if piece.tempos else Tempo(0, 500_000)
    limit = round(QUIZ_SECONDS * 1_000_000 / tempo.microseconds_per_quarter * piece.ticks_per_quarter)
    notes = piece.notes.copy()
    notes["onset_ticks"] -= notes["onset_ticks"].min()
    notes = notes[notes["onset_ticks"] < limit]
    notes["duration_ticks"] = np.minimum(notes["duration_ticks"], limit - notes["onset_ticks"])
    notes["velocity"] = QUIZ_VELOCITY
    names = piece.track_names if keeps_names else ()
    return write_midi(PieceNotes(piece.ticks_per_quarter, notes, tempos=(tempo,), track_names=names))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"

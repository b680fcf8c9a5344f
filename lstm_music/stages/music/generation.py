"""Music → the files of a generation: the best candidates as MIDI, audio, pictures and sheet music, and a listening page.

In order: the candidates (`music`), the index of copies and the measured held-out music (once per dataset), this artifact.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lstm_music.encoding.streams import PART
from lstm_music.generation.command import USUAL_STORAGE, in_storage
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.rendering.ensemble import declared_parts
from lstm_music.rendering.listening_page import listening_page
from lstm_music.rendering.render import Rendered, Rendering, render_all
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music.asked import as_json, compare
from lstm_music.stages.music.candidates import make_music, music_stage, read_music
from lstm_music.stages.music.copies import NO_INDEX, copies_stage, has_index, index_copies, load_index
from lstm_music.stages.music.ensembles import is_ensemble, picture_of, thumbnail_of
from lstm_music.stages.music.names import KIND, name_generation, named_folder, read_names
from lstm_music.stages.music.page import build_page, quiz_pieces
from lstm_music.stages.music.players import Players
from lstm_music.stages.music.presented import Presented
from lstm_music.stages.music.ranking import Scored, best, score_candidates
from lstm_music.stages.music.reference import (
    measure_reference,
    read_reference,
    reference_stage,
    usual_events,
)
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.store import ArtifactRef, Stage, Store
from lstm_music.store.files import sha256_of

GENERATION_VERSION = 6
PAGE = "index.html"


@dataclass(frozen=True)
class Plan:
    """The stages of a generation."""

    settings: GenerationSettings
    dataset: ArtifactRef
    models: Mapping[str, ArtifactRef]

    @property
    def music(self) -> ArtifactRef:
        """All candidates."""
        settings = self.settings
        return music_stage(self.dataset, self.models, settings.spec, settings.random_seed, *settings.given).ref

    @property
    def copies(self) -> ArtifactRef:
        """The index of copies."""
        return copies_stage(self.dataset).ref

    @property
    def is_as_long_as_asked(self) -> bool:
        """Whether bars, seconds or a melody say how long the music is; else a number of events does."""
        return self.settings.spec.has_length or self.settings.melody is not None

    def reference_events(self, store: Store) -> int:
        """Give the length of the held-out excerpts for comparison: the events of a result, known once the music is made."""
        if self.is_as_long_as_asked:
            return usual_events(store.open(self.music).facts["events"])
        return self.settings.spec.num_events

    def reference(self, store: Store) -> ArtifactRef:
        """Give the held-out music for comparison: the same for music of another random seed that is about as long."""
        events, is_in_parts = self.reference_events(store), PART in self.models
        return reference_stage(self.dataset, self.copies, events, is_in_parts=is_in_parts).ref

    @property
    def stage(self) -> Stage:
        """The artifact with the files that a user opens."""
        settings = self.settings
        spec = {
            "num_outputs": settings.spec.num_outputs,
            "rendering": _asked_for(settings.rendering),
            "soundfont": sha256_of(settings.soundfont) if settings.soundfont else None,
            "command": settings.command,
        }
        if self.is_as_long_as_asked:  # then the music decides which held-out music it is compared with
            inputs: tuple[ArtifactRef, ...] = (self.music, self.copies)
            spec["reference"] = "as long as the music"
        else:
            is_in_parts = PART in self.models
            reference = reference_stage(
                self.dataset, self.copies, settings.spec.num_events, is_in_parts=is_in_parts
            ).ref
            inputs = (self.music, self.copies, reference)
        audio, score = ("midirenderer", "soundfile", "pretty_midi"), ("music21", "verovio", "reportlab", "matplotlib")
        libraries = (*audio, *score, "jinja2", "numpy")
        return Stage(KIND, GENERATION_VERSION, spec, inputs, libraries, plain_names=True)


def generate(
    store: Store,
    plan: Plan,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> ArtifactRef:
    """Make a generation or find it, and give it a name.

    `on_stage` gets the name of each stage when it begins, `on_progress` is that of `present`. Raises the errors of
    `make_music`, and SourceError for an invalid soundfont.
    """
    if not store.has(plan.stage.ref):
        settings = plan.settings
        on_stage("Loading the models and making events")
        make_music(store, plan.dataset, plan.models, settings.spec, settings.random_seed, *settings.given)
        is_bundled = load_dataset(store, plan.dataset).is_bundled  # then both come along
        if not is_bundled and not store.has(plan.copies):
            on_stage("Indexing the training music")
        index_copies(store, plan.dataset)
        if not is_bundled and not store.has(plan.reference(store)):
            on_stage("Measuring held-out music")
        measure_reference(store, plan.dataset, plan.copies, plan.reference_events(store))
        on_stage("Searching for copies and rendering" if has_index(store, plan.copies) else "Rendering")
        present(store, plan, on_progress)
    name_generation(store, plan.stage.ref)
    return plan.stage.ref


def present(store: Store, plan: Plan, on_progress: Callable[[int, int], None]) -> None:
    """Render the best candidates and write the page; `on_progress` gets (files rendered, files)."""
    dataset = load_dataset(store, plan.dataset)
    reference_ref = plan.reference(store)
    reference = read_reference(store, reference_ref)
    index = load_index(store, plan.copies)
    scored = score_candidates(dataset, index, reference, read_music(store, plan.music))
    kept = best(scored, plan.settings.spec.num_outputs)
    players = Players.asked(plan.settings.spec.instrument, dataset.events)
    unused = players.unused([one.made for one in kept])
    kept = [replace(one, made=players.of_candidate(one.made)) for one in kept]
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch, store.write(plan.stage) as writer:
        folder = Path(scratch)
        quiz = quiz_pieces(store.open(reference_ref), reference, [one.made for one in kept], players)
        rendered = _render(plan.settings, folder, kept, quiz, on_progress)
        presented = Presented(folder, plan.settings.rendering.audio, rendered)
        for number, one in enumerate(kept, start=1):
            (folder / f"result_{number:03d}.svg").write_text(picture_of(one.made), encoding="utf-8")
            (folder / f"result_{number:03d}.json").write_text(_settings(plan, number, one), encoding="utf-8")
        warnings = [*store.open(plan.music).facts["warnings"], *unused, *([] if index else [NO_INDEX])]
        page = build_page(store, plan.settings, dataset, reference, scored, kept, presented, quiz, warnings)
        for path in sorted(folder.iterdir()):
            if path.name.startswith(("result_", "prompt_")):
                name, _, extension = path.name.partition(".")
                shutil.copyfile(path, writer.file(name, extension))
        writer.file("index", "html").write_text(listening_page(page), encoding="utf-8")
        writer.facts["command"] = plan.settings.command
        writer.facts["command_for_more"] = plan.settings.command_for_more
        writer.facts["recipe"] = plan.settings.recipe
        if plan.settings.bundle:
            writer.facts["has_no_storage"] = True
        writer.facts["random_seed"] = plan.settings.random_seed
        writer.facts["settings"] = plan.settings.summary
        writer.facts["thumbnails"] = [thumbnail_of(one.made) for one in kept]
        writer.facts["results"] = [_figures(plan.settings, one) for one in kept]
        writer.facts["warnings"] = [*warnings, *_unheard(rendered)]
        writer.counts.update(results=len(kept), candidates=len(scored))


def describe_generation(store: Store, ref: ArtifactRef, directory: Path | None = None) -> dict[str, Any]:
    """Give the name and the files of a generation, for `--json`.

    The files are those in `directory` if they were copied there, else those in the folder of its name or of its key. What a
    bundle made has no name, because no storage is left that knows it.
    """
    artifact = store.open(ref)
    folder = directory or named_folder(store, ref) or artifact.folder
    has_storage = not artifact.facts.get("has_no_storage")
    where = store.where if has_storage else USUAL_STORAGE
    paths = {path.name: str(folder / path.name) for path in artifact.files()}
    kinds = {
        "midi": "mid",
        "audio": "ogg",
        "picture": "svg",
        "settings": "json",
        "sheet_music": "pdf",
        "musicxml": "musicxml",
    }

    def output(number: int, figures: Mapping[str, Any]) -> dict[str, Any]:
        found = {kind: paths.get(f"result_{number:03d}.{extension}") for kind, extension in kinds.items()}
        found["audio"] = found["audio"] or paths.get(f"result_{number:03d}.mp3")
        of_result = [name for name in paths if name.startswith(f"result_{number:03d}_")]
        in_order = sorted(of_result, key=lambda name: (len(name), name))
        stems = [paths[name] for name in in_order if not name.endswith(".pdf")]
        sheets = [paths[name] for name in sorted(of_result) if name.endswith(".pdf")]
        return {
            **found,
            "prompt_midi": paths.get(f"prompt_{number:03d}.mid"),
            **({"stems": stems} if stems else {}),
            **({"part_sheets": sheets} if sheets else {}),
            **figures,
        }

    return {
        "outputs": [output(number, figures) for number, figures in enumerate(artifact.facts["results"], start=1)],
        "name": read_names(store).of(ref) if has_storage else None,
        "directory": str(folder),
        "page": paths[PAGE],
        "command": in_storage(artifact.facts["command"], where),
        "command_for_more": in_storage(artifact.facts["command_for_more"], where),
        "warnings": artifact.facts["warnings"],
    }


def _figures(settings: GenerationSettings, one: Scored) -> dict[str, Any]:
    asked = compare(settings.spec, one.made)
    return {
        **({"asked": as_json(asked)} if asked else {}),
        "events": one.made.facts["events"],
        "prompt_piece": one.made.facts["prompt"]["piece"],
        **{name: one.made.facts[name] for name in ("given", "rewritten") if name in one.made.facts},
        **_likeness(settings, one),
        "title": one.made.title,
        "longest_copy": one.measured.longest_copy,
        "loops_left": one.made.facts["loops_left"],
        "penalty": round(one.penalty, 4),
    }


def _render(
    settings: GenerationSettings,
    folder: Path,
    kept: Sequence[Scored],
    quiz: Mapping[str, bytes],
    on_progress: Callable[[int, int], None],
) -> dict[str, Rendered]:
    """Write and render the MIDI files. Returns what was heard of each by its name."""
    wanted = []

    def add(name: str, midi: bytes, asked: Rendering) -> None:
        path = folder / f"{name}.mid"
        path.write_bytes(midi)
        wanted.append(replace(asked, midi=str(path)))

    form, has_parts = settings.rendering, is_ensemble([one.made for one in kept])
    for number, one in enumerate(kept, start=1):
        alone = Rendering("", form.audio, sheet_music=False, parts=declared_parts(one.made.facts), stems=form.stems)
        title, composer = one.made.title, one.made.composer_line
        engraved = replace(alone, sheet_music=form.sheet_music, title=title, composer=composer, part_sheets=form.parts)
        add(f"result_{number:03d}", one.made.midi, engraved)
        if one.made.prompt_midi:
            add(f"prompt_{number:03d}", one.made.prompt_midi, alone)
    for name, midi in quiz.items():
        parts = parts_of(read_midi(midi))[0] if has_parts else ()
        add(name, midi, Rendering("", form.audio[:1], sheet_music=False, parts=parts))
    done = 0

    def on_done() -> None:
        nonlocal done
        done += 1
        on_progress(done, len(wanted))

    found = render_all(wanted, settings.soundfont, on_done)
    return {Path(path).stem: heard for path, heard in found.items()}


def _unheard(rendered: Mapping[str, Rendered]) -> list[str]:
    """Warn of the parts that the soundfont has no sound for."""
    names = dict.fromkeys(name for heard in rendered.values() for name in heard.silent)
    return [f"the soundfont has no sound for {', '.join(names)}; give another one with --soundfont"] if names else []


def _asked_for(rendering: RenderingSpec) -> dict[str, Any]:
    """Give what the files depend on; a generation without stems and single parts is the same as before there were any."""
    spec = rendering.model_dump(mode="json")
    return {name: value for name, value in spec.items() if value or name not in {"stems", "parts"}}


def _likeness(settings: GenerationSettings, one: Scored) -> dict[str, Any]:
    """Say which result this one is like, and how many of its events it keeps, note for note."""
    if settings.like is None:
        return {}
    return {"like": {"result": settings.like.name, **one.made.facts.get("like", {})}}


def _settings(plan: Plan, number: int, one: Scored) -> str:
    """Give all facts about a result, as JSON."""
    settings, asked = plan.settings, compare(plan.settings.spec, one.made)
    said = {
        **({"asked": as_json(asked)} if asked else {}),
        **settings.spec.model_dump(mode="json"),
        **one.made.facts,
        "output": number,
        "candidate": one.made.number,
        "random_seed": settings.random_seed,
        "prompt_midi": settings.prompt_midi.spec if settings.prompt_midi else None,
        **({"melody": settings.melody.spec} if settings.melody else {}),
        **_likeness(settings, one),
        "models": {name: ref.key for name, ref in plan.models.items()},
        "measured": one.measured.to_json(),
        "penalties": dict(one.penalties),
    }
    return json.dumps(said, indent=1, sort_keys=True, allow_nan=False) + "\n"

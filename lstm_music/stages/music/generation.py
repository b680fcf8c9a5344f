"""Music → the files of a generation: the best candidates as MIDI, audio, pictures and sheet music, and a listening page.

In order: the candidates (`music`), the index of copies and the measured held-out music (once per dataset), this artifact.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.midi.parts import Part
from lstm_music.midi.reader import read_midi
from lstm_music.rendering.listening_page import listening_page
from lstm_music.rendering.render import Rendering, render_all
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.rendering.thumbnail import thumbnail
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music.candidates import Candidate, make_music, music_stage, picture, read_music
from lstm_music.stages.music.copies import copies_stage, index_copies, load_index
from lstm_music.stages.music.names import KIND, name_generation, named_folder, read_names
from lstm_music.stages.music.page import Presented, build_page, quiz_pieces
from lstm_music.stages.music.ranking import Scored, best, score_candidates
from lstm_music.stages.music.reference import measure_reference, read_reference, reference_stage
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.store import ArtifactRef, Stage, Store
from lstm_music.store.files import sha256_of

GENERATION_VERSION = 5
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
        return music_stage(self.dataset, self.models, settings.spec, settings.random_seed, settings.prompt_midi).ref

    @property
    def copies(self) -> ArtifactRef:
        """The index of copies."""
        return copies_stage(self.dataset).ref

    @property
    def reference(self) -> ArtifactRef:
        """The held-out music for comparison: the same for every random seed."""
        return reference_stage(self.dataset, self.copies, self.settings.spec.num_events).ref

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
        inputs = (self.music, self.copies, self.reference)
        audio, score = ("symusic", "soundfile", "pretty_midi"), ("music21", "verovio", "reportlab", "matplotlib")
        libraries = (*audio, *score, "jinja2", "muspy", "numpy", "scipy")
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
        make_music(store, plan.dataset, plan.models, settings.spec, settings.random_seed, settings.prompt_midi)
        on_stage("Indexing the training music")
        index_copies(store, plan.dataset)
        on_stage("Measuring held-out music")
        measure_reference(store, plan.dataset, plan.copies, settings.spec.num_events)
        on_stage("Searching for copies and rendering")
        present(store, plan, on_progress)
    name_generation(store, plan.stage.ref)
    return plan.stage.ref


def present(store: Store, plan: Plan, on_progress: Callable[[int, int], None]) -> None:
    """Render the best candidates and write the page; `on_progress` gets (files rendered, files)."""
    dataset = load_dataset(store, plan.dataset)
    reference = read_reference(store, plan.reference)
    scored = score_candidates(dataset, load_index(store, plan.copies), reference, read_music(store, plan.music))
    kept = best(scored, plan.settings.spec.num_outputs)
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch, store.write(plan.stage) as writer:
        folder = Path(scratch)
        quiz = quiz_pieces(store.open(plan.reference), reference, [one.made for one in kept])
        seconds = _render(plan.settings, folder, kept, quiz, on_progress)
        presented = Presented(folder, plan.settings.rendering.audio, seconds)
        for number, one in enumerate(kept, start=1):
            (folder / f"result_{number:03d}.svg").write_text(picture(one.made), encoding="utf-8")
            (folder / f"result_{number:03d}.json").write_text(_settings(plan, number, one), encoding="utf-8")
        warnings = store.open(plan.music).facts["warnings"]
        page = build_page(store, plan.settings, dataset, reference, scored, kept, presented, quiz, warnings)
        for path in sorted(folder.iterdir()):
            if path.name.startswith(("result_", "prompt_")):
                name, _, extension = path.name.partition(".")
                shutil.copyfile(path, writer.file(name, extension))
        writer.file("index", "html").write_text(listening_page(page), encoding="utf-8")
        writer.facts["command"] = plan.settings.command
        writer.facts["command_for_more"] = plan.settings.command_for_more
        writer.facts["recipe"] = plan.settings.recipe
        writer.facts["random_seed"] = plan.settings.random_seed
        writer.facts["settings"] = plan.settings.summary
        writer.facts["thumbnails"] = [thumbnail(read_midi(one.made.midi)) for one in kept]
        writer.facts["results"] = [_figures(one) for one in kept]
        writer.facts["warnings"] = warnings
        writer.counts.update(results=len(kept), candidates=len(scored))


def describe_generation(store: Store, ref: ArtifactRef, directory: Path | None = None) -> dict[str, Any]:
    """Give the name and the files of a generation, for `--json`.

    The files are those in `directory` if they were copied there, else those in the folder of its name or of its key.
    """
    artifact = store.open(ref)
    folder = directory or named_folder(store, ref) or artifact.folder
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
        own = [name for name in sorted(paths) if name.startswith(f"result_{number:03d}_") and name.endswith(".pdf")]
        return {
            **found,
            "prompt_midi": paths.get(f"prompt_{number:03d}.mid"),
            **({"part_sheets": [paths[name] for name in own]} if own else {}),
            **figures,
        }

    return {
        "outputs": [output(number, figures) for number, figures in enumerate(artifact.facts["results"], start=1)],
        "name": read_names(store).of(ref),
        "directory": str(folder),
        "page": paths[PAGE],
        "command": artifact.facts["command"],
        "command_for_more": artifact.facts["command_for_more"],
        "warnings": artifact.facts["warnings"],
    }


def _figures(one: Scored) -> dict[str, Any]:
    return {
        "events": one.made.facts["events"],
        "prompt_piece": one.made.facts["prompt"]["piece"],
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
) -> dict[str, float]:
    """Write and render the MIDI files. Returns the seconds of audio of each by its name."""
    wanted = []

    def add(name: str, midi: bytes, audio: tuple[str, ...], made: Candidate | None = None) -> None:
        path = folder / f"{name}.mid"
        path.write_bytes(midi)
        title, composer = (made.title, made.composer_line) if made else ("", "")
        parts = tuple(Part(**part) for part in (made.facts.get("parts", ()) if made else ()))
        is_engraved = made is not None and settings.rendering.sheet_music
        wanted.append(Rendering(str(path), audio, is_engraved, title, composer, parts, settings.rendering.parts))

    for number, one in enumerate(kept, start=1):
        add(f"result_{number:03d}", one.made.midi, settings.rendering.audio, one.made)
        if one.made.prompt_midi:
            add(f"prompt_{number:03d}", one.made.prompt_midi, settings.rendering.audio)
    for name, midi in quiz.items():
        add(name, midi, settings.rendering.audio[:1])
    done = 0

    def on_done() -> None:
        nonlocal done
        done += 1
        on_progress(done, len(wanted))

    found = render_all(wanted, settings.soundfont, on_done)
    return {Path(path).stem: seconds for path, seconds in found.items()}


def _asked_for(rendering: RenderingSpec) -> dict[str, Any]:
    """Give what the files depend on; a generation without single parts is the same as before there were any."""
    spec = rendering.model_dump(mode="json")
    return spec if rendering.parts else {key: value for key, value in spec.items() if key != "parts"}


def _settings(plan: Plan, number: int, one: Scored) -> str:
    """Give all facts about a result, as JSON."""
    settings = plan.settings
    said = {
        **settings.spec.model_dump(mode="json"),
        **one.made.facts,
        "output": number,
        "candidate": one.made.number,
        "random_seed": settings.random_seed,
        "prompt_midi": settings.prompt_midi.spec if settings.prompt_midi else None,
        "models": {name: ref.key for name, ref in plan.models.items()},
        "measured": one.measured.to_json(),
        "penalties": dict(one.penalties),
    }
    return json.dumps(said, indent=1, sort_keys=True, allow_nan=False) + "\n"

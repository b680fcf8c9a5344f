"""Music → what a person opens: the best tries as MIDI, audio, pictures and sheet music, and a page to listen to them.

In order: the tries (`music`), the index of copies and the measured held-out music (once a dataset), then this artifact.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.rendering.listening_page import listening_page
from lstm_music.rendering.render import Rendering, render_all
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music.candidates import Try, make_music, music_stage, picture, read_music
from lstm_music.stages.music.copies import copies_stage, index_copies, load_index
from lstm_music.stages.music.page import Presented, build_page, quiz_pieces
from lstm_music.stages.music.ranking import Scored, best, score_tries
from lstm_music.stages.music.reference import measure_reference, read_reference, reference_stage
from lstm_music.stages.music.settings import Wish
from lstm_music.store import ArtifactRef, Stage, Store
from lstm_music.store.files import sha256_of

KIND = "generations"
GENERATION_VERSION = 3
PAGE = "index.html"


@dataclass(frozen=True)
class Plan:
    """The stages of a generation."""

    wish: Wish
    dataset: ArtifactRef
    models: Mapping[str, ArtifactRef]

    @property
    def music(self) -> ArtifactRef:
        """All tries."""
        wish = self.wish
        return music_stage(self.dataset, self.models, wish.spec, wish.random_seed, wish.seed_midi).ref

    @property
    def copies(self) -> ArtifactRef:
        """The index of copies."""
        return copies_stage(self.dataset).ref

    @property
    def reference(self) -> ArtifactRef:
        """The held-out music that results are compared with: the same for every random seed."""
        return reference_stage(self.dataset, self.copies, self.wish.spec.num_events).ref

    @property
    def stage(self) -> Stage:
        """What a person opens."""
        wish = self.wish
        spec = {
            "num_outputs": wish.spec.num_outputs,
            "rendering": wish.rendering.model_dump(mode="json"),
            "soundfont": sha256_of(wish.soundfont) if wish.soundfont else None,
            "command": wish.command,
        }
        inputs = (self.music, self.copies, self.reference)
        audio, score = ("symusic", "soundfile", "pretty_midi"), ("music21", "verovio", "reportlab", "matplotlib")
        libraries = (*audio, *score, "jinja2", "muspy", "numpy", "scipy")
        return Stage(KIND, GENERATION_VERSION, spec, inputs, libraries, plain_names=True)


def generate(
    store: Store, plan: Plan, on_progress: Callable[[int, int], None] = lambda _done, _all: None
) -> ArtifactRef:
    """Make all of it, or find it; the errors are those of `make_music`, and SourceError for a soundfont that is none."""
    if not store.has(plan.stage.ref):
        wish = plan.wish
        make_music(store, plan.dataset, plan.models, wish.spec, wish.random_seed, wish.seed_midi)
        index_copies(store, plan.dataset)
        measure_reference(store, plan.dataset, plan.copies, wish.spec.num_events)
        present(store, plan, on_progress)
    return plan.stage.ref


def present(store: Store, plan: Plan, on_progress: Callable[[int, int], None]) -> None:
    """Choose the best tries, render them, and write the page; `on_progress` is told how many files of how many are rendered."""
    dataset = load_dataset(store, plan.dataset)
    reference = read_reference(store, plan.reference)
    scored = score_tries(dataset, load_index(store, plan.copies), reference, read_music(store, plan.music))
    kept = best(scored, plan.wish.spec.num_outputs)
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch, store.write(plan.stage) as writer:
        folder = Path(scratch)
        quiz = quiz_pieces(store.open(plan.reference), reference, [one.made for one in kept])
        seconds = _render(plan.wish, folder, kept, quiz, on_progress)
        presented = Presented(folder, plan.wish.rendering.audio, seconds)
        for number, one in enumerate(kept, start=1):
            (folder / f"result_{number:03d}.svg").write_text(picture(one.made), encoding="utf-8")
            (folder / f"result_{number:03d}.json").write_text(_settings(plan, number, one), encoding="utf-8")
        page = build_page(store, plan.wish, dataset, reference, scored, kept, presented, quiz)
        for path in sorted(folder.iterdir()):
            if path.name.startswith(("result_", "seed_")):
                name, _, extension = path.name.partition(".")
                shutil.copyfile(path, writer.file(name, extension))
        writer.file("index", "html").write_text(listening_page(page), encoding="utf-8")
        writer.facts["command"] = plan.wish.command
        writer.facts["recipe"] = plan.wish.recipe
        writer.facts["random_seed"] = plan.wish.random_seed
        writer.facts["results"] = [_figures(one) for one in kept]
        writer.counts.update(results=len(kept), tries=len(scored))


def describe_generation(store: Store, ref: ArtifactRef, directory: Path | None = None) -> dict[str, Any]:
    """Say which files a generation has, for `--json`: those in `directory` where they were copied to one."""
    artifact = store.open(ref)
    folder = directory or artifact.folder
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
        return {**found, "seed_midi": paths.get(f"seed_{number:03d}.mid"), **figures}

    return {
        "outputs": [output(number, figures) for number, figures in enumerate(artifact.facts["results"], start=1)],
        "directory": str(folder),
        "page": paths[PAGE],
        "command": artifact.facts["command"],
    }


def _figures(one: Scored) -> dict[str, Any]:
    return {
        "events": one.made.facts["events"],
        "seed_piece": one.made.facts["seed_segment"]["piece"],
        "longest_copy": one.measured.longest_copy,
        "loops_left": one.made.facts["loops_left"],
        "suspicion": round(one.suspicion, 4),
    }


def _render(
    wish: Wish, folder: Path, kept: Sequence[Scored], quiz: Mapping[str, bytes], on_progress: Callable[[int, int], None]
) -> dict[str, float]:
    """Write and render the MIDI files; give the seconds of audio of each by its name."""
    wanted = []

    def add(name: str, midi: bytes, audio: tuple[str, ...], made: Try | None = None) -> None:
        path = folder / f"{name}.mid"
        path.write_bytes(midi)
        title = f"After {made.facts['seed_segment']['piece'] or 'nothing'}" if made else ""
        wanted.append(Rendering(str(path), audio, made is not None and wish.rendering.sheet_music, title))

    for number, one in enumerate(kept, start=1):
        add(f"result_{number:03d}", one.made.midi, wish.rendering.audio, one.made)
        if one.made.seed_midi:
            add(f"seed_{number:03d}", one.made.seed_midi, wish.rendering.audio)
    for name, midi in quiz.items():
        add(name, midi, wish.rendering.audio[:1])
    done = 0

    def on_done() -> None:
        nonlocal done
        done += 1
        on_progress(done, len(wanted))

    found = render_all(wanted, wish.soundfont, on_done)
    return {Path(path).stem: seconds for path, seconds in found.items()}


def _settings(plan: Plan, number: int, one: Scored) -> str:
    """Write all that is known of a result, as JSON."""
    wish = plan.wish
    said = {
        **wish.spec.model_dump(mode="json"),
        **one.made.facts,
        "output": number,
        "try": one.made.number,
        "random_seed": wish.random_seed,
        "seed_midi": {"name": wish.seed_midi.name, "sha256": wish.seed_midi.sha256} if wish.seed_midi else None,
        "models": {name: ref.key for name, ref in plan.models.items()},
        "measured": one.measured.to_json(),
        "suspicions": dict(one.suspicions),
    }
    return json.dumps(said, indent=1, sort_keys=True, allow_nan=False) + "\n"

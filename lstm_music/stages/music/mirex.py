"""A prompt of the MIREX task of piano continuation → the settings of a generation → its answers as JSON, the best first."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm_music.errors import RecipeError, RejectedInputError, SourceError, StorageError
from lstm_music.generation.steering import STEERING, Steering
from lstm_music.midi.reader import read_midi
from lstm_music.midi.text import printable
from lstm_music.recipe import Recipe
from lstm_music.scores import mirex
from lstm_music.sources.entry import Refused
from lstm_music.sources.file import read_file
from lstm_music.stages.music.overrides import Options, as_option, settings_of
from lstm_music.stages.music.prompt_files import MIREX, PromptMidi
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.store import ArtifactRef, Store

CANDIDATES = 8
"""As many answers as the task asks for."""

SETTINGS: dict[str, Any] = {
    "num_outputs": CANDIDATES,
    "best_of": 1,
    "prompt": "auto",
    "composer": "",
    "include_prompt": False,
    "instruments": "",
    "add_drums": False,
    "avoid_parallels": False,
    "instrument": "",
    **{name: getattr(Steering(), name) for name in STEERING},
    "bars": mirex.NEW_BARS,
    "prompt_bars": f"0-{mirex.PROMPT_BARS - 1}",
    "in_sixteenths": True,
}
"""Settings that the task decides; the numbers of answers and of candidates can be asked for."""

MOST_BYTES = 1 << 20
"""Of a prompt: five bars have no more."""


def continuing(recipe: Recipe) -> Recipe:
    """Give a recipe with the settings that the task decides, and without audio and sheet music.

    Raises RecipeError for one whose models do not know piano music as single notes.
    """
    events = recipe.events
    if events.parts != "none" or events.chords != "per_note" or events.reading != "exact":
        raise RecipeError(
            f"mirex: needs models of piano music as single notes, and those of recipe {recipe.name!r} know "
            f"{'parts' if events.parts != 'none' else 'chords as one value'}; use another --recipe, such as default"
        )
    spec = recipe.generation.model_copy(update=SETTINGS)
    rendering = recipe.rendering.model_copy(update={"audio": (), "sheet_music": False, "stems": False, "parts": False})
    return recipe.model_copy(update={"generation": spec, "rendering": rendering})


def read_prompt(path: Path) -> PromptMidi:
    """Read a prompt. Raises SourceError if there is no such file, RejectedInputError if it is no prompt of the task."""
    if path.is_dir():
        raise SourceError(f"{path}: expected a JSON file, got a folder; give one of its files")
    read = read_file(path, printable(path.name), MOST_BYTES)
    if isinstance(read, Refused):
        raise SourceError(f"{path}: {read.reason}; give the path of a JSON file")
    try:
        mirex.read_mirex(read.data)
    except RejectedInputError as error:
        raise RejectedInputError(f"{path}: {error}") from error
    return PromptMidi(read.name, read.data, MIREX)


def mirex_settings(
    recipe: Recipe, name: str, path: Path, options: Options, spell: Callable[[str], str] = as_option
) -> GenerationSettings:
    """Give the settings of the answers to a prompt: those of `settings_of` for a recipe known as `name`, its errors too."""
    usual = continuing(recipe)
    settings = settings_of(usual, name, options, prompt_midi=read_prompt(path), spell=spell)
    return replace(settings, prompt_midi_path=path)


def answers(store: Store, ref: ArtifactRef) -> list[tuple[int, bytes]]:
    """Give the answers of a generation as JSON, each with the number of its result: the smallest penalty comes first."""
    artifact = store.open(ref)
    penalties = [figures["penalty"] for figures in artifact.facts["results"]]
    found = []
    for number in sorted(range(1, len(penalties) + 1), key=lambda number: penalties[number - 1]):
        piece = read_midi(artifact.file(f"result_{number:03d}.mid").read_bytes())
        found.append((number, mirex.write_mirex(piece)))
    return found


def write_answers(folder: Path, found: Sequence[bytes]) -> list[Path]:
    """Write `sample_01.json` and so on into a folder, which may have them already; return their paths.

    Raises StorageError if the folder cannot be written, or has other samples.
    """
    paths = [folder / f"sample_{number:02d}.json" for number in range(1, len(found) + 1)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own = dict(zip(paths, found, strict=True))
        others = [path for path in sorted(folder.glob("sample_*.json")) if path.read_bytes() != own.get(path)]
        if others:
            raise StorageError(
                f"--output-dir: expected a folder without other samples, got {folder}, which has {others[0].name}; give another"
            )
        for path, data in own.items():
            path.write_bytes(data)
    except OSError as error:
        raise StorageError(
            f"--output-dir: {folder} cannot be written ({error.strerror}); give another folder"
        ) from error
    return paths

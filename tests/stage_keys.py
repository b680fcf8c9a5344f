"""Computes the keys of all stages for fixed inputs, with the code of this commit or of 7c7d950.

    python tests/stage_keys.py

prints them as JSON, for the code that PYTHONPATH leads to. Library versions are replaced by "1.0", because they are part of
the keys. `test_upgrade.py` compares the keys with those of 7c7d950.
"""

import importlib
import importlib.util
import json
import os
import stat
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lstm_music.recipe import RECIPES as FOLDER
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.store import ArtifactRef, Store

RECIPES = (
    "demo",
    "default",
    "expressive",
    "polyphony",
    "seed",
    "quartet",
    "steerable",
)  # 7c7d950 has neither of the last two

MODULES = {  # function → its module below `lstm_music.stages`: today's, and that of 7c7d950
    "ParseBatch": ("data.parse", "parse"),
    "ingest": ("data.ingest", "ingest"),
    "notes_stage": ("data.notes", "notes"),
    "events_stage": ("data.events", "events"),
    "dataset_stage": ("data.dataset", "dataset"),
    "model_stages": ("training.trained", "models"),
    "scorecard_stage": ("training.scorecard", "scorecard"),
    "copies_stage": ("music.copies", "copies"),
    "reference_stage": ("music.reference", "reference"),
}

MIDI = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0MTrk\x00\x00\x00\x04\x00\xff\x2f\x00"


def part(name: str) -> Callable[..., Any]:
    """Find a function of the stages in the code that is imported."""
    today, before = MODULES[name]
    is_today = importlib.util.find_spec("lstm_music.stages.data") is not None
    function: Callable[..., Any] = getattr(
        importlib.import_module(f"lstm_music.stages.{today if is_today else before}"), name
    )
    return function


@contextmanager
def fixed_versions() -> Iterator[None]:
    """Replace the versions of all libraries by "1.0"."""
    with patch("lstm_music.store.stage.installed_version", lambda _distribution: "1.0"):
        yield


def recipe_keys(recipe: Recipe) -> dict[str, str]:
    """Return the key of every artifact that a recipe makes from a fixed table of inputs, by kind and name."""
    notes = part("notes_stage")(ArtifactRef("inputs", "1" * 64)).ref
    events = part("events_stage")(notes, recipe.events).ref
    dataset = part("dataset_stage")(recipe, notes, events).ref
    models = {name: stage.ref for name, stage in part("model_stages")(recipe, dataset).items()}
    warm = {name: stage.ref for name, stage in part("model_stages")(recipe, dataset, models).items()}
    copies = part("copies_stage")(dataset).ref
    refs = {
        "notes": notes,
        "events": events,
        "dataset": dataset,
        **{f"model {name}": ref for name, ref in models.items()},
        **{f"warm model {name}": ref for name, ref in warm.items()},
        "scorecard": part("scorecard_stage")(recipe, dataset, models).ref,
        "copies": copies,
        "reference": part("reference_stage")(dataset, copies, recipe.generation.num_events).ref,
    }
    return {name: str(ref) for name, ref in refs.items()}


def parsed_keys() -> dict[str, str]:
    """Return the keys of a batch of MIDI files and of a batch of scores."""
    batches = {form: part("ParseBatch")((("2" * 64, form), ("3" * 64, form))) for form in ("midi", "abc")}
    return {form: str(batch.stage.ref) for form, batch in batches.items()}


def inputs_keys(folder: Path) -> dict[str, str]:
    """Return the keys of the inputs of a folder and of a zip with accepted, duplicate and rejected files."""
    store = Store(folder / "storage")
    recipe = load_recipe("demo").model_copy(update={"include": ("*",)})
    exact = {"events": recipe.events.model_copy(update={"reading": "music21-5", "chords": "normal_order"})}
    music, archive = write_folder(folder / "music"), write_zip(folder / "music.zip")
    return {
        "folder": str(part("ingest")(store, recipe, str(music))),
        "folder by the reading music21-5": str(part("ingest")(store, recipe.model_copy(update=exact), str(music))),
        "zip": str(part("ingest")(store, recipe, str(archive))),
    }


def write_folder(folder: Path) -> Path:
    """Write files that are accepted, duplicates, not music, too large, and not regular."""
    (folder / "bach").mkdir(parents=True)
    (folder / "bach" / "a.mid").write_bytes(MIDI)
    (folder / "bach" / "copy.mid").write_bytes(MIDI)
    (folder / "bach" / "score.abc").write_text("X:1\nK:C\nC")
    (folder / "read me.txt").write_text("no music")
    with (folder / "large.mid").open("wb") as file:
        file.truncate((16 << 20) + 1)
    os.mkfifo(folder / "pipe.mid")
    (folder / "missing.mid").symlink_to("nowhere.mid")
    return folder


def write_zip(path: Path) -> Path:
    """Write a zip with members that are accepted, duplicate, encrypted, a link, and packed by another method."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("bach/a.mid", "bach/copy.mid"):
            archive.writestr(name, MIDI)
        archive.writestr("method.mid", MIDI, zipfile.ZIP_BZIP2)
        link = zipfile.ZipInfo("link.mid")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "bach/a.mid")
        encrypted = zipfile.ZipInfo("encrypted.mid")
        archive.writestr(encrypted, MIDI)
        encrypted.flag_bits |= 0x1  # the table of contents is written when the archive is closed
    return path


def all_keys() -> dict[str, dict[str, str]]:
    """Return all keys, by recipe, and those of inputs and of parsed batches."""
    with fixed_versions(), tempfile.TemporaryDirectory() as folder:
        return {
            "inputs": inputs_keys(Path(folder)),
            "parsed": parsed_keys(),
            **{name: recipe_keys(load_recipe(name)) for name in RECIPES if (FOLDER / f"{name}.toml").exists()},
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(all_keys(), indent=4) + "\n")

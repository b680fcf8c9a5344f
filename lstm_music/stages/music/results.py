"""A result that a person means, by its name, its key or a path → its generation, and which of its results."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.errors import MissingArtifactError, SourceError
from lstm_music.stages.music.names import KIND, LATEST, read_names
from lstm_music.store import Artifact, ArtifactRef, Store
from lstm_music.store.stage import KEY

SHORTEST_KEY = 8
"""Digits of a key that are enough to name a generation, as git has it."""

_DIGITS = 12
_FILE = re.compile(r"result_(\d{3,})(?:_[^/]*)?\.[A-Za-z0-9.]+")
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}_.+_\d+")


@dataclass(frozen=True, eq=False)
class ChosenResult:
    """One result of a generation: `name` is how a person writes it, such as 2026-11-28_demo_3/2, `number` counts from 1."""

    name: str
    number: int
    generation: Artifact

    @property
    def midi(self) -> bytes:
        """Its MIDI file."""
        return self.generation.file(f"result_{self.number:03d}.mid").read_bytes()

    @property
    def facts(self) -> dict[str, Any]:
        """What its JSON file says of it."""
        facts: dict[str, Any] = json.loads(self.generation.file(f"result_{self.number:03d}.json").read_bytes())
        return facts


def choose_result(store: Store, text: str, option: str) -> ChosenResult:
    """Give the result that a text means: NAME/3, latest/3, NAME alone if it has one result, or the path of one of its files.

    A number alone is a result of the latest generation. `option` begins the sentence of an error: SourceError for one of several
    results that is not named, or is not there, MissingArtifactError for an unknown generation.
    """
    generation, number = _parts(text)
    artifact = store.open(find_result(store, generation))
    name, results = read_names(store).of(artifact.ref) or artifact.ref.key[:16], len(artifact.facts["results"])
    if number is None and results > 1:
        raise SourceError(
            f"{option}: {name} has {results} results; expected one of them, such as {name}/1, got {text!r}"
        )
    number = 1 if number is None else number
    if not 1 <= number <= results:
        known = f"results 1 to {results}" if results > 1 else "one result"
        raise SourceError(f"{option}: {name} has {known}; expected one of them, such as {name}/{results}, got {text!r}")
    return ChosenResult(f"{name}/{number}", number, artifact)


def names_a_result(store: Store, text: str) -> bool:
    """Whether a text is the name of a generation or of its result, or a path of their files, rather than the name of a piece.

    A number alone is none: a piece may have it in its name.
    """
    if text.strip().isdecimal():
        return False
    generation, _ = _parts(text)
    words = [generation, *(_words_of_path(generation) if Path(generation).exists() else [])]
    if not any(word == LATEST or _NAME.fullmatch(word) or KEY.fullmatch(word) for word in words):
        return False  # and no storage is asked
    names = read_names(store)
    known = {*names.key_of, *names.key_of.values(), LATEST}
    return any(word in known for word in words)


def find_result(store: Store, text: str) -> ArtifactRef:
    """Give the generation that a text means: a name such as 2026-11-28_demo_3, `latest`, a key or its first digits, or a path.

    Raises MissingArtifactError where there is none, or several.
    """
    names = read_names(store)
    refs = list(store.refs(KIND))
    by_name = {**names.key_of, **({LATEST: names.latest} if names.latest else {})}
    words = [text] if text in by_name else [text, *_words_of_path(text)]
    keys = {by_name.get(word, word) for word in words}
    found = [ref for ref in refs if ref.key in keys]
    if not found and len(text) >= SHORTEST_KEY:
        found = [ref for ref in refs if ref.key.startswith(text)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted(names.key_of, key=_in_order)[-3:]) or "none yet"
    raise MissingArtifactError(
        f"{text}: {'several generations begin so' if found else 'no generation'} in {store.where}; "
        f"expected its name (the latest: {known}), its key, or a path of its files"
    )


def _in_order(name: str) -> list[str]:
    """Give what names are sorted by: `demo_10` comes after `demo_9`."""
    return [part.zfill(_DIGITS) for part in name.split("_")]


def _parts(text: str) -> tuple[str, int | None]:
    """Split the name of a generation, or its path, and the number of a result of it, if there is one."""
    head, slash, tail = text.strip().rstrip("/").rpartition("/")
    if tail.isdecimal() and (slash or len(tail) < SHORTEST_KEY):
        return head or LATEST, int(tail)
    if (file := _FILE.fullmatch(tail)) is not None:
        return head or str(Path.cwd()), int(file[1])
    return text.strip().rstrip("/"), None


def _words_of_path(text: str) -> list[str]:
    """Give the names of the folders of a path, and those that its links lead to, the last first."""
    parts = [*Path(text).resolve().parts, *Path(text).parts] if text else []
    return [part for part in reversed(parts) if KEY.fullmatch(part) or "_" in part]

"""Names of generations for people, such as `2026-11-28_demo_3`: the day, the recipe, and a running number.

`generations/names.json` keeps the names and which generation was asked for last. In a folder each name is also a link to the
generation, and `latest` is one to the last. A name stays with its generation; none of this decides a key.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lstm_music.errors import CorruptArtifactError, LstmMusicError
from lstm_music.store import Artifact, ArtifactRef, Store
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

KIND = "generations"
NAMES = "names.json"
LATEST = "latest"
LONGEST_RECIPE = 64  # characters of a recipe's name in the name of a generation


@dataclass(frozen=True)
class Names:
    """The names of generations: name → key, and the key of the generation that was asked for last ("" for none)."""

    key_of: Mapping[str, str] = field(default_factory=dict)
    latest: str = ""

    def of(self, ref: ArtifactRef) -> str | None:
        """Give the name of a generation; None before it has one."""
        return next((name for name, key in self.key_of.items() if key == ref.key), None)


class _Unnamed(NamedTuple):
    made: datetime
    recipe: str
    key: str


def name_generation(store: Store, ref: ArtifactRef) -> None:
    """Give a name to each generation that has none, and let `latest` lead to `ref`."""
    names = read_names(store)
    unnamed = sorted(_unnamed(store, names))
    if unnamed or names.latest != ref.key:
        store.change_page(KIND, NAMES, partial(_with_names, unnamed, ref.key))
    store.link(KIND, partial(_targets, store))


def forget_lost_names(store: Store) -> None:
    """Take the names and links of generations away that are no longer there."""
    there = {ref.key for ref in store.refs(KIND)}

    def without(data: bytes | None) -> bytes:
        names = _parse(data)
        key_of = {name: key for name, key in names.key_of.items() if key in there}
        return dump_checksummed({"names": key_of, "latest": names.latest if names.latest in there else ""})

    names = read_names(store)
    if not {*names.key_of.values(), *filter(None, [names.latest])} <= there:
        store.change_page(KIND, NAMES, without)
    if store.holds(f"{KIND}/{NAMES}"):
        store.link(KIND, partial(_targets, store))


def read_names(store: Store) -> Names:
    """Read the names; none where the file is missing or damaged, since they can be given again."""
    return _parse(store.read_page(KIND, NAMES))


def named_folder(store: Store, ref: ArtifactRef) -> Path | None:
    """Give the path with the name of a generation; None where no link leads to it, as in a bucket."""
    name = read_names(store).of(ref)
    return None if name is None else store.linked(f"{KIND}/{name}", _key(ref.key))


def made_at(artifact: Artifact) -> datetime:
    """Give the local time at which an artifact was begun."""
    return datetime.fromisoformat(artifact.provenance["started"]).astimezone()


def short_recipe(recipe: str) -> str:
    """Shorten a recipe's name or path to what fits into a file name."""
    stem = Path(recipe).stem if recipe.endswith(".toml") else recipe
    return re.sub(r"[^\w.-]+", "-", stem)[:LONGEST_RECIPE]


def _parse(data: bytes | None) -> Names:
    if data is None:
        return Names()
    try:
        content = load_checksummed(data, NAMES, fix="delete it")
        return Names(dict(content["names"]), str(content["latest"]))
    except (CorruptArtifactError, KeyError, TypeError, ValueError):
        return Names()


def _unnamed(store: Store, names: Names) -> Iterable[_Unnamed]:
    """Yield the generations without a name; a damaged one waits until it is mended."""
    named = set(names.key_of.values())
    for ref in store.refs(KIND):
        if ref.key not in named:
            try:
                artifact = store.open(ref)
                yield _Unnamed(made_at(artifact), short_recipe(str(artifact.facts["recipe"])), ref.key)
            except (LstmMusicError, OSError, KeyError, ValueError):
                continue


def _with_names(unnamed: Iterable[_Unnamed], latest: str, data: bytes | None) -> bytes:
    """Add names to the file that may hold others' meanwhile."""
    key_of = dict(_parse(data).key_of)
    for one in unnamed:
        if one.key not in key_of.values():
            key_of[_next_name(f"{one.made:%Y-%m-%d}_{one.recipe}", key_of)] = one.key
    return dump_checksummed({"names": key_of, "latest": latest})


def _next_name(stem: str, taken: Iterable[str]) -> str:
    parts = (name.rpartition("_") for name in taken)
    return f"{stem}_{max((int(number) for before, _, number in parts if before == stem), default=0) + 1}"


def _targets(store: Store) -> dict[str, list[str]]:
    names = read_names(store)
    wanted = {**names.key_of, LATEST: names.latest}
    return {name: [_key(key)] for name, key in wanted.items() if key and store.has(ArtifactRef(KIND, key))}


def _key(key: str) -> str:
    return f"{KIND}/{key}"

"""Forgetting: a piece, every artifact that holds it, and everything that was learnt from it leave the storage for good.

The contents are put on the list of forgotten ones first, so that nothing ingests them again, and their bytes go last. If it is
killed, the same command finishes it.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.errors import LstmMusicError
from lstm_music.sources.books import pieces_of
from lstm_music.sources.entry import Found
from lstm_music.sources.inbox import Inbox
from lstm_music.stages.data.forgotten import add_forgotten
from lstm_music.stages.training.trained import KIND as MODEL
from lstm_music.stages.upkeep.holders import artifacts_with
from lstm_music.stages.upkeep.pins import pinned, release
from lstm_music.stages.upkeep.pruning import tidy_pages, users_first
from lstm_music.stages.upkeep.survey import Item, direct_states
from lstm_music.store import Artifact, ArtifactRef, Store
from lstm_music.store.blobs import blob_key
from lstm_music.store.stage import INBOX
from lstm_music.store.store import TRAININGS

PAGES = ("curves", "lineage")
"""Folders with pages about models and results, under names for people."""


@dataclass(frozen=True)
class Forgetting:
    """What goes: contents by SHA-256, items in the order of their removal, and the facts of recipes that change with it.

    `inbox` names the files of the inbox in storage with these contents: they are the user's, and stay.
    """

    contents: Mapping[str, str]
    items: Sequence[Item]
    facts: Mapping[str, Mapping[str, Any]]
    inbox: Sequence[str]

    @property
    def bytes(self) -> int:
        """The size of all that goes."""
        return sum(item.bytes for item in self.items)


def plan_forgetting(store: Store, contents: Mapping[str, str]) -> Forgetting:
    """Find all that holds contents, and all that was learnt from them."""
    holding = artifacts_with(store, contents)
    entries = store.entries()
    sizes: dict[str, int] = {}
    for key, entry in entries.items():
        parts = key.split("/")
        sizes["/".join(parts[:2])] = sizes.get("/".join(parts[:2]), 0) + entry.bytes
    items = [
        Item(_key(ref), ref.kind, sizes.get(_key(ref), 0), 0.0, "unneeded", tuple(map(_key, one.inputs)))
        for ref, one in holding.items()
    ]
    downloads = [key for key in entries if key.startswith("unfinished/")]  # half of a zip, that may hold it
    others = [*_trainings(store, holding, entries), *_pages(holding, entries), *downloads, *map(blob_key, contents)]
    items += [Item(key, key.partition("/")[0], entries[key].bytes, 0.0, "unneeded") for key in others if key in entries]
    facts = {recipe: changed for recipe in store.recipes() if (changed := _changed(store, recipe, holding))}
    return Forgetting(contents, users_first(items), facts, list(dict.fromkeys(_in_inbox(store, contents))))


def forget(store: Store, planned: Forgetting) -> None:
    """Remove what was planned; the store must be held alone since before the plan was made."""
    add_forgotten(store, planned.contents)
    for recipe, facts in planned.facts.items():
        store.change_current(recipe, lambda _present, facts=facts: facts)  # type: ignore[misc]
    going = {item.key for item in planned.items}
    for ref in pinned(store):
        if _key(ref) in going:
            release(store, ref)
    for item in planned.items:
        store.remove(item.key)
    tidy_pages(store)


def _changed(store: Store, recipe: str, gone: Collection[ArtifactRef]) -> dict[str, Any]:
    """Give the facts of a recipe that change: of its promotions those are left that did not learn from what goes."""
    kept = store.current(recipe) or {}
    history = [*kept.get("earlier", []), *([kept["promoted"]] if kept.get("promoted") else [])]
    left = [one for one in history if not _mentions(one, gone)]
    changed: dict[str, Any] = {}
    if left != history:
        changed = {"promoted": left[-1] if left else None, "earlier": left[:-1] or None}
    for fact in ("prepared", "seen", "heard"):
        if fact in kept and any(ArtifactRef(kind, key) in gone for kind, key in kept[fact].items()):
            changed[fact] = None
    return changed


def _mentions(promotion: Mapping[str, Any], gone: Collection[ArtifactRef]) -> bool:
    refs = [ArtifactRef("dataset", promotion["dataset"]), ArtifactRef("scorecard", promotion["scorecard"])]
    return any(ref in gone for ref in [*refs, *(ArtifactRef(MODEL, key) for key in promotion["models"].values())])


def _trainings(store: Store, holding: Mapping[ArtifactRef, Artifact], entries: Collection[str]) -> Iterator[str]:
    """List the states of trainings, but for finished ones of other models: of an unfinished one nobody knows what it learnt."""
    others = set()
    for ref in store.refs(MODEL):
        if ref not in holding:
            with suppress(LstmMusicError):
                others |= {*direct_states(store.open(ref))}
    for key in entries:
        if key.startswith(f"{TRAININGS}/") and Path(key).name.partition(".")[0] not in others:
            yield key


def _pages(holding: Mapping[ArtifactRef, Artifact], entries: Collection[str]) -> Iterator[str]:
    """List the pages about models and results, which other commands write again, if any model or result goes."""
    if any(ref.kind == MODEL for ref in holding):
        yield from (key for key in entries if key.count("/") == 1 and key.partition("/")[0] in PAGES)


def _in_inbox(store: Store, contents: Collection[str]) -> Iterator[str]:
    """Name the files of the inbox in storage that hold contents."""
    where = store.shown(INBOX)
    if isinstance(where, Path) and where.is_dir():
        for entry in pieces_of(Inbox(str(where)).entries()):
            if isinstance(entry, Found) and hashlib.sha256(entry.data).hexdigest() in contents:
                yield entry.book or entry.name


def _key(ref: ArtifactRef) -> str:
    return f"{ref.kind}/{ref.key}"

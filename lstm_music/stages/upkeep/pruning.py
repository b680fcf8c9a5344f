"""Pruning: what nobody needs any more goes, in an order in which the storage is valid whenever it stops.

First the history leaves current.json, then go the artifacts, each before those that it was made from, and at last the bytes of
music. Of an artifact the manifest goes first. So whatever is killed, nothing that stays needs anything that went, and the next
prune removes the rest.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lstm_music.errors import StorageInUseError
from lstm_music.stages.current import PromotedMeanwhileError
from lstm_music.stages.data.latest import unlink_lost_tables
from lstm_music.stages.music.generation import PAGE as INDEX
from lstm_music.stages.music.index import write_index
from lstm_music.stages.music.names import KIND as GENERATIONS
from lstm_music.stages.music.names import forget_lost_names
from lstm_music.stages.upkeep.survey import Item, Limits, survey
from lstm_music.store import Store
from lstm_music.store.stage import BLOBS, LATEST


@dataclass(frozen=True)
class Pruning:
    """What goes: items in the order of their removal, and per recipe the history before and after."""

    items: Sequence[Item]
    histories: Mapping[str, tuple[Sequence[Any], Sequence[Any]]]

    @property
    def bytes(self) -> int:
        """The size of all that goes."""
        return sum(item.bytes for item in self.items)


def plan_pruning(store: Store, limits: Limits, below: int | None = None, now: float | None = None) -> Pruning:
    """Find what may go. With `below`, only as much goes, the oldest first, as brings the storage below that many bytes.

    Raises StorageError where it cannot be known what is needed.
    """
    items = survey(store, limits, now)
    unneeded = [item for item in items if item.reason == "unneeded"]
    if below is not None:
        unneeded = _oldest(unneeded, sum(item.bytes for item in items) - below)
    histories = {}
    for recipe in store.recipes():
        earlier = (store.current(recipe) or {}).get("earlier", [])
        kept = earlier[len(earlier) - limits.keep_history :] if len(earlier) > limits.keep_history else earlier
        if kept != earlier:
            histories[recipe] = (earlier, kept)
    return Pruning(users_first(unneeded), histories)


def prune(store: Store, planned: Pruning, progress: Callable[[int, int], None] = lambda _done, _all: None) -> None:
    """Remove what was planned; the store must be held alone since before the plan was made.

    `progress` gets (items gone, items in all).
    """
    for recipe, (before, after) in planned.histories.items():
        store.change_current(recipe, _shortened(recipe, before, after))
    for done, item in enumerate(planned.items, start=1):
        store.remove(item.key)
        progress(done, len(planned.items))
    tidy_pages(store)


def tidy_pages(store: Store) -> None:
    """Take names, links and the entries of pages away that lead to what is gone."""
    forget_lost_names(store)
    if store.holds(f"{GENERATIONS}/{INDEX}"):
        write_index(store)
    if (store.root / LATEST).is_dir():
        unlink_lost_tables(store)


def prune_if_free(store: Store, limits: Limits, below: int | None = None) -> Pruning | None:
    """Plan and prune, unless others use the storage now: then nothing is done and None is given."""
    with suppress(StorageInUseError), store.alone():
        planned = plan_pruning(store, limits, below)
        prune(store, planned)
        return planned
    return None


def outcome(done: Pruning | None) -> str:
    """Say what a pruning removed, in one sentence without a full stop; None is one that others kept from beginning."""
    if done is None:
        return "Nothing was removed: other runs use the storage"
    if not done.items:
        return "Nothing was removed: everything is needed, or recent"
    kinds = Counter(item.kind for item in done.items)
    parts = ", ".join(f"{kind} {number:,}" for kind, number in sorted(kinds.items()))
    return f"Removed {done.bytes:,} bytes that nothing needs: {parts}"


def _shortened(
    recipe: str, before: Sequence[Any], after: Sequence[Any]
) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def change(present: Mapping[str, Any]) -> Mapping[str, Any]:
        if present.get("earlier", []) != before:
            raise PromotedMeanwhileError(f"recipe {recipe!r}: its history was changed meanwhile; run again")
        return {"earlier": list(after)}

    return change


def _oldest(unneeded: Sequence[Item], too_many: int) -> list[Item]:
    """Choose the oldest items until so many bytes are chosen; with each goes what was made from it."""
    users: dict[str, list[Item]] = {}
    for item in unneeded:
        for key in item.needs:
            users.setdefault(key, []).append(item)
    chosen: dict[str, Item] = {}
    for item in sorted(unneeded, key=lambda one: (one.written, one.key)):
        if sum(one.bytes for one in chosen.values()) >= too_many:
            break
        todo = [item]
        while todo:
            one = todo.pop()
            if one.key not in chosen:
                chosen[one.key] = one
                todo += users.get(one.key, [])
    return list(chosen.values())


def users_first(items: Sequence[Item]) -> list[Item]:
    """Put each artifact before those that it was made from, and the bytes of music last."""
    by_key = {item.key: item for item in items}
    ordered: dict[str, Item] = {}
    for first in sorted(items, key=lambda one: one.key):
        todo = [(first, False)]
        while todo:
            item, has_inputs_done = todo.pop()
            if item.key in ordered:
                continue
            if has_inputs_done:
                ordered[item.key] = item
            else:
                todo.append((item, True))
                todo += [(by_key[key], False) for key in item.needs if key in by_key and key not in ordered]
    users_before = list(reversed(ordered.values()))
    return [*(one for one in users_before if one.kind != BLOBS), *(one for one in users_before if one.kind == BLOBS)]

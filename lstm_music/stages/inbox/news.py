"""The inbox → news: which music came, changed or went since the models last heard of it; and all the music, with it.

Files are known by their contents: to move or rename one is no news. All the music is the collection (what was prepared last
for the recipe, without its inbox, or else the recipe's own source) with what the inbox holds now.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lstm_music.errors import SourceError
from lstm_music.recipe import Recipe
from lstm_music.sources.inbox import Inbox, is_from_inbox
from lstm_music.stages.current import promoted_models, remember
from lstm_music.stages.data.dataset import inputs_of
from lstm_music.stages.data.ingest import Input, ingest, read_inputs, rows_of, write_inputs
from lstm_music.stages.data.notes import notes_stage, read_pieces
from lstm_music.stages.data.prepare import has_prepared, last_prepared
from lstm_music.store import ArtifactRef, Store

SETTLE_SECONDS = 10.0
"""How long a new file has to stay as it is before it is taken for whole."""

ANNOUNCE_AGAIN_SECONDS = 3600.0


@dataclass(frozen=True)
class News:
    """What an inbox holds that the models have not heard of: names, without the folder.

    `growing` changed while it was looked at and is left for the next time. `settled` is all that the inbox holds: name →
    what it is known by.
    """

    came: tuple[str, ...]
    changed: tuple[str, ...]
    went: tuple[str, ...]
    growing: tuple[str, ...]
    settled: Mapping[str, str]

    @property
    def is_any(self) -> bool:
        """Whether there is anything to learn from, or to unlearn."""
        return bool(self.came or self.changed or self.went)

    @property
    def fingerprint(self) -> str:
        """The same for the same contents, whatever they are called: the SHA-256 of their sorted digests."""
        return hashlib.sha256("\n".join(sorted(set(self.settled.values()))).encode()).hexdigest()


def open_inbox(store: Store, where: str | None) -> Inbox:
    """Open the inbox that a person named (a folder or a URL), or the one in storage, which is made where it is missing.

    Raises SourceError where there is no such folder.
    """
    return Inbox(where or store.inbox())


def look(
    store: Store,
    recipe: Recipe,
    where: str | None,
    settle_seconds: float = SETTLE_SECONDS,
    wait: Callable[[float], None] = time.sleep,
) -> News:
    """Look at an inbox, twice where it seems to hold news: a file that grows is of another content the second time.

    Raises SourceError where there is no such folder, and where a bucket lists nothing at all of what was heard of it.
    """
    inbox = open_inbox(store, where)
    known = seen_inputs(store, recipe.name)
    before = read_inputs(store, known) if known else []
    expected = sum(is_from_inbox(row.name, row.source) for row in before)
    seen = _contents(recipe, inbox, expected)
    if not _news(before, seen, ()).is_any:
        return _news(before, seen, ())
    wait(settle_seconds)
    again = _contents(recipe, inbox, expected)
    settled = {name: content for name, content in again.items() if seen.get(name) == content}
    return _news(before, settled, tuple(sorted(again.keys() - settled.keys())))


def should_announce(store: Store, recipe: Recipe, news: News) -> bool:
    """Say whether news were not announced lately: a retraining that was lost on its way is asked for again after an hour."""
    kept = (store.current(recipe.name) or {}).get("announced", {})
    is_late = time.time() - kept.get("at", 0.0) > ANNOUNCE_AGAIN_SECONDS
    return news.is_any and (is_late or kept["fingerprint"] != news.fingerprint)


def remember_announced(store: Store, recipe: Recipe, news: News) -> None:
    """Note that news were announced now."""
    remember(store, recipe.name, "announced", {"fingerprint": news.fingerprint, "at": time.time()})


def collection(store: Store, recipe: Recipe, source: str | None) -> list[Input]:
    """Give the music beside the inbox: that of a source, or else of what was prepared last, or else the recipe's own."""
    if source is None and has_prepared(store, recipe.name):
        ref = last_prepared(store, recipe.name).inputs
    else:
        ref = ingest(store, recipe, source or recipe.source)
    return [row for row in read_inputs(store, ref) if not is_from_inbox(row.name, row.source)]


def ingest_all(store: Store, recipe: Recipe, source: str | None, where: str | None, news: News) -> ArtifactRef:
    """Take in all the music: the collection, and what has settled in the inbox."""
    rows = collection(store, recipe, source)
    inbox = open_inbox(store, where)
    with store.blobs() as keep:
        found = _rows(recipe, inbox, keep, len(news.settled), beside=rows)
        rows += [row for row in found if news.settled.get(row.name) == _content(row)]
    return write_inputs(store, rows)


def holds_other_music(store: Store, recipe: str, inputs: ArtifactRef) -> bool:
    """Say whether a table of inputs, whose notes were collected, has other pieces than the one that was heard last.

    What cannot be read is news, but nothing to train for. Without other pieces it counts as heard from now on.
    """
    before = seen_inputs(store, recipe)
    if before is None or not store.has(notes_stage(before).ref) or _pieces(store, before) != _pieces(store, inputs):
        return True
    remember_seen(store, recipe, inputs)
    return False


def _pieces(store: Store, inputs: ArtifactRef) -> set[str]:
    return {row["piece_id"] for row in read_pieces(store, notes_stage(inputs).ref, ("piece_id",))}


def _contents(recipe: Recipe, inbox: Inbox, expected: int) -> dict[str, str]:
    """Give name → what a file is known by, without keeping anything."""
    rows = _rows(recipe, inbox, lambda data: hashlib.sha256(data).hexdigest(), expected)
    return {row.name: _content(row) for row in rows}


def _rows(
    recipe: Recipe, inbox: Inbox, keep: Callable[[bytes], str], expected: int, beside: Iterable[Input] = ()
) -> list[Input]:
    """Give the rows of all that an inbox holds now.

    Raises SourceError where a bucket lists nothing at all, not even another file, and so many files are expected of it: an
    address with a mistake in it looks like that, too, and must not be unlearnt.
    """
    others: Counter[str] = Counter()
    rows = list(rows_of(_taking_all(recipe), inbox, keep, others, beside))
    if expected and not rows and not others and not inbox.can_be_empty:
        raise SourceError(
            f"inbox {inbox.where!r}: nothing lies below it, where {expected} music files were before; correct the URL or, "
            "if all of them were taken out on purpose, leave any other file there, such as a text file"
        )
    return rows


def _taking_all(recipe: Recipe) -> Recipe:
    """Let the inbox in whole: what a recipe includes is said of its collection."""
    return recipe.model_copy(update={"include": ("*",)})


def _content(row: Input) -> str:
    """Say what an input is known by: the SHA-256 of its content, or, where that could not be read, its name and why."""
    return row.piece_id or hashlib.sha256(f"{row.name}: {row.reason}".encode()).hexdigest()


def _news(before: Sequence[Input], settled: Mapping[str, str], growing: tuple[str, ...]) -> News:
    known = {_content(row) for row in before}
    had = {row.name: _content(row) for row in before if is_from_inbox(row.name, row.source)}
    new = {name for name, content in settled.items() if content not in known}
    present = set(settled.values())
    gone = {name for name, content in had.items() if content not in present and name not in settled}
    return News(
        came=_sorted(new - had.keys()),
        changed=_sorted(new & had.keys()),
        went=_sorted(gone - set(growing)),
        growing=growing,
        settled=dict(settled),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def seen_inputs(store: Store, recipe: str) -> ArtifactRef | None:
    """Give the table of inputs that a recipe's models were last trained on, whatever was decided then; None before the first."""
    facts = store.current(recipe) or {}
    kept = facts.get("seen") or facts.get("heard")  # "heard" until version 0.1
    if kept is not None:
        return ArtifactRef("inputs", kept["inputs"])
    current = promoted_models(store, recipe)  # of a version that did not keep what was heard
    return inputs_of(store, current.dataset) if current else None


def remember_seen(store: Store, recipe: str, inputs: ArtifactRef) -> None:
    """Count a table of inputs as heard, because it holds no other music than the one before."""
    remember(store, recipe, "seen", {"inputs": inputs.key})

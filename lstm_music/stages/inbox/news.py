"""The inbox → news: the files that are new, changed or removed since the last training, and the music to train on.

Files are identified by their contents, so renaming or moving a file does not count as a change. The music to train on is
the collection plus the current files of the inbox. The collection is the recipe's latest prepared data without its inbox,
or else the recipe's own source.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lstm_music.errors import SourceError
from lstm_music.recipe import Recipe
from lstm_music.sources.choice import chosen_source
from lstm_music.sources.inbox import Inbox, is_from_inbox
from lstm_music.stages.current import promoted_models, remember
from lstm_music.stages.data.dataset import inputs_of
from lstm_music.stages.data.forgotten import read_forgotten
from lstm_music.stages.data.ingest import Input, ingest, read_inputs, rows_of, write_inputs
from lstm_music.stages.data.notes import notes_stage, read_pieces
from lstm_music.stages.data.prepare import has_prepared, last_prepared
from lstm_music.store import ArtifactRef, Store

SETTLE_SECONDS = 10.0
"""How long a new file must stay unchanged before it is treated as complete."""

ANNOUNCE_AGAIN_SECONDS = 3600.0
"""When the same news is announced again, in case the retraining it asked for never ran."""


@dataclass(frozen=True)
class News:
    """The changes in an inbox since the last training of a recipe, as file names below the inbox folder.

    `new` files have contents that were not seen before, `changed` ones have them under a known name, `removed` ones are gone.
    `growing` changed during the look and wait for the next one. `settled` holds all complete files of the inbox: name → digest
    (see `_digest_of`).
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    growing: tuple[str, ...]
    settled: Mapping[str, str]

    @property
    def is_any(self) -> bool:
        """Whether there is any change to train on."""
        return bool(self.new or self.changed or self.removed)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the sorted digests of all files: equal for equal contents, whatever the names."""
        return hashlib.sha256("\n".join(sorted(set(self.settled.values()))).encode()).hexdigest()


def open_inbox(store: Store, recipe: Recipe, where: str | None) -> Inbox:
    """Open the inbox at `where` (a folder or URL), or by default the one in storage, creating it if missing.

    A folder in it that has the name of a recipe of this storage is for that recipe alone. Raises SourceError if the inbox does
    not exist.
    """
    return Inbox(where or store.inbox(), recipe.name, store.recipes())


@dataclass(frozen=True)
class _Watched:
    """What one recipe knows of its inbox: the inputs that it was trained on last."""

    recipe: Recipe
    inbox: Inbox
    before: list[Input]
    forgotten: AbstractSet[str]

    def contents(self) -> dict[str, str]:
        """Return name → digest of each file that the inbox holds now."""
        expected = sum(is_from_inbox(row.name, row.source) for row in self.before)
        return _contents(self.recipe, self.inbox, expected, self.forgotten)


def look_all(
    store: Store,
    recipes: Sequence[Recipe],
    where: str | None,
    settle_seconds: float = SETTLE_SECONDS,
    wait: Callable[[float], None] = time.sleep,
) -> dict[str, News]:
    """Look for changes in an inbox for each of several recipes, by name.

    There is a second look where there seem to be changes: a growing file has other contents then. The pause before it is one
    for all recipes. Raises SourceError if the inbox does not exist, or if a bucket lists nothing although files were seen there.
    """
    watched = {recipe.name: _watched(store, recipe, where) for recipe in recipes}
    seen = {name: one.contents() for name, one in watched.items()}
    found = {name: _news(one.before, seen[name], ()) for name, one in watched.items()}
    changed = [name for name, news in found.items() if news.is_any]
    if changed:
        wait(settle_seconds)
    for name in changed:
        again = watched[name].contents()
        settled = {file: content for file, content in again.items() if seen[name].get(file) == content}
        found[name] = _news(watched[name].before, settled, tuple(sorted(again.keys() - settled.keys())))
    return found


def look(
    store: Store,
    recipe: Recipe,
    where: str | None,
    settle_seconds: float = SETTLE_SECONDS,
    wait: Callable[[float], None] = time.sleep,
) -> News:
    """Look for changes in an inbox for one recipe: see `look_all`."""
    return look_all(store, [recipe], where, settle_seconds, wait)[recipe.name]


def _watched(store: Store, recipe: Recipe, where: str | None) -> _Watched:
    known = seen_inputs(store, recipe.name)
    return _Watched(
        recipe,
        open_inbox(store, recipe, where),
        read_inputs(store, known) if known else [],
        read_forgotten(store).keys(),
    )


def should_announce(store: Store, recipe: Recipe, news: News) -> bool:
    """Return whether to announce the news: it is new, or its last announcement was over an hour ago and had no effect."""
    kept = (store.current(recipe.name) or {}).get("announced", {})
    is_late = time.time() - kept.get("at", 0.0) > ANNOUNCE_AGAIN_SECONDS
    return news.is_any and (is_late or kept["fingerprint"] != news.fingerprint)


def remember_announced(store: Store, recipe: Recipe, news: News) -> None:
    """Record that the news was announced now."""
    remember(store, recipe.name, "announced", {"fingerprint": news.fingerprint, "at": time.time()})


def collection(store: Store, recipe: Recipe, source: str | None) -> list[Input]:
    """Return the music outside the inbox: from `source`, or the latest prepared data, or the recipe's own source."""
    if source is None and has_prepared(store, recipe.name):
        ref = last_prepared(store, recipe.name).inputs
    else:
        ref = ingest(store, recipe, chosen_source(source, recipe.source))
    return [row for row in read_inputs(store, ref) if not is_from_inbox(row.name, row.source)]


def ingest_all(store: Store, recipe: Recipe, source: str | None, where: str | None, news: News) -> ArtifactRef:
    """Ingest all the music: the collection and the complete files of the inbox."""
    rows = collection(store, recipe, source)
    inbox = open_inbox(store, recipe, where)
    with store.blobs() as keep:
        found = _rows(recipe, inbox, keep, len(news.settled), read_forgotten(store).keys(), beside=rows)
        rows += [row for row in found if news.settled.get(row.name) == _digest_of(row)]
    return write_inputs(store, rows, recipe.input_reading)


def holds_other_music(store: Store, recipe: str, inputs: ArtifactRef) -> bool:
    """Return whether a table of inputs (with its note table made) has other pieces than the one seen last.

    An unreadable file is news, but no reason to train. If the pieces are the same, the table is recorded as seen.
    """
    before = seen_inputs(store, recipe)
    if before is None or not store.has(notes_stage(before).ref) or _pieces(store, before) != _pieces(store, inputs):
        return True
    remember_seen(store, recipe, inputs)
    return False


def _pieces(store: Store, inputs: ArtifactRef) -> set[str]:
    return {row["piece_id"] for row in read_pieces(store, notes_stage(inputs).ref, ("piece_id",))}


def _contents(recipe: Recipe, inbox: Inbox, expected: int, forgotten: AbstractSet[str]) -> dict[str, str]:
    """Return name → digest of each file, without storing anything."""
    rows = _rows(recipe, inbox, lambda data: hashlib.sha256(data).hexdigest(), expected, forgotten)
    return {row.name: _digest_of(row) for row in rows}


def _rows(
    recipe: Recipe,
    inbox: Inbox,
    keep: Callable[[bytes], str],
    expected: int,
    forgotten: AbstractSet[str],
    beside: Iterable[Input] = (),
) -> list[Input]:
    """Return a row for each file that an inbox holds now.

    Raises SourceError if `expected` is above 0 and a bucket lists nothing, not even other files. A mistyped URL looks the
    same, and must not make the models forget the music.
    """
    others: Counter[str] = Counter()
    rows = list(rows_of(_taking_all(recipe), inbox, keep, others, beside, forgotten))
    if expected and not rows and not others and not inbox.can_be_empty:
        raise SourceError(
            f"inbox {inbox.where!r}: expected {expected} music file{'' if expected == 1 else 's'} seen there before, "
            "found nothing; correct the URL or, if you removed them on purpose, put any other file there, such as a text file"
        )
    return rows


def _taking_all(recipe: Recipe) -> Recipe:
    """Include every file of the inbox: the recipe's `include` is for its collection."""
    return recipe.model_copy(update={"include": ("*",)})


def _digest_of(row: Input) -> str:
    """Return the SHA-256 of an input's content or, if that could not be read, of its name and the reason."""
    return row.piece_id or hashlib.sha256(f"{row.name}: {row.reason}".encode()).hexdigest()


def _news(before: Sequence[Input], settled: Mapping[str, str], growing: tuple[str, ...]) -> News:
    known = {_digest_of(row) for row in before}
    had = {row.name: _digest_of(row) for row in before if is_from_inbox(row.name, row.source)}
    new = {name for name, content in settled.items() if content not in known}
    present = set(settled.values())
    gone = {name for name, content in had.items() if content not in present and name not in settled}
    return News(
        new=_sorted(new - had.keys()),
        changed=_sorted(new & had.keys()),
        removed=_sorted(gone - set(growing)),
        growing=growing,
        settled=dict(settled),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def seen_inputs(store: Store, recipe: str) -> ArtifactRef | None:
    """Return the inputs of a recipe's latest training, promoted or not; None before the first training."""
    facts = store.current(recipe) or {}
    kept = facts.get("seen") or facts.get("heard")  # "heard" until version 0.1
    if kept is not None:
        return ArtifactRef("inputs", kept["inputs"])
    current = promoted_models(store, recipe)  # older versions recorded no inputs as seen
    return inputs_of(store, current.dataset) if current else None


def remember_seen(store: Store, recipe: str, inputs: ArtifactRef) -> None:
    """Record a table of inputs as seen."""
    remember(store, recipe, "seen", {"inputs": inputs.key})

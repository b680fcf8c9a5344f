"""What came of the last retraining of a recipe, and which music of the inbox its promoted models lack."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lstm_music.errors import MissingArtifactError
from lstm_music.sources.inbox import is_from_inbox
from lstm_music.stages.current import promoted_models, remember
from lstm_music.stages.data.dataset import inputs_of
from lstm_music.stages.data.ingest import ACCEPTED, Input, read_inputs
from lstm_music.stages.data.notes import notes_stage
from lstm_music.stages.inbox.news import seen_inputs
from lstm_music.store import ArtifactRef, Store

FACT = "retrained"
"""The fact in `current.json` that holds the outcome of the last retraining."""


@dataclass(frozen=True)
class Standing:
    """The state of a recipe's inbox after its last training.

    `last` is what came of the last retraining that found a change: outcome, sentence, reason (of promotion), fingerprint and
    at (ISO 8601); None before the first. `missing` are files that were trained on and are not in the promoted models, because
    the models before stayed or came back. `removed` are files that are gone and still in the promoted models.
    """

    last: Mapping[str, str] | None = None
    missing: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_behind(self) -> bool:
        """Whether the promoted models know other music of the inbox than the models that were trained last."""
        return bool(self.missing or self.removed)

    @property
    def gap(self) -> str:
        """What the promoted models lack or still have, as a clause; "" if they are not behind."""
        parts = []
        if count := len(self.missing):
            parts.append(f"{_files(count)} of the inbox {_are(count)} not in the promoted models")
        if count := len(self.removed):
            parts.append(f"{_files(count)} removed from the inbox {_are(count)} still in the promoted models")
        return ", ".join(parts)


def standing(store: Store, recipe: str) -> Standing:
    """Give the standing of a recipe, by its name; it reads tables in storage, and not the inbox."""
    last = (store.current(recipe) or {}).get(FACT)
    promoted, seen = promoted_models(store, recipe), seen_inputs(store, recipe)
    if promoted is None or seen is None:
        return Standing(last)
    try:
        had = inputs_of(store, promoted.dataset)
        if had == seen:
            return Standing(last)
        before, after = _accepted(store, had), _accepted(store, seen)
    except MissingArtifactError:  # somebody deleted a table: then nobody knows
        return Standing(last)
    return Standing(last, _of_inbox_beyond(after, before), _of_inbox_beyond(before, after))


def way_on(recipe: str) -> str:
    """Say what to do where the promoted models are behind."""
    return (
        f"`lstm-music retrain --recipe {recipe} --again` trains again, "
        f"`lstm-music retrain --recipe {recipe} --force` promotes whatever comes"
    )


def remember_retrained(store: Store, recipe: str, said: Mapping[str, str]) -> None:
    """Record what came of a retraining: its outcome, sentence, reason and fingerprint, and that it was now."""
    remember(store, recipe, FACT, {**said, "at": datetime.now(UTC).isoformat(timespec="seconds")})


def _accepted(store: Store, inputs: ArtifactRef) -> list[Input]:
    """Give the inputs that became pieces, or all that were ingested if nobody has parsed them yet."""
    notes = notes_stage(inputs).ref
    return [row for row in read_inputs(store, notes if store.has(notes) else inputs) if row.status == ACCEPTED]


def _of_inbox_beyond(rows: list[Input], others: list[Input]) -> tuple[str, ...]:
    known = {row.piece_id for row in others}
    return tuple(row.name for row in rows if is_from_inbox(row.name, row.source) and row.piece_id not in known)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"

"""What lies in a storage, and why: each artifact, content and training with its size, its age, and what needs it."""

import dataclasses
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from lstm_music.errors import CorruptArtifactError, MissingArtifactError, StorageError
from lstm_music.stages.music.names import KIND as GENERATIONS
from lstm_music.stages.training.trained import KIND as MODEL
from lstm_music.stages.upkeep.missing import lost_current_file
from lstm_music.stages.upkeep.needs import (
    Group,
    Needed,
    Root,
    needed_by,
    roots_of_recipes,
    roots_of_results,
)
from lstm_music.stages.upkeep.pins import pinned
from lstm_music.store import Artifact, ArtifactRef, Store
from lstm_music.store.checksummed import digest
from lstm_music.store.files import Entry
from lstm_music.store.stage import BLOBS, IDENTITY_FIELDS, KEY, KIND, MANIFEST, NO_KINDS
from lstm_music.store.store import TRAININGS

Reason = Group | Literal["cache", "other", "unneeded"]
"""Why something stays. `cache` saves work, `other` is no business of ours; `unneeded` may go."""

WITH_ITS_INPUTS = ("versions", "copies", "reference", "scorecard", "quality", "curves", "comparisons")
"""Kinds that stay for as long as all that they were made from stays."""

MINE = frozenset(
    {"inputs", "parsed", "notes", "events", "dataset", "model", "music", GENERATIONS, "downloads", *WITH_ITS_INPUTS}
)
"""The kinds of artifacts that may go: none that another version of this project may have added."""

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Item:
    """Something that stays or goes as a whole: `key` is its folder or file. `needs` are the keys of what it was made from."""

    key: str
    kind: str
    bytes: int
    written: float
    reason: Reason
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How much history stays, per recipe, and how old something has to be to go."""

    keep_history: int = 1
    older_than_days: float = 14.0


def survey(store: Store, limits: Limits, now: float | None = None) -> list[Item]:
    """List everything in a storage with the reason for which it stays.

    Raises StorageError where it cannot be known what is needed: current.json or a needed artifact is lost or damaged.
    """
    if lost := list(lost_current_file(store)):
        raise StorageError(f"{lost[0].path}: {lost[0].reason}")
    youngest = (time.time() if now is None else now) - limits.older_than_days * DAY_SECONDS
    parts = _parts(store.entries())
    artifacts = dict(_readable(store, parts))
    needed, reasons = _needed(store, limits, artifacts)
    reasons.update({ref: "other" for ref in store.refs() if ref not in artifacts})  # damaged: `verify` names it
    _add_what_follows(artifacts, reasons)
    young = [ref for ref in artifacts if parts[_key(ref)].written > youngest and ref not in reasons]
    needed = needed_by(store, [Root(ref, "recent", "a recent artifact") for ref in young], needed)
    reasons.update({ref: "recent" for ref in needed.artifacts if ref not in reasons})
    _add_what_follows(artifacts, reasons)
    _require_all_known(store, needed)
    return [
        dataclasses.replace(part, reason=reason, needs=_inputs(artifacts, part.key))
        for part in parts.values()
        for reason in [_reason(part, youngest, artifacts, reasons, needed)]
    ]


def _require_all_known(store: Store, needed: Needed) -> None:
    """Raise StorageError where a needed artifact cannot be read: what it needs in turn would go."""
    advice = "run `lstm-music verify` first, since what it needs cannot be known"
    if needed.damaged:
        raise StorageError(f"{needed.damaged[0]}; {advice}")
    if needed.missing:
        ref = needed.missing[0]
        raise StorageError(f"{store.shown(_key(ref))}: missing, and {needed.artifacts[ref].why} needs it; {advice}")


def _parts(entries: Mapping[str, Entry]) -> dict[str, Item]:
    """Put the files of each artifact together; every other file is on its own. An artifact is as old as its manifest."""
    found: dict[str, Item] = {}
    for key, entry in entries.items():
        kind, _, rest = key.partition("/")
        folder = rest.partition("/")[0]
        is_artifact = bool(KIND.fullmatch(kind)) and kind not in NO_KINDS and bool(KEY.fullmatch(folder))
        name = f"{kind}/{folder}" if is_artifact else key
        part = found.get(name) or Item(name, kind if rest else "other", 0, 0.0, "unneeded")
        written = entry.written if key.endswith(f"/{MANIFEST}") else max(part.written, entry.written)
        found[name] = dataclasses.replace(part, bytes=part.bytes + entry.bytes, written=written)
    return found


def _readable(store: Store, parts: Mapping[str, Item]) -> Iterator[tuple[ArtifactRef, Artifact]]:
    for ref in store.refs():
        if _key(ref) in parts:
            with suppress(CorruptArtifactError, MissingArtifactError):
                yield ref, store.open(ref)


def _needed(
    store: Store, limits: Limits, artifacts: Mapping[ArtifactRef, Artifact]
) -> tuple[Needed, dict[ArtifactRef, Reason]]:
    """Give what recipes, pins and reports need, and then the generations of those models that stay."""
    results = list(roots_of_results(store))
    pins = [dataclasses.replace(root, group="pinned") for root in results if root.ref in set(pinned(store))]
    reports = [root for root in results if root.group == "reports"]
    needed = needed_by(store, [*roots_of_recipes(store, limits.keep_history), *pins, *reports])
    generations = [root for root in results if root.group == "generations"]
    by_kept = [root for root in generations if _models_stay(artifacts, root.ref, needed.artifacts)]
    needed = needed_by(store, by_kept, needed)
    reasons: dict[ArtifactRef, Reason] = {ref: root.group for ref, root in needed.artifacts.items()}
    for root in generations:
        if _music_of(artifacts, root.ref) is None:  # nobody knows whose music it is: `verify` names what is missing
            reasons.setdefault(root.ref, "other")
    return needed, reasons


def _models_stay(
    artifacts: Mapping[ArtifactRef, Artifact], generation: ArtifactRef, kept: Collection[ArtifactRef]
) -> bool:
    """Whether the models that made a generation stay anyway."""
    music = _music_of(artifacts, generation)
    return music is not None and all(ref in kept for ref in music.inputs)


def _music_of(artifacts: Mapping[ArtifactRef, Artifact], generation: ArtifactRef) -> Artifact | None:
    made = artifacts.get(generation)
    return artifacts.get(made.inputs[0]) if made else None


def _add_what_follows(artifacts: Mapping[ArtifactRef, Artifact], reasons: dict[ArtifactRef, Reason]) -> None:
    """Let those artifacts stay whose inputs all stay, and that are worth it."""
    for kind in WITH_ITS_INPUTS:  # in an order in which none comes before its inputs
        for ref, artifact in artifacts.items():
            if ref.kind == kind and ref not in reasons and all(one in reasons for one in artifact.inputs):
                reasons[ref] = reasons[artifact.inputs[0]]
    for ref in _newest_downloads(artifacts):
        reasons.setdefault(ref, "cache")


def _newest_downloads(artifacts: Mapping[ArtifactRef, Artifact]) -> Iterable[ArtifactRef]:
    """Give the newest download of each dataset, which saves the next one."""
    newest: dict[str, tuple[str, ArtifactRef]] = {}
    for ref, artifact in artifacts.items():
        if ref.kind == "downloads":
            with suppress(CorruptArtifactError):
                dataset = str(artifact.manifest["spec"].get("dataset"))
                one = (str(artifact.provenance.get("started", "")), ref)
                newest[dataset] = max(one, newest.get(dataset, one))
    return [ref for _, ref in newest.values()]


def _reason(
    part: Item,
    youngest: float,
    artifacts: Mapping[ArtifactRef, Artifact],
    reasons: Mapping[ArtifactRef, Reason],
    needed: Needed,
) -> Reason:
    name = PurePosixPath(part.key).name
    found: Reason = "unneeded"
    if part.kind == TRAININGS:
        return _of_training(name, part, youngest, artifacts, reasons)
    if part.kind == BLOBS:
        found = needed.contents[name][0].group if name in needed.contents else "unneeded"
    elif not KEY.fullmatch(name):
        return "other"
    else:
        ref = ArtifactRef(part.kind, name)
        found = reasons.get(ref, "unneeded" if part.kind in MINE else "other")
        if part.kind == "parsed" and ref in artifacts:
            contents = artifacts[ref].manifest["spec"]["contents"]
            found = "cache" if any(piece_id in needed.contents for piece_id, _ in contents) else found
    return "recent" if found == "unneeded" and part.written > youngest else found


def _of_training(
    name: str,
    part: Item,
    youngest: float,
    artifacts: Mapping[ArtifactRef, Artifact],
    reasons: Mapping[ArtifactRef, Reason],
) -> Reason:
    """Say whether the state of a training can still be wanted.

    A finished training goes on only with a constant learning rate; an unfinished one is wanted for as long as it is young.
    """
    key = name.partition(".")[0]
    models = {ref: artifact for ref, artifact in artifacts.items() if ref.kind == MODEL}
    finished = {state: ref for ref, artifact in models.items() for state in direct_states(artifact)}
    if name.endswith(".npz") and key in finished and _is_constant(models[finished[key]]):
        wanting = [ref for ref, artifact in models.items() if key in direct_states(artifact) and ref in reasons]
        return reasons[wanting[0]] if wanting else "unneeded"
    if key in finished or ArtifactRef(MODEL, key) in models:
        return "unneeded"
    return "recent" if part.written > youngest else "unneeded"


def direct_states(model: Artifact) -> Iterator[str]:
    """Give the keys under which the state of a finished training may lie."""
    yield model.ref.key
    if _is_constant(model):
        identity = {name: model.manifest[name] for name in IDENTITY_FIELDS}
        training = {key: value for key, value in identity["spec"]["training"].items() if key != "epochs"}
        yield digest({**identity, "spec": {**identity["spec"], "training": training}})


def _is_constant(model: Artifact) -> bool:
    return bool(model.manifest["spec"]["training"].get("schedule") == "constant")


def _inputs(artifacts: Mapping[ArtifactRef, Artifact], key: str) -> tuple[str, ...]:
    kind, _, name = key.partition("/")
    if not KEY.fullmatch(name) or kind in NO_KINDS:
        return ()
    found = artifacts.get(ArtifactRef(kind, name))
    return tuple(map(_key, found.inputs)) if found else ()


def _key(ref: ArtifactRef) -> str:
    return f"{ref.kind}/{ref.key}"

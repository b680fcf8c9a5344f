"""What a storage needs and lacks: each file and folder that is gone, why it is needed, and what to do."""

import contextlib
from collections.abc import Iterator

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.stages.music.names import KIND as GENERATIONS
from lstm_music.stages.training.scorecard import KIND as SCORECARD
from lstm_music.stages.upkeep.needs import REPORTS, Needed, Root, needed_by, roots_of_recipes, roots_of_results
from lstm_music.stages.upkeep.pins import PINS, pinned
from lstm_music.store import ArtifactRef, BadFile, Store
from lstm_music.store.blobs import blob_key
from lstm_music.store.current_file import CURRENT_FILE

MADE_BY = {
    "inputs": "ingest",
    "notes": "prepare",
    "events": "prepare",
    "dataset": "prepare",
    "model": "train",
    "scorecard": "train",
}
"""Kind of an artifact → the command that makes it; all others are made by `generate`."""


def find_missing(store: Store) -> list[BadFile]:
    """Name each file and folder that current.json or a result needs and that is not there, the most needed first."""
    if not store.is_begun():
        return []
    lost = list(lost_current_file(store))
    roots: list[Root] = []
    with contextlib.suppress(CorruptArtifactError):  # `Store.verify` names it
        roots += roots_of_recipes(store)
    try:
        roots += [Root(ref, "pinned", "a result that is kept") for ref in pinned(store)]
    except CorruptArtifactError as error:
        lost.append(BadFile(store.shown(f"{GENERATIONS}/{PINS}"), str(error).partition(": ")[2]))
    needed = needed_by(store, [*roots, *roots_of_results(store)])
    return [*lost, *_artifacts(store, needed), *_contents(store, needed)]


def lost_current_file(store: Store) -> Iterator[BadFile]:
    """Name current.json where it is gone though models were promoted: music was made, or scored models are no experiment's."""
    if store.holds(CURRENT_FILE):
        return
    cards = set(store.refs(SCORECARD)) - set(inputs_of_reports(store))
    what = "generations" if any(store.refs(GENERATIONS)) else "scored models" if cards else ""
    if what:
        yield BadFile(
            store.shown(CURRENT_FILE),
            f"missing: it says which models are promoted, and the storage holds {what}; run `lstm-music repair`",
        )


def inputs_of_reports(store: Store) -> Iterator[ArtifactRef]:
    """List what the reports of experiments were made from: models and score cards of no recipe's."""
    for ref in store.refs(REPORTS):
        try:
            yield from store.open(ref).inputs
        except (CorruptArtifactError, MissingArtifactError):
            continue


def _artifacts(store: Store, needed: Needed) -> Iterator[BadFile]:
    for ref in needed.missing:
        root = needed.artifacts[ref]
        recipe = f" --recipe {root.recipe}" if root.recipe else ""
        what = "missing" if store.entries(f"{ref.kind}/{ref.key}") == {} else "its manifest.json is missing"
        yield BadFile(
            store.shown(f"{ref.kind}/{ref.key}"),
            f"{what}: {_needed_for(ref, root)}; make it again from the same music with "
            f"`lstm-music {MADE_BY.get(ref.kind, 'generate')}{recipe}`, or restore it from a backup",
        )


def _needed_for(ref: ArtifactRef, root: Root) -> str:
    return f"it is {root.why}" if ref == root.ref else f"{root.why} needs it"


def _contents(store: Store, needed: Needed) -> Iterator[BadFile]:
    there = store.entries("blobs")
    for sha256, (root, row) in needed.contents.items():
        if blob_key(sha256) not in there:
            yield BadFile(
                store.shown(blob_key(sha256)),
                f"missing: the bytes of {row.name}, which {root.why} needs; ingest its source again "
                f"({row.source}) with `lstm-music ingest`",
            )

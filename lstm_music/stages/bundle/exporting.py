"""Promoted models of a storage → a bundle."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from lstm_music.bundle import Contents, Keys, Manifest, read_bundle, write_bundle
from lstm_music.bundle.card import NO_LICENCE, Described, model_card
from lstm_music.bundle.manifest import CARD
from lstm_music.bundle.writing import require_place
from lstm_music.errors import BundleError
from lstm_music.recipe import Recipe
from lstm_music.stages.bundle.excerpts import choose_excerpts
from lstm_music.stages.bundle.trimming import Whole, reached, trim
from lstm_music.stages.current import kept_form, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.copies import index_copies
from lstm_music.stages.music.reference import excerpt_events, measure_reference
from lstm_music.stages.training.scorecard import read_card
from lstm_music.stages.upkeep.lineage import pieces_behind
from lstm_music.store import Artifact, ArtifactRef, Store
from lstm_music.store.artifact import ARTIFACT
from lstm_music.store.checksummed import dump_checksummed
from lstm_music.store.stage import MANIFEST, PROVENANCE

LENGTHS = (1.0, 0.25, 2.0)
"""For results of these lengths held-out music is measured, as shares of the recipe's `num_events`."""

_TOLD = ("started", "recipe")
"""What of a provenance a bundle keeps: the rest differs from run to run."""


@dataclass(frozen=True)
class Exported:
    """A bundle that was written: its manifest, its bytes, and the names of the prompts inside."""

    manifest: Manifest
    bytes: int
    prompts: list[str]


def export_bundle(
    store: Store,
    recipe: Recipe,
    path: Path,
    *,
    with_copy_index: bool = False,
    licence: str = NO_LICENCE,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> Exported:
    """Write the promoted models of a recipe, with what generation needs, to one file.

    The same models and options give the same bytes. Raises MissingArtifactError if the recipe has no promoted models,
    NotEnoughMusicError if no held-out piece has a prompt, BundleError if the file cannot be written, or if these models came in a
    bundle themselves.
    """
    require_place(path)
    recipe = recipe.model_copy(update={"start": None})  # the models that it started from stay here
    promoted = require_promoted(store, recipe.name)
    dataset = load_dataset(store, promoted.dataset)
    if dataset.is_bundled:
        raise BundleError(
            f"recipe {recipe.name!r}: its models came in a bundle, without the music that a new one needs; give that bundle away"
        )
    on_stage("Choosing prompts")
    excerpts = choose_excerpts(store, dataset, recipe)
    on_stage("Measuring held-out music")
    references = _references(store, dataset, recipe)
    pieces = [
        {key: value for key, value in piece.items() if key != "dataset"} for piece in pieces_behind(store, dataset.ref)
    ]
    whole = Whole(store, recipe, promoted, excerpts, references, pieces, with_copy_index)
    on_stage("Writing the bundle")
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch:
        small = Store(Path(scratch, "storage"))
        kept = trim(whole, small)
        started = store.open(promoted.scorecard).provenance["started"]
        members = _members(small, reached(small, kept), started)
        contents = Contents(
            name=recipe.name,
            recipe=kept_form(recipe),
            promoted=Keys(**kept.to_json()),
            has_copy_index=with_copy_index,
            made_with=_made_with(store, promoted.models.values()),
        )
        card = model_card(_described(whole, contents, licence))
        manifest = write_bundle(path, contents, {**members, CARD: card.encode()})
        read_bundle(path, Path(scratch, "again"))  # what was written can be read
    return Exported(manifest, path.stat().st_size, [one.name for one in excerpts])


def _references(store: Store, dataset: Dataset, recipe: Recipe) -> list[ArtifactRef]:
    """Measure held-out music of several lengths, but those that are one because the pieces are shorter."""
    copies = index_copies(store, dataset.ref)
    asked = [max(round(share * recipe.generation.num_events), 1) for share in LENGTHS]
    distinct = {excerpt_events(dataset, events): events for events in reversed(asked)}
    return [measure_reference(store, dataset.ref, copies, distinct[events]) for events in sorted(distinct)]


def _members(small: Store, refs: Iterable[ArtifactRef], started: str) -> dict[str, bytes]:
    """Give the files of artifacts and the bytes of prompts, by their keys in a storage."""
    members: dict[str, bytes] = {}
    for ref in refs:
        artifact, at = small.open(ref), f"{ref.kind}/{ref.key}"
        for file in artifact.files():
            members[f"{at}/{file.name}"] = file.read_bytes()
        members[f"{at}/{MANIFEST}"] = (artifact.folder / MANIFEST).read_bytes()
        members[f"{at}/{PROVENANCE}"] = dump_checksummed(_provenance(artifact, started))
    for key in small.entries("blobs"):
        members[key] = small.get_blob(key.rpartition("/")[2])
    return members


def _provenance(artifact: Artifact, started: str) -> dict[str, Any]:
    kept = {**artifact.provenance, "started": started}
    return {name: kept[name] for name in _TOLD if name in kept} | {ARTIFACT: artifact.ref.to_json()}


def _made_with(store: Store, models: Iterable[ArtifactRef]) -> dict[str, str]:
    libraries: dict[str, str] = {}
    for ref in models:
        libraries |= store.open(ref).manifest["libraries"]
    return {"lstm-music": metadata.version("lstm-music"), **dict(sorted(libraries.items()))}


def _described(whole: Whole, contents: Contents, licence: str) -> Described:
    parameters = {name: whole.store.open(ref).counts["parameters"] for name, ref in whole.promoted.models.items()}
    prompts: list[Mapping[str, Any]] = [
        {"name": one.name, "composer": one.composer, "source": one.source, "licence": one.licence}
        for one in whole.excerpts
    ]
    return Described(
        contents.name,
        licence,
        contents.recipe,
        read_card(whole.store, whole.promoted.scorecard),
        parameters,
        whole.training,
        prompts,
        whole.has_copy_index,
        contents.made_with,
    )

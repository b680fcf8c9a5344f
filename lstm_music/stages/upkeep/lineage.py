"""Where a result comes from: from a generation back to its models, its dataset, and every piece that they learnt from."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from lstm_music.errors import LstmMusicError, MissingArtifactError
from lstm_music.stages.data.bundled import learnt_pieces
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.data.notes import iterate_pieces
from lstm_music.stages.music.names import read_names
from lstm_music.stages.training.trained import KIND as MODEL
from lstm_music.stages.training.trained import start_of
from lstm_music.store import Artifact, ArtifactRef, Store

Lineage = dict[str, Any]
FIELDS = ("piece_id", "name", "composer", "source", "licence", "format", "music_hash")


def lineage_of(store: Store, generation: ArtifactRef) -> Lineage:
    """Tell where a generation comes from, as JSON: `result`, `models`, `pieces` and `stages`.

    `pieces` has each piece of each dataset that its models were trained on, with its split there; `stages` each artifact on the
    way, with the versions of code and libraries that made it. Raises MissingArtifactError where one of them is gone.
    """
    artifact = store.open(generation)
    music = store.open(artifact.inputs[0])
    models = list(_with_starts(store, [ref for ref in music.inputs if ref.kind == MODEL]))
    pieces: dict[str, dict[str, Any]] = {}
    for dataset in dict.fromkeys([music.inputs[0], *(store.open(ref).inputs[0] for ref in models)]):
        for piece in pieces_of(store, dataset):
            pieces.setdefault(piece["sha256"], piece)
    roots = [generation, *models]
    return {
        "result": {
            "name": read_names(store).of(generation) or generation.key[:16],
            "key": generation.key,
            "recipe": artifact.facts["recipe"],
            "command": artifact.facts["command"],
            "random_seed": artifact.facts["random_seed"],
            "prompts": [one.get("prompt_piece") for one in artifact.facts["results"]],
            "prompt_midi": music.manifest["spec"].get("prompt_midi"),
            **({"melody": melody} if (melody := music.manifest["spec"].get("melody")) else {}),
        },
        "models": [_model(store, ref) for ref in models],
        "pieces": sorted(pieces.values(), key=lambda one: (one["split"], one["name"])),
        "stages": [_stage(store.open(ref)) for ref in _ancestors(store, roots)],
    }


def _with_starts(store: Store, models: Iterable[ArtifactRef]) -> Iterator[ArtifactRef]:
    """Give models and the earlier ones that their trainings started from, as far as these are kept."""
    for ref in models:
        now: ArtifactRef | None = ref
        while now is not None and store.has(now):
            yield now
            now = start_of(store, now)
    missing = [ref for ref in models if not store.has(ref)]
    if missing:
        raise MissingArtifactError(f"{store.shown(f'{MODEL}/{missing[0].key}')}: missing; run `lstm-music verify`")


def _model(store: Store, ref: ArtifactRef) -> dict[str, Any]:
    artifact = store.open(ref)
    start = start_of(store, ref)
    return {
        "name": artifact.manifest["spec"]["name"],
        "key": ref.key,
        "dataset": artifact.inputs[0].key,
        "start": start and start.key,
        "epochs": artifact.counts["epochs"],
        "best_epoch": artifact.counts["best_epoch"],
        "parameters": artifact.counts["parameters"],
        "random_seed": artifact.manifest["spec"]["random_seed"],
        "held_out_nll": artifact.facts["held_out_nll"],
    }


def pieces_of(store: Store, ref: ArtifactRef) -> Iterator[dict[str, Any]]:
    """Give each piece of a dataset with its split, its credits, and the size and SHA-256 of its bytes.

    For the dataset of a bundle these are the pieces that its models learnt from, which it does not have.
    """
    dataset = load_dataset(store, ref)
    if dataset.is_bundled:
        yield from ({**piece, "dataset": ref.key} for piece in learnt_pieces(dataset.artifact))
        return
    splits = {span.piece_id: split for split, spans in dataset.spans.items() for span in spans}
    sizes = {row.piece_id: row.bytes for row in read_inputs(store, dataset.notes_ref)}
    for row in iterate_pieces(store, dataset.notes_ref, FIELDS):
        sha256 = row.pop("piece_id")
        split = splits.get(sha256, "no events")
        yield {"split": split, **row, "bytes": sizes.get(sha256, 0), "sha256": sha256, "dataset": ref.key}


def pieces_behind(store: Store, ref: ArtifactRef) -> Iterator[dict[str, Any]]:
    """Give each piece of a dataset, and of the datasets that it goes on from, once, as `pieces_of` does."""
    seen = set[str]()
    for dataset in (ref, *store.open(ref).inputs[2:]):
        for piece in pieces_of(store, dataset) if dataset == ref else pieces_behind(store, dataset):
            if piece["sha256"] not in seen:
                seen.add(piece["sha256"])
                yield piece


def _ancestors(store: Store, roots: Iterable[ArtifactRef]) -> Iterator[ArtifactRef]:
    """List what artifacts were made from, themselves first; earlier models that are gone are left out."""
    todo, seen = list(roots), set()
    while todo:
        ref = todo.pop(0)
        if ref not in seen and store.has(ref):
            seen.add(ref)
            yield ref
            todo += store.open(ref).inputs


def _stage(artifact: Artifact) -> dict[str, Any]:
    provenance: Mapping[str, Any] = {}
    with suppress(LstmMusicError):
        provenance = artifact.provenance
    return {
        **artifact.ref.to_json(),
        "format_version": artifact.manifest["format_version"],
        "libraries": artifact.manifest["libraries"],
        "code": provenance.get("code", ""),
        "python": provenance.get("python", ""),
        "platform": provenance.get("platform", ""),
        "made": provenance.get("started", ""),
    }

"""What needs what: from current.json and the generations along the manifests down to the bytes of the music."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.ingest import ACCEPTED, Input, read_inputs
from lstm_music.stages.data.notes import notes_stage
from lstm_music.stages.music.names import KIND as GENERATIONS
from lstm_music.stages.music.names import read_names
from lstm_music.stages.training.trained import KIND as MODEL
from lstm_music.store import Artifact, ArtifactRef, Store

Group = Literal["promoted", "history", "prepared", "pinned", "generations", "reports", "recent"]
"""Why something stays, the strongest reason first; `recent` is too young to go."""

REPORTS = "reports"


@dataclass(frozen=True)
class Root:
    """An artifact that somebody asked for, and why it is needed, as in "the promoted note model of recipe demo"."""

    ref: ArtifactRef
    group: Group
    why: str
    recipe: str = ""


@dataclass
class Needed:
    """All that some roots need: each artifact and each content, by the first root that needs it.

    `missing` has those of the artifacts that are not there, `damaged` the errors of those that cannot be read.
    """

    artifacts: dict[ArtifactRef, Root] = field(default_factory=dict)
    contents: dict[str, tuple[Root, Input]] = field(default_factory=dict)
    missing: list[ArtifactRef] = field(default_factory=list)
    damaged: list[CorruptArtifactError] = field(default_factory=list)


def direct_needs(artifact: Artifact) -> tuple[ArtifactRef, ...]:
    """Give the inputs without which an artifact is of no use.

    A model needs its dataset. The model that its training started from is part of its key, and of no other use to it.
    """
    return artifact.inputs[:1] if artifact.ref.kind == MODEL else artifact.inputs


def needed_by(store: Store, roots: Iterable[Root], found: Needed | None = None) -> Needed:
    """Follow what roots need, in their order, and add it to `found`. What is damaged is needed, and leads no further."""
    found = found or Needed()
    for root in roots:
        todo = [root.ref]
        while todo:
            ref = todo.pop()
            if ref not in found.artifacts:
                found.artifacts[ref] = root
                todo += _visit(store, ref, root, found)
    return found


def _visit(store: Store, ref: ArtifactRef, root: Root, found: Needed) -> list[ArtifactRef]:
    try:
        artifact = store.open(ref)
        if ref.kind == "inputs":
            for row in read_inputs(store, ref):
                if row.status == ACCEPTED:
                    found.contents.setdefault(row.piece_id, (root, row))
    except CorruptArtifactError as error:
        found.damaged.append(error)
        return []
    except MissingArtifactError:
        found.missing.append(ref)
        return []
    return list(reversed(direct_needs(artifact)))


def roots_of_recipes(store: Store, history: int | None = None) -> Iterator[Root]:
    """List what current.json names, of all recipes: what is promoted, then the last `history` before, then what is prepared."""
    facts = {recipe: store.current(recipe) or {} for recipe in store.recipes()}
    for recipe, kept in facts.items():
        if kept.get("promoted"):
            yield from _of_promoted(kept["promoted"], "promoted", "promoted", recipe)
    for recipe, kept in facts.items():
        earlier = kept.get("earlier", [])
        for number, one in enumerate(
            reversed(earlier[-history:] if history else earlier if history is None else []), 1
        ):
            yield from _of_promoted(one, "history", "earlier" if number == 1 else f"{number} times earlier", recipe)
    for recipe, kept in facts.items():
        yield from _of_prepared(store, kept, recipe)


def _of_promoted(kept: Mapping[str, Any], group: Group, word: str, recipe: str) -> Iterator[Root]:
    promoted = Promoted.of_json(kept)
    for name, ref in promoted.models.items():
        yield Root(ref, group, f"the {word} {name} model of recipe {recipe}", recipe)
    yield Root(promoted.scorecard, group, f"the score card of the {word} models of recipe {recipe}", recipe)
    yield Root(promoted.dataset, group, f"the dataset of the {word} models of recipe {recipe}", recipe)


def _of_prepared(store: Store, kept: Mapping[str, Any], recipe: str) -> Iterator[Root]:
    for kind, key in kept.get("prepared", {}).items():
        yield Root(ArtifactRef(kind, key), "prepared", f"the prepared data of recipe {recipe} ({kind})", recipe)
    seen = kept.get("seen") or kept.get("heard")  # "heard" until version 0.1
    if seen is not None:
        inputs = ArtifactRef("inputs", seen["inputs"])
        notes = notes_stage(inputs).ref  # with other libraries than then it is another one, which may not be there
        why = f"the music that recipe {recipe} was trained on last"
        yield from (Root(ref, "prepared", why, recipe) for ref in (inputs, notes) if ref == inputs or store.has(ref))


def roots_of_results(store: Store) -> Iterator[Root]:
    """List the results that people open: the generations and the reports, by their names."""
    names = read_names(store)
    for ref in store.refs(GENERATIONS):
        yield Root(ref, "generations", f"the generation {names.of(ref) or ref.key[:16]}")
    for ref in store.refs(REPORTS):
        yield Root(ref, "reports", f"the report {ref.key[:16]}")

"""Forward from a piece: which artifacts hold it, and which were made from those."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

from lstm_music.errors import LstmMusicError, MissingArtifactError
from lstm_music.sources.archive import Archive
from lstm_music.sources.books import pieces_of
from lstm_music.sources.entry import Found
from lstm_music.stages.data.bundled import is_bundled, learnt_pieces
from lstm_music.stages.data.forgotten import read_forgotten
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.store import Artifact, ArtifactRef, Store
from lstm_music.store.stage import KEY


def find_contents(store: Store, text: str) -> dict[str, str]:
    """Give the contents that a text means, as SHA-256 → name: a name, the end of one, or a SHA-256.

    All contents that ever had exactly this name are meant. Raises MissingArtifactError where there is none, or where only the
    ends of several names are so.
    """
    names = dict(_names(store))
    if KEY.fullmatch(text):
        return {text: names.get(text, (text,))[0]}
    exact = {sha256: text for sha256, known in names.items() if text in known}
    if exact:
        return exact
    loose = {sha256: name for sha256, known in names.items() for name in known if _ends_with(name, text)}
    if len(set(loose.values())) == 1:
        return loose
    if loose:
        shown = ", ".join(sorted(set(loose.values()))[:5])
        raise MissingArtifactError(f"piece {text!r}: several pieces have a name like this; expected one of {shown}")
    raise MissingArtifactError(
        f"piece {text!r}: unknown in {store.where}; expected a name of the table of inputs "
        "(storage/latest/inputs.parquet), or the SHA-256 of a file"
    )


def _ends_with(name: str, text: str) -> bool:
    path = PurePosixPath(name)
    return name.endswith(f"/{text}") or text in {path.name, path.stem}


def _names(store: Store) -> Iterator[tuple[str, tuple[str, ...]]]:
    found: dict[str, dict[str, None]] = {}
    for kind in ("inputs", "notes"):
        for ref in store.refs(kind):
            with suppress(LstmMusicError):
                for row in read_inputs(store, ref):
                    if row.piece_id:
                        found.setdefault(row.piece_id, {})[row.name] = None
    for ref in store.refs("dataset"):
        with suppress(LstmMusicError):
            dataset = store.open(ref)
            for piece in learnt_pieces(dataset) if is_bundled(dataset) else ():
                found.setdefault(piece["sha256"], {})[piece["name"]] = None
    for sha256, name in read_forgotten(store).items():
        found.setdefault(sha256, {})[name] = None
    yield from ((sha256, tuple(names)) for sha256, names in found.items())


def artifacts_with(store: Store, contents: Collection[str]) -> dict[ArtifactRef, Artifact]:
    """Give the artifacts that hold contents or were made from such, in no order; a damaged one that may be so is among them.

    A model learnt what its dataset holds, and what the model that it started from had learnt.
    """
    everything: dict[ArtifactRef, Artifact] = {}
    for ref in store.refs():
        with suppress(LstmMusicError):
            everything[ref] = store.open(ref)
    found = {ref: one for ref, one in everything.items() if _holds(store, one, contents)}
    growing = True
    while growing:
        more = {
            ref: one
            for ref, one in everything.items()
            if ref not in found and any(needed in found for needed in one.inputs)
        }
        found |= more
        growing = bool(more)
    return found


def _holds(store: Store, artifact: Artifact, contents: Collection[str]) -> bool:
    """Whether an artifact holds contents by itself, and not by what it was made from."""
    spec: Mapping[str, object] = artifact.manifest["spec"]
    match artifact.ref.kind:
        case "inputs":
            return any(row.piece_id in contents for row in read_inputs(store, artifact.ref))
        case "parsed":
            return any(piece_id in contents for piece_id, _ in artifact.manifest["spec"]["contents"])
        case "music":
            files = (spec.get("prompt_midi"), spec.get("melody"))
            return any(isinstance(file, dict) and file.get("sha256") in contents for file in files)
        case "dataset" if is_bundled(artifact):
            return any(piece["sha256"] in contents for piece in learnt_pieces(artifact))
        case "downloads":
            entries = pieces_of(Archive(str(artifact.file("dataset"))).entries())
            return any(isinstance(one, Found) and hashlib.sha256(one.data).hexdigest() in contents for one in entries)
        case _:
            return False

"""Source → raw: each distinct content once under its SHA-256, and one row for every input of what became of it."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from lstm_music.errors import NotEnoughMusicError
from lstm_music.parquet import read_table, write_table
from lstm_music.recipe import Recipe
from lstm_music.sources.catalogue import fetch_source
from lstm_music.sources.entry import Found, Ignored, Refused, Report, Source, music_format
from lstm_music.store import ArtifactRef, Stage, Store
from lstm_music.store.backend import is_url

KIND = "inputs"
ACCEPTED, DUPLICATE, REJECTED = "accepted", "duplicate", "rejected"

INPUTS_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("status", pa.string()),  # accepted, duplicate or rejected
        ("reason", pa.string()),  # "" where accepted
        ("piece_id", pa.string()),  # SHA-256 of the content; "" where it was never read
        ("format", pa.string()),  # midi, musicxml, abc or kern
        ("bytes", pa.int64()),
        ("composer", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
    ],
)


@dataclass(frozen=True, slots=True)
class Input:
    """One input and what became of it: a row of the table of inputs."""

    name: str
    status: str
    reason: str
    piece_id: str
    format: str
    bytes: int
    composer: str
    source: str
    licence: str


def ingest(
    store: Store,
    recipe: Recipe,
    source: str,
    others: Counter[str] | None = None,
    report: Report = lambda _here, _all: None,
) -> ArtifactRef:
    """Take in what a source holds and the recipe includes; give the reference of the table of inputs.

    A content that was there before is kept once. What is no input is counted in `others`, as "ignored" (no music by its name)
    or "left_out" (by the recipe): it must not decide the key, or a readme would be a reason to train again. `report` hears how
    many bytes of a download are here, and of how many. Raises SourceError where there is no such source, or no way to it, and
    NotEnoughMusicError where it holds no input at all.
    """
    opened = fetch_source(source, store, report)
    counts: Counter[str] = Counter() if others is None else others
    with store.blobs() as keep:
        inputs = list(rows_of(recipe, opened, keep, counts))
    if not inputs:
        if counts["left_out"]:
            raise NotEnoughMusicError(
                f"source {source!r}: recipe {recipe.name!r} takes only {_wanted(recipe)} and leaves out all of its "
                f"{counts['left_out']} music files; another recipe, or another `include`, would be right",
            )
        raise NotEnoughMusicError(_no_music(source, counts["ignored"]))
    return write_inputs(store, inputs)


def write_inputs(store: Store, inputs: Sequence[Input]) -> ArtifactRef:
    """Write a table of inputs; their order is theirs to keep."""
    stage = Stage(KIND, 1, {"inputs": _digest(inputs)}, libraries=("pyarrow",))
    if not store.has(stage.ref):
        with store.write(stage) as writer:
            write_table(writer.file("inputs", "parquet"), table_of_inputs(inputs))
            writer.counts.update(inputs=len(inputs))
    return stage.ref


def read_inputs(store: Store, ref: ArtifactRef) -> list[Input]:
    """Read the table of inputs back, in the order of their names."""
    table = read_table(store.open(ref).file("inputs"))
    return list(map(Input, *(_shared(table.column(name).to_pylist()) for name in INPUTS_SCHEMA.names)))


def _shared(values: list[Any]) -> list[Any]:
    """Give the same values with one object for equal ones: of a hundred thousand inputs many have the same composer."""
    known: dict[Any, Any] = {}
    return [known.setdefault(value, value) for value in values]


def table_of_inputs(rows: Sequence[Input]) -> pa.Table:
    """Write inputs as a table of `INPUTS_SCHEMA`."""
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in INPUTS_SCHEMA]
    return pa.Table.from_arrays(columns, schema=INPUTS_SCHEMA)


def rows_of(
    recipe: Recipe,
    source: Source,
    keep: Callable[[bytes], str],
    counts: Counter[str],
    beside: Iterable[Input] = (),
) -> Iterator[Input]:
    """Give a row for each input, in the order of names; what is no input is counted.

    `keep` is given each content, and gives its SHA-256; a content that is accepted in the rows `beside` is a duplicate here.
    """
    first_name = {row.piece_id: row.name for row in beside if row.status == ACCEPTED}
    for entry in source.entries():
        if isinstance(entry, Ignored):
            counts["ignored"] += 1
        elif not recipe.takes(entry.name, None if isinstance(entry, Refused) else _sha256(entry.data, recipe)):
            counts["left_out"] += 1
        elif isinstance(entry, Refused):
            yield _row(source, entry.name, REJECTED, entry.reason)
        elif recipe.events.reading != "exact" and _format(entry.name, entry) != "midi":
            yield _row(
                source, entry.name, REJECTED, f"is no MIDI file, which the reading {recipe.events.reading!r} is of"
            )
        else:
            piece_id = keep(entry.data)
            if piece_id not in first_name:
                first_name[piece_id] = entry.name
                yield _row(source, entry.name, ACCEPTED, "", piece_id, entry)
            else:
                reason = f"has the same content as {first_name[piece_id]}"
                yield _row(source, entry.name, DUPLICATE, reason, piece_id, entry)


def _sha256(data: bytes, recipe: Recipe) -> str | None:
    """The digest of a content, where the recipe wants to know it."""
    return hashlib.sha256(data).hexdigest() if recipe.contents else None


def _row(source: Source, name: str, status: str, reason: str, piece_id: str = "", found: Found | None = None) -> Input:
    credit = source.describe(name)
    return Input(
        name=name,
        status=status,
        reason=reason,
        piece_id=piece_id,
        format=_format(name, found),
        bytes=len(found.data) if found else 0,
        composer=credit.composer,
        source=credit.source,
        licence=credit.licence,
    )


def _format(name: str, found: Found | None) -> str:
    """Say what reads an input: MIDI by its first bytes, whatever it is called; else what its name says."""
    is_midi = found is not None and found.data[:4] in {b"MThd", b"RIFF"}
    return "midi" if is_midi else music_format(name) or ""


def _no_music(source: str, others: int) -> str:
    """Say that a source holds no music, but so many other files, and what would be right."""
    holds = f"holds no music, only {others} other files" if others or not is_url(source) else "nothing lies below it"
    wanted = "the URL of a folder (a prefix) with unpacked" if is_url(source) else "a folder or zip with"
    return f"source {source!r}: {holds}; {wanted} .mid, .musicxml, .abc or .krn files would be right"


def missing(recipe: Recipe, inputs: Sequence[Input]) -> list[str]:
    """Name the contents that a recipe asks for and no input has."""
    found = {row.piece_id for row in inputs}
    return [name for sha256, name in recipe.contents.items() if sha256 not in found]


def _wanted(recipe: Recipe) -> str:
    """Say what a recipe includes, in a few words."""
    patterns = [wanted for wanted in recipe.include if isinstance(wanted, str)]
    contents = [f"{len(recipe.contents)} files known by their contents"] if recipe.contents else []
    return ", ".join([*patterns, *contents])


def _digest(inputs: Sequence[Input]) -> str:
    content = hashlib.sha256()
    for row in inputs:
        content.update(repr(tuple(asdict(row).values())).encode())
    return content.hexdigest()

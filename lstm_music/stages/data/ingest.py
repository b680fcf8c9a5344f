"""Source → raw content: stores each distinct content once under its SHA-256, and lists every input with its status.

The names and reasons in this list decide the key of `inputs` (see `_digest`). Changing the wording of a reason here, in the
sources or in `midi.zip_member` changes that key, and everything that depends on it is made again.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from lstm_music.errors import NotEnoughMusicError
from lstm_music.midi.containers import is_midi
from lstm_music.parquet import read_table, write_table
from lstm_music.recipe import Recipe
from lstm_music.scores.spec import InputReading
from lstm_music.sources.books import credit_of, pieces_of
from lstm_music.sources.catalogue import fetch_source
from lstm_music.sources.entry import Found, Ignored, Refused, Report, Source, music_format
from lstm_music.stages.data.forgotten import read_forgotten
from lstm_music.store import ArtifactRef, Stage, Store
from lstm_music.store.backend import is_url

KIND = "inputs"
ACCEPTED, DUPLICATE, REJECTED = "accepted", "duplicate", "rejected"

INPUTS_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("status", pa.string()),  # accepted, duplicate or rejected
        ("reason", pa.string()),  # "" if accepted
        ("piece_id", pa.string()),  # SHA-256 of the content; "" if it was never read
        ("format", pa.string()),  # midi, musicxml, abc or kern
        ("bytes", pa.int64()),
        ("composer", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
    ],
)


@dataclass(frozen=True, slots=True)
class Input:
    """One input and its status: a row of the table of inputs."""

    name: str
    status: str
    reason: str
    piece_id: str
    format: str
    bytes: int
    composer: str
    source: str
    licence: str
    warnings: tuple[str, ...] = ()  # known after reading


FINAL_SCHEMA = INPUTS_SCHEMA.append(pa.field("warnings", pa.list_(pa.string())))
"""Of the table of inputs beside the note table: what could not be read of an accepted input."""


def ingest(
    store: Store,
    recipe: Recipe,
    source: str,
    others: Counter[str] | None = None,
    report: Report = lambda _here, _all: None,
) -> ArtifactRef:
    """Store the files of a source that the recipe includes; return the reference of the table of inputs.

    A content that exists already is kept once. Other files are counted in `others`, as "ignored" (not music, by name) or
    "left_out" (by the recipe). They do not count for the key, or a new readme would cause a new training. `report` gets the
    bytes of a download so far, and the total. Raises SourceError if the source does not exist or cannot be reached, and
    NotEnoughMusicError if it has no input.
    """
    opened = fetch_source(source, store, report)
    counts: Counter[str] = Counter() if others is None else others
    forgotten = read_forgotten(store).keys()
    with store.blobs() as keep:
        inputs = list(rows_of(recipe, opened, keep, counts, forgotten=forgotten))
    if not inputs:
        if counts["left_out"]:
            raise NotEnoughMusicError(
                f"source {source!r}: recipe {recipe.name!r} includes only {_wanted(recipe)}, which matches none of "
                f"{_counted(counts['left_out'], 'music file')}; use another recipe, or change its `include`",
            )
        raise NotEnoughMusicError(_no_music(source, counts["ignored"]))
    return write_inputs(store, inputs, recipe.input_reading)


def write_inputs(
    store: Store, inputs: Sequence[Input], reading: InputReading, read_later: Sequence[str] = ()
) -> ArtifactRef:
    """Write a table of inputs in the given order, and how they are to be read.

    `read_later` are the contents that met a limit first, and were read in a later attempt.
    """
    later = {"read_later": sorted(read_later)} if read_later else {}
    stage = Stage(KIND, 1, {"inputs": _digest(inputs), **reading.changed(), **later}, libraries=("pyarrow",))
    if not store.has(stage.ref):
        with store.write(stage) as writer:
            write_table(writer.file("inputs", "parquet"), table_of_inputs(inputs))
            writer.counts.update(inputs=len(inputs))
    return stage.ref


def reading_of(store: Store, ref: ArtifactRef) -> InputReading:
    """Return how the inputs of a table are to be read."""
    spec = store.open(ref).manifest["spec"]
    return InputReading(**{name: spec[name] for name in InputReading.model_fields if name in spec})


def read_later(store: Store, ref: ArtifactRef) -> frozenset[str]:
    """Return the contents of a table that met a limit first, and were read in a later attempt."""
    return frozenset(store.open(ref).manifest["spec"].get("read_later", ()))


def read_inputs(store: Store, ref: ArtifactRef) -> list[Input]:
    """Read the table of inputs back, in the order of their names."""
    table = read_table(store.open(ref).file("inputs"))
    rows = list(map(Input, *(_shared(table.column(name).to_pylist()) for name in INPUTS_SCHEMA.names)))
    if "warnings" not in table.column_names:
        return rows
    return [
        replace(row, warnings=tuple(warnings)) if warnings else row
        for row, warnings in zip(rows, table.column("warnings").to_pylist(), strict=True)
    ]


def _shared(values: list[Any]) -> list[Any]:
    """Return the same values, with one object for equal ones. In a large table, many inputs have the same composer."""
    known: dict[Any, Any] = {}
    return [known.setdefault(value, value) for value in values]


def table_of_inputs(rows: Sequence[Input], schema: pa.Schema = INPUTS_SCHEMA) -> pa.Table:
    """Convert inputs to a table with `INPUTS_SCHEMA` or `FINAL_SCHEMA`."""
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def rows_of(
    recipe: Recipe,
    source: Source,
    keep: Callable[[bytes], str],
    counts: Counter[str],
    beside: Iterable[Input] = (),
    forgotten: AbstractSet[str] = frozenset(),
) -> Iterator[Input]:
    """Yield a row for each input, in the order of names; count the other files. A book of tunes is an input for each tune.

    `keep` stores a content and returns its SHA-256. A content that is accepted in the rows `beside` is a duplicate here. One
    that is `forgotten` has no row. The same bytes in another format are no duplicate yet: perhaps only one of the formats can be
    read.
    """
    first_name = {(row.piece_id, row.format): row.name for row in beside if row.status == ACCEPTED}
    for entry in pieces_of(source.entries()):
        if isinstance(entry, Ignored):
            counts["ignored"] += 1
        elif forgotten and isinstance(entry, Found) and hashlib.sha256(entry.data).hexdigest() in forgotten:
            counts["forgotten"] += 1
        elif not _takes(recipe, entry):
            counts["left_out"] += 1
        elif isinstance(entry, Refused):
            yield _row(source, entry.name, REJECTED, entry.reason)
        elif recipe.events.reading != "exact" and _format(entry.name, entry) != "midi":
            yield _row(
                source, entry.name, REJECTED, f"is no MIDI file, which the reading {recipe.events.reading!r} is of"
            )
        else:
            piece_id = keep(entry.data)
            content = piece_id, _format(entry.name, entry)
            if content not in first_name:
                first_name[content] = entry.name
                yield _row(source, entry.name, ACCEPTED, "", piece_id, entry)
            else:
                yield _row(source, entry.name, DUPLICATE, same_content(first_name[content]), piece_id, entry)


def same_content(name: str) -> str:
    """Return the reason of a duplicate of the input `name`."""
    return f"has the same content as {name}"


def _takes(recipe: Recipe, entry: Found | Refused) -> bool:
    """Say whether the recipe takes an input. The name of a book stands for all its tunes."""
    if isinstance(entry, Refused):
        return recipe.takes(entry.name)
    sha256 = hashlib.sha256(entry.data).hexdigest() if recipe.contents else None
    return recipe.takes(entry.name, sha256, entry.book)


def _row(source: Source, name: str, status: str, reason: str, piece_id: str = "", found: Found | None = None) -> Input:
    of_file = source.describe(found.book or name if found else name)
    credit = credit_of(found, of_file) if found else of_file
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
    """Return the format of an input: MIDI by its first bytes, whatever its name; any other format by its name."""
    has_midi = found is not None and is_midi(found.data)
    return "midi" if has_midi else music_format(name) or ""


def _no_music(source: str, others: int) -> str:
    """Explain that a source holds no music, and which source to give."""
    is_there = others or not is_url(source)
    holds = f"holds no music, only {_counted(others, 'other file')}" if others else "is empty"
    holds = holds if is_there else "there is nothing below this URL"
    wanted = "the URL of a folder (a prefix) with unpacked" if is_url(source) else "a folder or zip with"
    return f"source {source!r}: {holds}; give {wanted} .mid, .musicxml, .abc or .krn files"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def missing(recipe: Recipe, inputs: Sequence[Input]) -> list[str]:
    """Return the names of the contents that a recipe lists but no input has."""
    found = {row.piece_id for row in inputs}
    return [name for sha256, name in recipe.contents.items() if sha256 not in found]


def _wanted(recipe: Recipe) -> str:
    """Describe what a recipe includes, in a few words."""
    patterns = [wanted for wanted in recipe.include if isinstance(wanted, str)]
    contents = [f"{_counted(len(recipe.contents), 'file')} with given contents"] if recipe.contents else []
    return ", ".join([*patterns, *contents])


def _digest(inputs: Sequence[Input]) -> str:
    content = hashlib.sha256()
    for row in inputs:
        content.update(repr(tuple(getattr(row, name) for name in INPUTS_SCHEMA.names)).encode())
    return content.hexdigest()

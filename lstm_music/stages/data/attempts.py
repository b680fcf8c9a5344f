"""Another attempt at what met a limit: a refusal for time or memory may not hold on another day, or on another machine."""

from collections import Counter

from lstm_music.parquet import read_table
from lstm_music.stages.data.ingest import ACCEPTED, read_inputs, reading_of, write_inputs
from lstm_music.stages.data.notes import notes_stage
from lstm_music.stages.data.parse import Content, ParseBatch, parse_batch, parsed_batches
from lstm_music.store import ArtifactRef, Store


def try_again(store: Store, inputs: ArtifactRef) -> ArtifactRef:
    """Read once more what met a limit when the note table of these inputs was made.

    Returns the same inputs, or a table that says what was read now: the note table and all that follows is then made anew.
    """
    notes = notes_stage(inputs).ref
    if not store.has(notes) or not store.open(notes).counts.get("met_limit"):
        return inputs
    rows, reading = read_inputs(store, inputs), reading_of(store, inputs)
    wanted = {(row.piece_id, row.format) for row in rows if row.status == ACCEPTED}
    attempts: Counter[Content] = Counter()
    limited: set[Content] = set()
    read: set[Content] = set()
    for batch in parsed_batches(store, reading.repeats):
        mine = wanted & set(batch.contents)
        attempts.update(mine)
        met_limit, accepted = _outcome(store, batch)
        limited |= {content for content in mine if content[0] in met_limit}
        read |= {content for content in mine if content[0] in accepted}
    for content in sorted(limited - read):
        again = ParseBatch((content,), reading.repeats, attempts[content])
        parse_batch(store, again)
        if _outcome(store, again)[1]:
            read.add(content)
    later = sorted(piece_id for piece_id, _ in limited & read)
    return write_inputs(store, rows, reading, later) if later else inputs


def _outcome(store: Store, batch: ParseBatch) -> tuple[set[str], set[str]]:
    """Return the ids that met a limit, and those that were read."""
    table = read_table(store.open(batch.ref).file("pieces"), ("piece_id", "reason", "met_limit"))
    rows = table.to_pylist()
    return {row["piece_id"] for row in rows if row["met_limit"]}, {row["piece_id"] for row in rows if not row["reason"]}

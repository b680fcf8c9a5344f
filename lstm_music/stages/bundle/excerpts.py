"""Good prompts of held-out pieces as small MIDI files of their own, with their credits, for a bundle.

An excerpt begins with the bar of the first event of a prompt, and ends with the bar after its last one. It is kept only if it is
read back as it was in its piece: the same events at the same places in the same bars.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from lstm_music.encoding.events import PieceEvents
from lstm_music.errors import LstmMusicError, NotEnoughMusicError
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import AUTO
from lstm_music.midi.notes import PieceNotes, Tempo
from lstm_music.midi.reader import read_midi
from lstm_music.midi.table import from_arrow
from lstm_music.midi.titles import excerpt_stem
from lstm_music.midi.writer import write_midi
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.data.events import read_piece
from lstm_music.stages.data.notes import iterate_notes, read_some_pieces
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.segments import piece_rows
from lstm_music.store import Store

PROMPTS = 8
"""How many a bundle has, if there are so many held-out pieces."""

_TRIES = 3
"""So many times as many places are looked at: some excerpts are not read back as they were."""

_ANYTHING = {"prompt": AUTO, "composer": "", "prompt_bars": "", "meter": "", "key": "", "tempo": 0.0, "velocity": 0}
_ANY_LENGTH = {"bars": 0, "seconds": 0.0, "plan": (), "pitch_range": "", "best_of": 1}


@dataclass(frozen=True)
class Excerpt:
    """Some bars of a piece as a MIDI file, and whose they are."""

    name: str
    midi: bytes
    composer: str
    source: str
    licence: str


def choose_excerpts(store: Store, dataset: Dataset, recipe: Recipe) -> list[Excerpt]:
    """Cut the best prompts out of different held-out pieces. Raises NotEnoughMusicError if there is none."""
    spec = recipe.generation.model_copy(update={**_ANYTHING, **_ANY_LENGTH, "num_outputs": PROMPTS * _TRIES})
    ids = {row["name"]: piece_id for piece_id, row in piece_rows(store, dataset).items()}
    found: dict[str, Excerpt] = {}
    for origin in choose_prompts(store, dataset, spec, recipe.random_seed, None):
        piece_id = ids[origin.segment.name]
        if piece_id in found or len(found) == PROMPTS:
            continue
        if (excerpt := _cut(store, dataset, piece_id, origin.segment)) is not None:
            found[piece_id] = excerpt
    if not found:
        raise NotEnoughMusicError(
            "no held-out piece has a prompt that can be given away in a bundle; train on more music"
        )
    return sorted(found.values(), key=lambda one: one.name)


def _cut(store: Store, dataset: Dataset, piece_id: str, prompt: Prompt) -> Excerpt | None:
    """Cut an excerpt around a prompt; None if it is not read back as it was."""
    row = read_some_pieces(store, dataset.notes_ref, {piece_id})[piece_id]
    _, table = next(iterate_notes(store, dataset.notes_ref, {piece_id}))
    piece = from_arrow(table, row)
    raw = partial(store.get_blob, piece_id)
    events = read_piece(piece, dataset.events, name=row["name"], form=row["format"], raw=raw)
    first, stop, last_bar = _bars_around(events, prompt)
    midi = write_midi(_between(dataset, piece, events, (first, stop), prompt))
    try:
        again = read_piece(read_midi(midi), dataset.events, name=row["name"], form="midi", raw=lambda: midi)
    except LstmMusicError:
        return None
    if not _is_the_same(events, again, first, prompt):
        return None
    stem = row["name"].rpartition(".")[0] or row["name"]
    name = f"{excerpt_stem(stem, int(events.bar[first]), last_bar)}.mid"
    return Excerpt(name, midi, row["composer"], row["source"], row["licence"])


def _bars_around(events: PieceEvents, prompt: Prompt) -> tuple[int, int, int]:
    """Give the first event of the first bar of a prompt, the event behind the bar after it, and the number of that bar."""
    first = int(np.searchsorted(events.bar, events.bar[prompt.first]))
    last_bar = int(events.bar[prompt.first + len(prompt.tokens) - 1]) + 1
    stop = int(np.searchsorted(events.bar, last_bar, side="right"))
    return first, stop, int(events.bar[stop - 1])


def _between(
    dataset: Dataset, piece: PieceNotes, events: PieceEvents, bounds: tuple[int, int], prompt: Prompt
) -> PieceNotes:
    """Take the notes that make events `first` to `stop` (exclusive) of a piece, from the barline before them on."""
    steps_per_quarter, ticks = dataset.events.grid.steps_per_quarter, piece.ticks_per_quarter
    first, stop = bounds
    begin = (int(events.onset_steps[first]) - int(events.position_in_bar_steps[first])) * ticks // steps_per_quarter
    half = ticks // (2 * steps_per_quarter)  # a note is of the event of the step that is nearest to it
    onsets = piece.notes["onset_ticks"]
    is_in = onsets >= begin - half
    if stop < len(events):
        behind = int(events.onset_steps[stop]) - int(events.position_in_bar_steps[stop])
        is_in &= onsets < behind * ticks // steps_per_quarter - half
    notes = piece.notes[is_in].copy()
    notes["onset_ticks"] = np.maximum(notes["onset_ticks"] - begin, 0)
    return PieceNotes(
        ticks,
        notes,
        tempos=(Tempo(0, prompt.microseconds_per_quarter),),
        time_signatures=(prompt.time_signature,),
        key_signatures=() if prompt.key_signature is None else (prompt.key_signature,),
        track_names=piece.track_names,
    )


def _is_the_same(events: PieceEvents, again: PieceEvents, first: int, prompt: Prompt) -> bool:
    """Whether the events of a prompt are read from its excerpt as they are read from the piece."""
    begin, count = prompt.first - first, len(prompt.tokens)
    if len(again) < begin + count:
        return False
    old, new = slice(prompt.first, prompt.first + count), slice(begin, begin + count)
    names = ("note", "duration_steps", "position_in_bar_steps", "velocity")
    is_same = all(np.array_equal(getattr(events, name)[old], getattr(again, name)[new]) for name in names)
    offsets = np.array_equal(np.diff(events.onset_steps[old]), np.diff(again.onset_steps[new]))
    parts = events.part is None or again.part is None or events.part[old] == again.part[new]
    return is_same and offsets and parts

"""The notes of a file of the user's as the models read them: events in the order of the models, with an id for each value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.events import PieceEvents, encode
from lstm_music.encoding.streams import PART, VELOCITY
from lstm_music.encoding.velocities import level_texts
from lstm_music.encoding.vocabulary import UNKNOWN, Vocabulary
from lstm_music.errors import RecipeError, RejectedInputError
from lstm_music.midi.notes import PieceNotes
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.prompt_files import of_known_parts

SHOWN = 3  # notes that a sentence names

_COLUMNS = ("onset_steps", "duration_steps", "bar", "position_in_bar_steps", "velocity", "track")
_IDS = ("notes", "durations", "parts", "velocities")

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GivenEvents:
    """Events sorted by onset, part and note, and the ids of their values, int64 [events]; -1 for a stream that is not there.

    A duration and a velocity have the id of the nearest one that the models know.
    """

    events: PieceEvents
    notes: Ids
    durations: Ids
    parts: Ids
    velocities: Ids

    def __len__(self) -> int:
        return len(self.notes)

    def chosen(self, which: npt.NDArray[Any]) -> "GivenEvents":
        """Take some of them, in their order: indices, or a bool for each."""
        ids = (getattr(self, name)[which] for name in _IDS)
        return GivenEvents(_chosen(self.events, np.arange(len(self))[which]), *ids)

    def joined(self, other: "GivenEvents") -> "GivenEvents":
        """Put events behind these, which begin before them."""
        one, two = self.events, other.events
        arrays: dict[str, Any] = {name: np.concatenate([getattr(one, name), getattr(two, name)]) for name in _COLUMNS}
        arrays["offset_steps"] = np.diff(arrays["onset_steps"], prepend=0)
        part = None if one.part is None else [*one.part, *(two.part or ())]
        ids = (np.concatenate([getattr(self, name), getattr(other, name)]) for name in _IDS)
        return GivenEvents(replace(one, note=[*one.note, *two.note], part=part, **arrays), *ids)

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Which of their notes the models know."""
        return np.asarray(self.notes != UNKNOWN, np.bool_)


def given_events(dataset: Dataset, piece: PieceNotes) -> GivenEvents:
    """Read a piece; notes of parts that the models do not know go to the most similar one."""
    events = encode(piece, of_known_parts(dataset))
    ids = {stream: vocabulary.encode(texts) for stream, vocabulary, texts in _texts(dataset, events)}
    none = np.full(len(events), -1)
    found = GivenEvents(events, ids["note"], ids["duration"], ids.get(PART, none), ids.get(VELOCITY, none))
    return found.chosen(np.lexsort([found.notes, found.parts, events.onset_steps]))


def require_single_notes(dataset: Dataset, command: str) -> None:
    """Raise RecipeError for models that know chords and no single notes."""
    if dataset.events.chords != "per_note" or dataset.events.reading != "exact":
        raise RecipeError(
            f"{command}: needs models of single notes, and these know chords as one value; use a recipe with events.chords = "
            "'per_note', such as default or choir"
        )


def require_known(dataset: Dataset, name: str, given: GivenEvents, remedy: str) -> None:
    """Raise RejectedInputError for notes of the file `name` that the models do not know; `remedy` says what to do."""
    unknown = [text for text, is_known in zip(given.events.note, given.is_known.tolist(), strict=True) if not is_known]
    if unknown:
        shown = ", ".join(list(dict.fromkeys(unknown))[:SHOWN])
        span = [PITCH_NAMES.index(note) for note in dataset.vocabularies["note"].values if note in PITCH_NAMES]
        known = f"{PITCH_NAMES[min(span)]} to {PITCH_NAMES[max(span)]}" if span else "drums only"
        raise RejectedInputError(
            f"{name}: {len(unknown):,} of {len(given):,} given notes are none that these models know ({shown}); they "
            f"know {known}; {remedy}, or give another --recipe"
        )


def _texts(dataset: Dataset, events: PieceEvents) -> Iterator[tuple[str, Vocabulary, Sequence[str]]]:
    """Yield the values of given events, stream by stream, and the vocabulary of each; a duration is the nearest known one."""
    known = dataset.vocabularies
    durations = [dataset.events.grid.text(steps) for steps in events.duration_steps.tolist()]
    nearest = {text: known["duration"].value(known["duration"].nearest(text)) for text in {*durations}}
    yield "note", known["note"], events.note
    yield "duration", known["duration"], [nearest[text] for text in durations]
    if PART in known:
        yield PART, known[PART], events.part or ()
    if VELOCITY in known:
        levels = level_texts(events.velocity)
        yield VELOCITY, known[VELOCITY], [known[VELOCITY].value(known[VELOCITY].nearest(level)) for level in levels]


def _chosen(events: PieceEvents, order: npt.NDArray[np.int64]) -> PieceEvents:
    arrays: dict[str, Any] = {name: getattr(events, name)[order] for name in _COLUMNS}
    arrays["offset_steps"] = np.diff(arrays["onset_steps"], prepend=0)
    part = None if events.part is None else [events.part[place] for place in order]
    return replace(events, note=[events.note[place] for place in order], part=part, **arrays)

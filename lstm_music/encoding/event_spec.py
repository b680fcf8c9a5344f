"""How notes become events: what a recipe says in `[events]`, and the columns of the table of events that follow from it.

`lstm_music.encoding.events` does what it says.
"""

from functools import cached_property
from typing import Any, Literal, Self

import pyarrow as pa
from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from lstm_music.encoding.chords import CHORD_ENCODINGS, ChordEncoding, PerNoteAndDrum
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.parts import OtherParts, PartKind, PartReader, alphabet, spelled
from lstm_music.encoding.streams import PART
from lstm_music.errors import RecipeError
from lstm_music.midi.general_midi import DRUMS

_OF_PARTS = ("parts", "part_names", "other_parts", "drum_durations")

EVENTS_SCHEMA = pa.schema(
    [
        ("piece_id", pa.string()),
        ("index", pa.int32()),
        ("note", pa.string()),
        ("offset", pa.string()),  # quarter lengths since the previous event, an exact fraction
        ("duration", pa.string()),  # quarter lengths, an exact fraction
        ("offset_quarters", pa.float64()),  # the same as numbers, for pandas and SQL
        ("duration_quarters", pa.float64()),
        ("onset", pa.float64()),  # quarter lengths
        ("bar", pa.int32()),
        ("position_in_bar", pa.float64()),  # quarter lengths
        ("velocity", pa.uint8()),
        ("track", pa.int16()),
    ],
)

PART_FIELD = pa.field(PART, pa.string())
"""The further column of events whose recipe has parts."""


class EventSpec(BaseModel):
    """How notes become events.

    `reading` chooses the rules that turn a MIDI file into events: "exact" (ours), or "music21-5" (the report's extractor
    under music21 5.5.0, see `encoding.music21_5`). The latter requires `chords = "normal_order"`.

    `parts` says who plays: "none" takes all notes as one instrument and leaves drums out; "families" and "programs" are those
    of General MIDI, with the drums; "names" are those of tracks, and `part_names` lists them. Of families and programs
    `part_names` may list some. Notes of other parts go to the most similar part ("merge"), or are left out. Drums are hits
    without a length (`drum_durations`), unless they are to be kept "as_written".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reading: Literal["exact", "music21-5"] = "exact"
    chords: Literal["per_note", "pitch_set", "normal_order"] = "per_note"
    quarter_length_divisors: tuple[int, ...] = (8, 6)
    parts: PartKind = "none"
    part_names: tuple[str, ...] = ()
    other_parts: OtherParts = "merge"
    drum_durations: Literal["shortest", "as_written"] = "shortest"

    @field_validator("quarter_length_divisors")
    @classmethod
    def _make_a_grid(cls, divisors: tuple[int, ...]) -> tuple[int, ...]:
        try:
            return Grid(divisors).divisors
        except RecipeError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _read_as_the_report_did(self) -> Self:
        if self.reading == "music21-5" and self.chords != "normal_order":
            raise ValueError(f"chords: expected 'normal_order' with reading 'music21-5', got {self.chords!r}")
        return self

    @model_validator(mode="after")
    def _know_its_parts(self) -> Self:
        if self.parts == "none":
            for name in _OF_PARTS[1:]:
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name}: needs parts = 'families', 'programs' or 'names'")
            return self
        if self.reading != "exact" or self.chords != "per_note":
            raise ValueError(f"parts: expected reading 'exact' and chords 'per_note' with parts {self.parts!r}")
        if self.parts == "names" and not self.part_names:
            raise ValueError(
                "part_names: expected the names of the parts; `lstm-music inspect FILE` shows those of a file"
            )
        if len(set(self.part_names)) < len(self.part_names):
            raise ValueError(f"part_names: expected each name once, got {list(self.part_names)}")
        unknown = sorted(set(self.part_names) - set(alphabet(self.parts, self.part_names)))
        if unknown:
            raise ValueError(
                f"part_names: expected names of General MIDI's {self.parts}, or 'drums', got {unknown[0]!r}"
            )
        for name in self.part_names if self.parts == "names" else ():
            if spelled(name) != name or not name:
                raise ValueError(f"part_names: expected {spelled(name)!r}, as parts are spelled here, got {name!r}")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_what_says_nothing(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without parts, say nothing of them: recipes without parts keep the keys that they had before."""
        said: dict[str, Any] = serialise(self)
        if self.parts == "none":
            said = {name: value for name, value in said.items() if name not in _OF_PARTS}
        return said

    @cached_property
    def part_reader(self) -> PartReader | None:
        """What finds the part of each note, if the recipe has parts."""
        return None if self.parts == "none" else PartReader(self.parts, self.part_alphabet, self.other_parts)

    @cached_property  # asked for at each piece
    def part_alphabet(self) -> tuple[str, ...]:
        """All parts, in their order."""
        return alphabet(self.parts, self.part_names)

    @property
    def events_schema(self) -> pa.Schema:
        """The columns of a table of events."""
        return EVENTS_SCHEMA if self.parts == "none" else EVENTS_SCHEMA.append(PART_FIELD)

    @property
    def grid(self) -> Grid:
        """The grid of onsets and durations."""
        return Grid(self.quarter_length_divisors)

    @property
    def encoding(self) -> ChordEncoding:
        """The chord encoding."""
        return PerNoteAndDrum() if DRUMS in self.part_alphabet else CHORD_ENCODINGS[self.chords]

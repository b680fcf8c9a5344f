"""How files are read, in a recipe."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Repeats = Literal["once", "as_played"]


class ReadingSpec(BaseModel):
    """How files are read.

    `repeats`: "once" reads each passage of a score once, and of several endings the last; "as_played" follows repeat signs,
    endings, da capo and dal segno. MIDI files are always as they are played. `strict` rejects a file of which anything could
    not be read; without it, the rest is read, with a warning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    repeats: Repeats = "once"
    strict: bool = False

    def changed(self) -> dict[str, Any]:
        """Return the settings that are not the defaults, as they go into the spec of an artifact."""
        return self.model_dump(exclude_defaults=True)


class InputReading(ReadingSpec):
    """How the files of a recipe are read, with what its events decide: `drums_alone` takes files of drums alone as music."""

    drums_alone: bool = False

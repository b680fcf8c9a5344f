"""The settings of a recipe for rendering generated music."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator


class RenderingSpec(BaseModel):
    """The formats of audio, of which the listening page plays the first, and whether results become sheet music.

    `stems`: whether each part of an ensemble gets audio of its own, so that the page can mute it.
    `parts`: whether each part of an ensemble gets a PDF of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: tuple[Literal["ogg", "mp3"], ...] = ("ogg",)
    sheet_music: bool = True
    stems: bool = False
    parts: bool = False

    @model_validator(mode="after")
    def _make_stems_of_audio(self) -> Self:
        if self.stems and not self.audio:
            raise ValueError(
                "stems: expected a format of audio to make them in, got none; leave stems out, or set audio"
            )
        return self

    @model_validator(mode="after")
    def _make_parts_of_sheet_music(self) -> Self:
        if self.parts and not self.sheet_music:
            raise ValueError("parts: expected sheet music to take them from, got none; leave parts out, or engrave it")
        return self

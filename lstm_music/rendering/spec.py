"""The settings of a recipe for rendering generated music."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class RenderingSpec(BaseModel):
    """The formats of audio, of which the listening page plays the first, and whether results become sheet music."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: tuple[Literal["ogg", "mp3"], ...] = ("ogg",)
    sheet_music: bool = True

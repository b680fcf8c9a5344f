"""What a recipe may say about what is rendered of generated music."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class RenderingSpec(BaseModel):
    """The forms of audio, of which the listening page plays the first, and whether results are engraved as sheet music."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: tuple[Literal["ogg", "mp3"], ...] = ("ogg",)
    sheet_music: bool = True

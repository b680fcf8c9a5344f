"""What a person wants to hear: the settings of a generation, and how they would type them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.generation.command import command
from lstm_music.generation.spec import GenerationSpec
from lstm_music.recipe import Recipe
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.music.prompts import PromptMidi


@dataclass(frozen=True)
class GenerationSettings:
    """What a person wants to hear: `recipe` is the name or path that they would type, `usual` what it says."""

    recipe: str
    usual: Recipe
    spec: GenerationSpec
    rendering: RenderingSpec
    random_seed: int
    prompt_midi: PromptMidi | None = None
    soundfont: Path | None = None
    prompt_midi_path: Path | None = None

    @classmethod
    def of(cls, recipe: Recipe, name: str) -> "GenerationSettings":
        """Want what a recipe says."""
        return cls(name, recipe, recipe.generation, recipe.rendering, recipe.random_seed)

    @property
    def command(self) -> str:
        """The command that makes more like it."""
        options: dict[str, Any] = {"random_seed": self.random_seed + 1}
        if self.rendering.audio != self.usual.rendering.audio:
            options["audio"] = ",".join(self.rendering.audio) or "none"
        if self.rendering.sheet_music != self.usual.rendering.sheet_music:
            options["sheet_music"] = self.rendering.sheet_music
        if self.soundfont:
            options["soundfont"] = self.soundfont
        if self.prompt_midi:
            options["prompt_midi"] = self.prompt_midi_path or self.prompt_midi.name
        return command(self.recipe, self.usual.generation, self.spec, options)

"""The settings of a generation, the command that gives them, and what they are in a few words."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.generation.command import command
from lstm_music.generation.plan import PLAN_KEY
from lstm_music.generation.spec import GenerationSpec
from lstm_music.recipe import Recipe
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.names import short_recipe
from lstm_music.stages.music.prompt_files import MIREX, PromptMidi
from lstm_music.stages.music.variation import Variation

OTHERS_IN_TITLE = 2


@dataclass(frozen=True)
class Like:
    """The result that new music is like, by its name, and the share of its events that stays; None is no share at all.

    `variation` is that share of the result as the models are given it, where it is above 0.
    """

    name: str
    share: float | None = None
    variation: Variation | None = None

    @property
    def words(self) -> str:
        """Say what the music is like."""
        return f"like {self.name}" + (f", {self.share:.0%} kept" if self.share else "")


@dataclass(frozen=True)
class GenerationSettings:
    """The settings of a generation: `recipe` is the name or path that the user typed, `usual` the recipe itself.

    With a `melody`, music is made around it, or bars of it are rewritten, and `usual` is the recipe without what it decides.
    Music `like` a result has as `usual` what was asked of that result. `prompt_result` is the name of the result that the
    `prompt_midi` is, if it is one. With models of a `bundle`, which no storage keeps, the music goes to `output_dir`.
    """

    recipe: str
    usual: Recipe
    spec: GenerationSpec
    rendering: RenderingSpec
    random_seed: int
    prompt_midi: PromptMidi | None = None
    soundfont: Path | None = None
    prompt_midi_path: Path | None = None
    melody: Melody | None = None
    melody_path: Path | None = None
    like: Like | None = None
    prompt_result: str = ""
    bundle: Path | None = None
    output_dir: Path | None = None

    @classmethod
    def of(cls, recipe: Recipe, name: str) -> "GenerationSettings":
        """Give the settings of a recipe."""
        return cls(name, recipe, recipe.generation, recipe.rendering, recipe.random_seed)

    @property
    def given(self) -> tuple[PromptMidi | None, Melody | None, Variation | None]:
        """The music beside the models that decides results: to go on from, to accompany, to vary."""
        return self.prompt_midi, self.melody, self.like.variation if self.like else None

    @property
    def command(self) -> str:
        """The command that makes this very music."""
        return self._with_bundle(self._command(self.random_seed))

    @property
    def command_for_more(self) -> str:
        """The command that makes more like it, with another random seed."""
        return self._with_bundle(self._command(self.random_seed + 1), is_other=True)

    def _with_bundle(self, line: str, *, is_other: bool = False) -> str:
        """Let a command name the bundle instead of a recipe, and for other music another folder."""
        if self.bundle is None:
            return line
        named = ["--model", str(self.bundle)]
        if self.output_dir is not None:
            folder = f"{self.output_dir}_{self.random_seed + 1}" if is_other else str(self.output_dir)
            named += ["--output-dir", folder]
        return line.replace(shlex.join(["--recipe", self.recipe]), shlex.join(named), 1)

    def _command(self, random_seed: int) -> str:
        options: dict[str, Any] = {"random_seed": random_seed, **self._renderings()}
        if self.like:
            options["like"] = self.like.name
            if self.like.share is not None:
                options["variation"] = self.like.share
            return command(self.recipe, self.usual.generation, self.spec, options)
        if self.prompt_result:
            options["prompt"] = self.prompt_result
        elif self.prompt_midi:
            file = str(self.prompt_midi_path or self.prompt_midi.name)
            if self.prompt_midi.format == MIREX:
                return command(self.recipe, self.usual.generation, self.spec, options, ("mirex", file))
            options["prompt_midi"] = file
        if self.melody is None:
            return command(self.recipe, self.usual.generation, self.spec, options)
        options |= self.melody.options
        verb = (self.melody.verb, str(self.melody_path or self.melody.file.name))
        return command(self.recipe, self.usual.generation, self.spec, options, verb)

    def _renderings(self) -> dict[str, Any]:
        """Give what is rendered otherwise than usual."""
        asked, usual = self.rendering.model_dump(), self.usual.rendering.model_dump()
        changed = {name: value for name, value in asked.items() if value != usual[name]}
        if "audio" in changed:
            changed["audio"] = ",".join(changed["audio"]) or "none"
        return {**changed, **({"soundfont": self.soundfont} if self.soundfont else {})}

    @property
    def summary(self) -> list[str]:
        """What differs from the recipe, in words such as `temperature note 0.9`; the random seed last."""
        return [*self._differences(), f"random seed {self.random_seed}"]

    @property
    def title(self) -> str:
        """A title that differs between the pages of a storage: the recipe, the random seed, the first other settings."""
        *others, random_seed = self.summary
        return ", ".join([f"Music by {short_recipe(self.recipe)}", random_seed, *others[:OTHERS_IN_TITLE]])

    def _differences(self) -> Iterator[str]:
        if self.like:
            yield self.like.words
        elif self.melody:
            yield self.melody.words
        elif self.prompt_midi:
            yield f"prompt {self.prompt_midi.name}"
        usual, spec = self.usual.generation.model_dump(), self.spec.model_dump()
        for name, value in spec.items():
            if value != usual.get(name, ""):
                yield _in_words(name, value, usual.get(name, ""))
        yield from (f"no {name.replace('_', ' ')}" for name in usual.keys() - spec.keys())
        if self.soundfont:
            yield f"soundfont {self.soundfont.name}"


def length_in_words(spec: GenerationSpec) -> str:
    """Say how long a piece becomes: `8 bars`, `30 seconds`, or `up to 512 events`."""
    for name in ("bars", "seconds"):
        if value := getattr(spec, name):
            return _in_words(name, value, 0)
    return f"up to {spec.num_events:,} {'event' if spec.num_events == 1 else 'events'}"


def _in_words(name: str, value: Any, usual: Any) -> str:
    """Spell a setting: `64 events`, `temperature note 0.9`, `include prompt yes`; of several numbers those that differ."""
    if isinstance(value, dict):
        own = [f"{key} {number:g}" for key, number in value.items() if number != usual.get(key)]
        return f"{name.replace('_', ' ')} {' '.join(own)}"
    if name == PLAN_KEY:
        bars = [entry.bars for entry in value[:OTHERS_IN_TITLE]]
        return f"plan for bars {', '.join(bars)}{' …' if len(value) > len(bars) else ''}"
    if name == "bars":
        return f"{value} {'bar' if value == 1 else 'bars'}"
    if name == "seconds":
        return f"{value:g} seconds"
    if name.startswith("num_"):
        noun = name.removeprefix("num_").replace("_", " ")
        return f"{value} {noun.removesuffix('s') if value == 1 else noun}"
    shown = (
        {True: "yes", False: "no"}[value]
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else value
    )
    return f"{name.replace('_', ' ')} {shown}"

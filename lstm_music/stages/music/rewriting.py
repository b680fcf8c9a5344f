"""Bars of a file of the user's to write anew: what is asked, what stays, and the rules for new notes."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.grid import Steps
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.generation.ending import NEVER, Ending
from lstm_music.generation.gap import Gap
from lstm_music.generation.gap_rules import GapMusic
from lstm_music.generation.given import GivenNotes
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import read_bars
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.titles import piece_title
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.accompaniment import GIVEN_SETTINGS
from lstm_music.stages.music.given_events import GivenEvents
from lstm_music.stages.music.lengths import likely_events
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.prompts import Origin

CANDIDATES = 64
"""Candidates for each result, unless a recipe asks for more."""

BEHIND = 32
"""The most events behind the gap by which new bars are judged."""


@dataclass(frozen=True)
class Rewrite(Melody):
    """A music file, and which of its bars are written anew: `bars` such as `9-12`, of one `part`, or "" for all parts."""

    bars: str = ""
    verb: ClassVar[str] = "rewrite"

    @property
    def spec(self) -> dict[str, Any]:
        """What of it decides the music."""
        return {**super().spec, "bars": self.bars}

    @property
    def words(self) -> str:
        """Say what is rewritten."""
        return f"rewrites {self.where} of {self.file.name}"

    @property
    def length(self) -> str:
        """Say what results have: `with new bars 9-12`."""
        return f"with new {self.where}"

    @property
    def options(self) -> dict[str, str]:
        """The options of the command that says what of the file is taken."""
        return {"bars": self.bars, **super().options}

    @property
    def where(self) -> str:
        """Name the bars and the part: `bars 9-12, part tenor`."""
        first, last = read_bars(self.bars)
        bars = f"bar {first}" if first == last else f"bars {first}-{last}"
        return bars + (f", part {self.part}" if self.part else "")


@dataclass(frozen=True, eq=False)
class Rewritten:
    """A file with a gap, as these models read it.

    `replaced` bool [notes] says which notes of the `whole` file are written anew: those in the gap of all that `is_chosen`.
    `parts` may play in the gap. What stays is in `given`, from the gap's start on, and `replayed` has the replaced notes too. New
    notes lie on a `side` of the `neighbours`. `segment` is what comes before the gap. `positions` and `rests` int64 [steps] say
    of each step where in its bar it lies, and how far the next bar is.
    """

    melody: Rewrite
    whole: PieceNotes
    replaced: npt.NDArray[np.bool_]
    is_chosen: npt.NDArray[np.bool_]
    parts: tuple[str, ...]
    gap: Gap
    segment: Prompt
    given: GivenEvents
    replayed: GivenEvents
    neighbours: GivenEvents
    side: Any
    positions: Steps
    rests: Steps
    warnings: tuple[str, ...]

    @property
    def title(self) -> str:
        """The title of the file."""
        return piece_title(self.melody.file.name, self.whole)

    @property
    def origin(self) -> Origin:
        """Where results come from: from no piece that the models know; with sentences for the user."""
        return Origin(self.segment, warnings=self.warnings)

    @property
    def has_more(self) -> bool:
        """Whether any music comes behind the gap."""
        return bool((self.given.events.onset_steps >= self.gap.stop).any())

    def room(self, dataset: Dataset) -> int:
        """Return more events than new music in the gap has in nearly all cases, and those that are given."""
        in_gap = likely_events(dataset, np.array([self.gap.stop - self.gap.start]))
        return in_gap + max(len(self.given), len(self.replayed))

    def ending(self, outputs: int) -> Ending | None:
        """Let the loop say how likely the end of the piece is after each event, where no music comes behind the gap."""
        if self.has_more:
            return None
        never = np.full(outputs, NEVER, np.int32)
        return Ending(never, np.zeros(outputs, np.int32), never)

    def rows(self, events: GivenEvents) -> Steps:
        """Give events as int64 [events, (onset, part, note, duration, velocity)]."""
        columns = (events.events.onset_steps, events.parts, events.notes, events.durations, events.velocities)
        return np.stack(columns, 1).astype(np.int64)

    def rules(self, dataset: Dataset, grammar: Grammar, spec: GenerationSpec) -> GapMusic:
        """Draw up the rules of the gap for the candidates of these settings, and one output more."""
        own = grammar
        if grammar.has_parts:
            values = dataset.vocabularies[PART].values
            own = replace(grammar, parts=grammar.parts & np.isin([*[""] * SPECIAL_IDS, *values], self.parts))
        return GapMusic.around(
            own,
            self.gap,
            self._notes(self.given),
            self._notes(self.neighbours),
            self.side,
            outputs=spec.candidates + 1,
            scripts=spec.num_outputs + 1,
            events=self.room(dataset),
        )

    def _notes(self, events: GivenEvents) -> GivenNotes:
        end = int(self.given.events.onset_steps.max(initial=0)) + 1 if self.has_more else self.gap.stop
        return GivenNotes(
            onsets=events.events.onset_steps,
            parts=events.parts,
            notes=events.notes,
            durations=events.durations,
            velocities=events.velocities,
            steps=events.events.duration_steps,
            end=end,
            positions=self.positions[: end + 1],
            rests=self.rests[: end + 1],
        )


def rewriting(recipe: Recipe) -> Recipe:
    """Give a recipe without the settings that the file decides, and with many candidates for each result."""
    spec = recipe.generation
    own = {**GIVEN_SETTINGS, "best_of": max(spec.best_of, CANDIDATES)}
    return recipe.model_copy(update={"generation": spec.model_copy(update=own)})

"""What the calls of the library give back: tables, scores, and paths of files with players for a notebook."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lstm_music.evaluation.scorecard import rows
from lstm_music.parquet import read_table
from lstm_music.recipe import Recipe
from lstm_music.rendering.players import Player, players
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.prepare import Prepared, about_split, describe
from lstm_music.stages.training.promotion import Decision
from lstm_music.stages.training.scorecard import read_card
from lstm_music.store import ArtifactRef, Store

if TYPE_CHECKING:  # it takes half a second
    import pandas as pd

OF_A_PIECE = ("piece_id", "name", "composer", "source", "licence", "format", "notes")


@dataclass(frozen=True, eq=False)
class PreparedMusic:
    """The music of a recipe as tables. Each is read from storage at its first use."""

    store: Store
    recipe: Recipe
    prepared: Prepared

    @cached_property
    def events(self) -> "pd.DataFrame":
        """One row per event; `offset` (since the previous event) and `duration` are exact fractions of a quarter, as text."""
        events = _frame(self.store, self.prepared.events, "events")
        for name in ("offset", "duration"):  # tables of earlier releases lack the numbers
            if f"{name}_quarters" not in events:
                events[f"{name}_quarters"] = [float(Fraction(value)) for value in events[name]]
        return events

    @cached_property
    def pieces(self) -> "pd.DataFrame":
        """One row per piece and split: its name, composer, source, licence, number of notes and of events, and `split`."""
        import pandas as pd

        spans = [
            {"piece_id": span.piece_id, "events": span.events, "split": split}
            for split, found in load_dataset(self.store, self.prepared.dataset).spans.items()
            for span in found
        ]
        pieces = _frame(self.store, self.prepared.notes, "pieces")[list(OF_A_PIECE)]
        return pieces.merge(pd.DataFrame(spans, columns=["piece_id", "events", "split"]), on="piece_id")

    @cached_property
    def inputs(self) -> "pd.DataFrame":
        """One row per input file: its name, whether it was accepted, and the reason where it was not."""
        return _frame(self.store, self.prepared.notes, "inputs")

    @cached_property
    def counts(self) -> dict[str, Any]:
        """How many pieces, rejected and duplicate inputs, notes and events; windows per split, classes per stream."""
        found = describe(self.store, self.recipe, self.prepared)
        return {name: count for name, count in found.items() if name != "events_parquet"}

    @cached_property
    def warnings(self) -> list[str]:
        """What you should know about the split, in sentences."""
        return about_split(self.store, load_dataset(self.store, self.prepared.dataset))

    def __repr__(self) -> str:
        return f"PreparedMusic({self.recipe.name!r}, {self.counts['pieces']} pieces, {self.counts['events']:,} events)"


@dataclass(frozen=True, eq=False)
class TrainedModels:
    """The trained models of a recipe by name, their score card, and whether they were promoted."""

    store: Store
    recipe: Recipe
    models: Mapping[str, ArtifactRef]
    scorecard: ArtifactRef
    decision: Decision

    @cached_property
    def card(self) -> dict[str, Any]:
        """The score card as JSON: see `lstm_music.evaluation.scorecard`."""
        return read_card(self.store, self.scorecard)

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """One row per split, predictor (the models or a baseline) and stream: `nll` in nats per event, and `accuracy`."""
        import pandas as pd

        return pd.DataFrame(rows(self.card))

    @cached_property
    def history(self) -> "pd.DataFrame":
        """One row per model, epoch and stream: `loss` and `held_out` of the model in nats per event, accuracies.

        Epochs count from 1. Where a training starts from an earlier model, epoch 0 is that one, and the epoch after the last its
        mixture with trained weights, if that is better; both are without `loss` and `accuracy`.
        """
        import pandas as pd

        return pd.DataFrame([row for model, ref in self.models.items() for row in self._epochs(model, ref)])

    def _epochs(self, model: str, ref: ArtifactRef) -> Iterator[dict[str, Any]]:
        for score in json.loads(self.store.open(ref).file("history.json").read_text(encoding="utf-8")):
            for stream, held_out_accuracy in score["held_out_accuracy"].items():
                yield {
                    "model": model,
                    "epoch": score["epoch"] + 1,
                    "stream": stream,
                    "loss": score["loss"],
                    "held_out": score["held_out"],
                    "accuracy": score["accuracy"].get(stream),
                    "held_out_accuracy": held_out_accuracy,
                }

    @property
    def promoted(self) -> bool:
        """Whether `generate` uses these models from now on; `reason` says why, or why not."""
        return self.decision.promoted

    @property
    def reason(self) -> str:
        """Why the models were promoted or not."""
        return self.decision.reason

    def __repr__(self) -> str:
        return f"TrainedModels({self.recipe.name!r}, {', '.join(self.models)}; {self.decision.outcome}: {self.reason})"


@dataclass(frozen=True, eq=False)
class GeneratedMusic:
    """The files of a generation. A notebook shows a piano roll and a player per piece.

    `outputs` has a mapping per piece: the paths of its files as text (None where a kind was not rendered), and its figures.
    `command` makes this very music on the command line, `command_for_more` more like it.
    """

    directory: Path
    page: Path
    command: str
    command_for_more: str
    outputs: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """Make it of what `describe_generation` gives."""
        return cls(
            Path(described["directory"]),
            Path(described["page"]),
            described["command"],
            described["command_for_more"],
            tuple(described["outputs"]),
        )

    @property
    def midi(self) -> list[Path]:
        """The MIDI file of each piece."""
        return self.files("midi")

    @property
    def audio(self) -> list[Path]:
        """The audio file of each piece that has one."""
        return self.files("audio")

    @property
    def pictures(self) -> list[Path]:
        """The piano roll of each piece, as SVG."""
        return self.files("picture")

    @property
    def sheet_music(self) -> list[Path]:
        """The PDF of each piece that was engraved."""
        return self.files("sheet_music")

    @property
    def part_sheets(self) -> list[Path]:
        """The PDFs of the single parts of each ensemble that was engraved with `parts`."""
        return [Path(path) for output in self.outputs for path in output.get("part_sheets", ())]

    def files(self, kind: str) -> list[Path]:
        """Give the files of one kind: `midi`, `audio`, `picture`, `sheet_music`, `musicxml`, `settings` or `prompt_midi`."""
        return [Path(output[kind]) for output in self.outputs if output[kind] is not None]

    def __repr__(self) -> str:
        return (
            f"GeneratedMusic({len(self.outputs)} {'piece' if len(self.outputs) == 1 else 'pieces'}, {str(self.page)!r})"
        )

    def _repr_html_(self) -> str:
        return players([self._player(number, output) for number, output in enumerate(self.outputs, start=1)])

    def _player(self, number: int, output: Mapping[str, Any]) -> Player:
        continued = output["prompt_piece"]
        title = f"Piece {number}, {output['events']} events" + (f", continues {continued}" if continued else "")
        return Player(title, _path(output["picture"]), _path(output["audio"]))


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _frame(store: Store, ref: ArtifactRef, table: str) -> "pd.DataFrame":
    """Read the table of an artifact, all its shards."""
    import pandas as pd

    frames: list[pd.DataFrame] = [read_table(path).to_pandas() for path in store.open(ref).files(table)]
    return pd.concat(frames, ignore_index=True)

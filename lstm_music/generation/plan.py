"""What a person can ask of the bars of new music, from models that were taught the controls for it: `encoding.controls`."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from lstm_music import faults
from lstm_music.encoding.controls import MOST_EVENTS, MOST_NOTES
from lstm_music.encoding.harmony import Chord, read_chords, written_chords
from lstm_music.errors import RecipeError
from lstm_music.generation.steering import MOST_BARS, key_text, note_name, read_bars, read_by, read_note

PLAN_KEY = "plan"


def _chords(text: str) -> str:
    return written_chords(read_chords(text))


def _note(text: str) -> str:
    return note_name(read_note(text))


class BarSettings(BaseModel):
    """What is asked of bars. 0 and "" ask nothing.

    `density` is how many notes begin in a bar, `polyphony` how many sound at once on average, `mean_pitch` the pitch around which
    they lie, and `chords` the chords of the bars, which come again until the end: see `read_chords`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    density: float = Field(default=0, ge=0, le=MOST_EVENTS, allow_inf_nan=False)
    polyphony: float = Field(default=0, ge=0, le=MOST_NOTES, allow_inf_nan=False)
    mean_pitch: Annotated[str, read_by(_note)] = ""
    chords: Annotated[str, read_by(_chords)] = ""


BAR_SETTINGS = tuple(BarSettings.model_fields)


def _bars(text: str) -> str:
    first, last = read_bars(text)
    if not 1 <= first <= last <= MOST_BARS:
        raise ValueError(f"expected bars from 1 to {MOST_BARS}, such as 5-8")
    return "-".join(map(str, dict.fromkeys((first, last))))


class BarPlan(BarSettings):
    """What is asked of some `bars` of new music, such as `5-8`: the first is the bar in which it begins."""

    bars: Annotated[str, AfterValidator(_bars)]
    key: Annotated[str, read_by(key_text)] = ""

    @model_validator(mode="after")
    def _ask_something(self) -> "BarPlan":
        if not any(getattr(self, name) for name in (*BAR_SETTINGS, "key")):
            raise ValueError(f"expected something that is asked of bars {self.bars}; leave the entry out")
        return self

    @property
    def numbers(self) -> range:
        """The bars, from 0."""
        first, last = read_bars(self.bars)
        return range(first - 1, last)


class Planned(BarSettings):
    """What is asked of every bar, and in a `plan` of some: a later entry of the plan rules over an earlier one."""

    plan: tuple[BarPlan, ...] = ()

    @property
    def asks(self) -> dict[str, str]:
        """The controls that are needed, and the setting that needs each."""
        found: dict[str, str] = {}
        for setting, control in NEEDED.items():
            if getattr(self, setting, ""):
                found.setdefault(control, f"--{setting.replace('_', '-')}")
            if any(getattr(entry, setting) for entry in self.plan):
                found.setdefault(control, "--plan")
        if any(entry.key for entry in self.plan):
            found.setdefault("key", "--plan")
        return found

    def of_bars(self, name: str, bars: int) -> list[Any]:
        """Return what a setting asks of each of so many bars."""
        values = [getattr(self, name, "")] * bars
        for entry in self.plan:
            for bar in entry.numbers if getattr(entry, name) else ():
                if bar < bars:
                    values[bar] = getattr(entry, name)
        return values

    def chords_of_bars(self, bars: int) -> list[Sequence[Chord]]:
        """Return the chords of each of so many bars; each entry begins with its first."""
        found: list[Sequence[Chord]] = [()] * bars
        entries = [(self.chords, range(bars)), *((entry.chords, entry.numbers) for entry in self.plan)]
        for text, numbers in entries:
            asked = read_chords(text) if text else ()
            for place, bar in enumerate(numbers if asked else ()):
                if bar < bars:
                    found[bar] = asked[place % len(asked)]
        return found


NEEDED = {"density": "density", "polyphony": "polyphony", "mean_pitch": "mean_pitch", "chords": "chord"}
"""The control that each setting needs."""

PLANNED = tuple(Planned.model_fields)

_ENTRIES = TypeAdapter(tuple[BarPlan, ...])


def read_plan(text: str) -> tuple[BarPlan, ...]:
    """Read a plan: the path of a TOML or JSON file, or JSON itself. Raises RecipeError for what is none.

    An empty list asks nothing. In TOML each entry begins with `[[plan]]`; JSON is a list of entries, or an object with the list
    as its `plan`.
    """
    if not text.strip():
        raise RecipeError("--plan: expected the path of a TOML or JSON file, got ''")
    is_inline = text.lstrip().startswith(("[", "{"))
    where = "--plan" if is_inline else f"--plan: {text}"
    try:
        content = text if is_inline else Path(text).read_text(encoding="utf-8")
        data = json.loads(content) if is_inline or text.endswith(".json") else tomllib.loads(content)
    except FileNotFoundError as error:
        raise RecipeError(
            f"--plan: expected the path of a TOML or JSON file, got {text!r}, which is not there"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RecipeError(f"{where}: cannot be read as a plan ({error})") from error
    if isinstance(data, dict):
        others = [key for key in data if key != PLAN_KEY]
        if others or PLAN_KEY not in data:
            raise RecipeError(
                f"{where}: expected entries that begin with [[plan]], got {', '.join(others) or 'nothing'}"
            )
        data = data[PLAN_KEY]
    try:
        return _ENTRIES.validate_python(data)
    except ValidationError as error:
        raise RecipeError(f"{where}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    """Say what is wrong with the first entry that is, counted from 1."""
    fault = error.errors()[0]
    place = fault["loc"]
    entry = f"entry {int(place[0]) + 1}: " if place and isinstance(place[0], int) else ""
    if fault["type"] == "extra_forbidden":
        return f"{entry}{place[-1]}: unknown key; expected {faults.one_of([*BarPlan.model_fields])}"
    if fault["type"] == "missing":
        return f"{entry}{place[-1]}: this key is missing"
    key = f"{place[-1]}: " if len(place) > 1 else ""
    return f"{entry}{key}{faults.sentence(fault, {})}"


def written_plan(plan: Sequence[BarPlan]) -> str:
    """Write a plan as JSON on one line, as `read_plan` reads it."""
    return json.dumps([*_entries(plan)], separators=(", ", ": "), ensure_ascii=False)


def _entries(plan: Sequence[BarPlan]) -> Iterator[dict[str, Any]]:
    for entry in plan:
        yield {"bars": entry.bars, **{name: value for name, value in entry if value and name != "bars"}}

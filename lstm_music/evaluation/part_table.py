"""The statistics of parts as people read them: music between its parts, and part by part, each beside held-out music."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lstm_music.evaluation.card_table import CardTable
from lstm_music.evaluation.part_statistics import pitches_in_common
from lstm_music.evaluation.statistics import PITCH_CLASSES

GENERATED, HELD_OUT = "generated", "held_out"


def part_tables(parts: Mapping[str, Any]) -> list[CardTable]:
    """Give the tables for what `describe_parts` says of `generated` and of `held_out` music."""
    sides = parts[GENERATED], parts[HELD_OUT]
    by_part = [side["by_part"] for side in sides]
    names = {**by_part[0], **by_part[1]}
    return [
        CardTable("Between the parts", ("", "generated", "held-out"), tuple(_between(*sides))),
        CardTable(
            "Part by part, held-out music in brackets",
            (
                "",
                "share of the notes",
                "onsets with another part",
                "range",
                "inside the training range",
                "shared pitches",
            ),
            tuple(_part(name, *(side.get(name, {}) for side in by_part)) for name in names),
        ),
    ]


def _between(*sides: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield "parts that sound at once, on average", *(_number(side["sounding_parts"]) for side in sides)
    yield "onsets that fall together with another part's", *(_share(side["onset_synchrony"]) for side in sides)
    yield "sounding pitches that two parts share (unisons)", *(_share(side["unison_share"]) for side in sides)
    yield "notes inside the training range of their part", *(_share(side["in_range_share"]) for side in sides)
    if all("voice_leading" in side for side in sides):
        for name in ("crossings", "parallel_fifths", "parallel_octaves", "parallel_unisons"):
            called = f"{'voice crossings' if name == 'crossings' else name.replace('_', ' ')} per 100 chords"
            yield called, *(_number(side["voice_leading"].get(name)) for side in sides)


def _part(name: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    def both(spell: Callable[[Any], str], key: str, default: float | None = None) -> str:
        return f"{spell(own.get(key, default))} ({spell(other.get(key, default))})".replace(" ()", "").strip()

    has_both = "pitches" in own and "pitches" in other
    return (
        name,
        both(_share, "share", 0.0),
        both(_share, "onset_synchrony"),
        both(_range, "pitches"),
        both(_share, "in_range"),
        _share(pitches_in_common(own["pitches"], other["pitches"])) if has_both else "",
    )


def _range(pitches: Mapping[str, float] | None) -> str:
    """Name the lowest and the highest of some pitches."""
    found = sorted(map(int, pitches or ()))
    return " to ".join(f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}" for pitch in (*found[:1], *found[-1:]))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"

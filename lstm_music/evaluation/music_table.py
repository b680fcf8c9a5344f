"""A music card as people read it: what generated and held-out music have in common, and what tells them apart."""

from collections.abc import Iterator, Mapping
from typing import Any

from lstm_music.evaluation.card_table import CardTable
from lstm_music.evaluation.note_ngrams import KINDS
from lstm_music.evaluation.part_table import part_tables

SIDES = ("generated", "held_out")


def music_tables(card: Mapping[str, Any]) -> list[CardTable]:
    """Give the tables of a music card: the comparison, the classifier by kind of pattern, what gives it away, and its parts."""
    tells = card["classifier"]["tells"]
    return [
        CardTable(
            f"{card['split'].capitalize()}, {card['protocol']}: {card['excerpts']} generated and as many held-out excerpts "
            f"of {card['events']} events, from {card['pieces']} pieces",
            ("", "generated", "held-out"),
            tuple(_rows(card)),
        ),
        CardTable(
            "How often a classifier recognises generated music by one kind of pattern",
            ("kind", "made of", "accuracy"),
            tuple((kind, KINDS[kind], f"{found:.0%}") for kind, found in card["classifier"]["by_kind"].items()),
        ),
        CardTable(
            "What gives generated music away: shares of a pattern among those of its kind and length",
            ("pattern", "generated", "held-out"),
            tuple((tell["feature"], f"{tell['generated']:.2%}", f"{tell['held_out']:.2%}") for tell in tells),
        ),
        *(part_tables(card["parts"]) if "parts" in card else []),
    ]


def _rows(card: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    found = card["classifier"]
    yield (
        "recognised by a classifier (held-out: one half of the pieces from the other)",
        f"{found['accuracy']:.0%} ({found['low']:.0%} to {found['high']:.0%})",
        f"{found['floor']:.0%} ({found['floor_low']:.0%} to {found['floor_high']:.0%})",
    )
    yield _row("Frechet distance from other held-out pieces", card["frechet"], _decimals)
    yield _row(
        "overlapped area with other held-out pieces", card["overlapped_area"], lambda one: _decimals(one["mean"])
    )
    yield _row("excerpts with a loop", card["loops"], lambda one: f"{one['with_loops']:.0%}")
    yield _row("times a bar is heard in a row, at most", card["loops"], lambda one: f"{one['most_repeats']:.1f}")
    yield _row(
        "longest copy in events, median (longest)",
        card["copies"],
        lambda one: f"{one['median']:.0f} ({one['longest']})",
    )
    structure = card["structure"]
    yield _row("bars that return, in any key", structure, lambda one: f"{one['in_any_key']:.1%}")
    yield _row("… at the same pitches", structure, lambda one: f"{one['as_it_was']:.1%}")
    for distance in structure["generated"]["distances"]:
        bars = "bar" if distance == "1" else "bars"
        yield _row(f"… {distance} {bars} later", structure, lambda one, name=distance: f"{one['distances'][name]:.1%}")


def _row(name: str, sides: Mapping[str, Any], spell: Any) -> tuple[str, ...]:
    return name, *(spell(sides[side]) for side in SIDES)


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"

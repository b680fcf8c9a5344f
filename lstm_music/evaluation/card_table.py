"""A score card as people read it: one table per split, a row per predictor, a column per stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_music.evaluation.scorecard import rows

BEST_BASELINE = "ngram_joint"


@dataclass(frozen=True)
class CardTable:
    """The table of one split, in text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Write the table in Markdown, with its title above it."""
        lines = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        return "\n".join([f"**{self.title}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


def card_tables(card: Mapping[str, Any]) -> list[CardTable]:
    """Give the tables of a card: one for each split, and one by part where there are parts."""
    splits = card["splits"].items()
    by_part = [_parts_table(name, split) for name, split in splits if "parts" in split]
    return [*(_table(card, name, split) for name, split in splits), *by_part]


def _parts_table(name: str, split: Mapping[str, Any]) -> CardTable:
    """Show the sums of the models and of the best baseline for each part, and the streams of the models."""
    streams = tuple(split["streams"])
    lines = [
        (
            part,
            f"{found['events']:,}",
            f"{sum(found[BEST_BASELINE].values()):.3f}",
            f"{sum(found['models'].values()):.3f}",
            *(f"{found['models'][stream]:.3f}" for stream in streams),
        )
        for part, found in split["parts"].items()
    ]
    return CardTable(
        f"{name[:1].upper()}{name[1:]} by part: nats per event of the models, beside the sum of {BEST_BASELINE}",
        ("", "events", BEST_BASELINE, "sum", *streams),
        tuple(lines),
    )


def _table(card: Mapping[str, Any], name: str, split: Mapping[str, Any]) -> CardTable:
    cells: dict[str, dict[str, str]] = {}
    for row in rows(card):
        if row["split"] == name:
            cells.setdefault(row["predictor"], {})[row["stream"]] = _cell(row["nll"], row["accuracy"])
    streams = tuple(cells["models"])
    lines = [(predictor, *(found[stream] for stream in streams)) for predictor, found in cells.items()]
    if lookup := split["lookup"]:
        lines.append(("lookup", *(f"({lookup[stream]:.0%})" if stream in lookup else "" for stream in streams)))
    per_note = split["nll_per_note"]
    events = f"{split['events']:,} event{'' if split['events'] == 1 else 's'}"
    return CardTable(
        f"{name[:1].upper()}{name[1:]}, {card['protocol']}: {events}, nats per event, accuracy in brackets"
        + (f"; {per_note:.3f} nats per note" if per_note is not None else ""),
        ("", *("sum" if stream == "all" else stream for stream in streams)),
        tuple(lines),
    )


def _cell(nll: float, accuracy: float | None) -> str:
    return f"{nll:.3f}" if accuracy is None else f"{nll:.3f} ({accuracy:.0%})"

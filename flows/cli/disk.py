"""How much space a storage takes: by kind, and by what needs it."""

from typing import Any

from flows.cli.display import Display
from flows.cli.sizes import by_group, size
from lstm_music.stages.upkeep.survey import Limits, Reason, survey
from lstm_music.store import Store

NEEDED_BY: dict[Reason, str] = {
    "promoted": "promoted models",
    "history": "history of promotions",
    "prepared": "prepared data",
    "pinned": "results that are kept",
    "generations": "music of models that stay",
    "reports": "reports of experiments",
    "cache": "nothing, but saves work",
    "recent": "nothing, but recent",
    "other": "pages, the inbox and others",
    "unneeded": "nothing (prune removes it)",
}


def disk_usage(display: Display, store: Store) -> dict[str, Any]:
    """Show what takes how much space, by kind and by what needs it first; return it for `--json`."""
    items = survey(store, Limits())
    kinds, reasons = by_group(items, lambda item: item.kind), by_group(items, lambda item: item.reason)
    display.table("Space by kind", ["", "number", "size"], _rows(kinds))
    named = {NEEDED_BY[item.reason]: item.reason for item in items}
    shown = {name: reasons[reason] for name, reason in named.items()}
    display.table("Space by what needs it", ["", "number", "size"], _rows(shown))
    total = sum(item.bytes for item in items)
    display.log(f"Space in all: {size(total)}")
    return {
        "bytes": total,
        "kinds": {kind: {"number": number, "bytes": count} for kind, (number, count) in kinds.items()},
        "needed_by": {reason: {"number": number, "bytes": count} for reason, (number, count) in reasons.items()},
    }


def _rows(groups: dict[str, tuple[int, int]]) -> list[list[str]]:
    ordered = sorted(groups.items(), key=lambda one: -one[1][1])
    return [[name, f"{number:,}", size(count)] for name, (number, count) in ordered]

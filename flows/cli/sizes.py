"""Sizes of files in words, and sizes that a user writes."""

import re
from collections.abc import Callable, Iterable

from lstm_music.errors import RecipeError
from lstm_music.stages.upkeep.survey import Item

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def bytes_of(text: str) -> int:
    """Read a size such as 500MB or 2GiB. Raises RecipeError for anything else."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or found[2].upper() not in UNITS:
        raise RecipeError(f"--below: expected a size such as 500MB or 2GB, got {text!r}")
    return int(float(found[1]) * UNITS[found[2].upper()])


def size(count: int) -> str:
    """Write a number of bytes as 512 B, 3.4 MB and so on."""
    scaled = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if scaled < 1000:
            return f"{scaled:.0f} B" if unit == "B" else f"{scaled:.1f} {unit}"
        scaled /= 1000
    return f"{scaled:.1f} TB"


def by_group(items: Iterable[Item], group: Callable[[Item], str]) -> dict[str, tuple[int, int]]:
    """Count items and their bytes by a group, the largest first."""
    found: dict[str, tuple[int, int]] = {}
    for item in items:
        number, total = found.get(group(item), (0, 0))
        found[group(item)] = (number + 1, total + item.bytes)
    return dict(sorted(found.items(), key=lambda one: -one[1][1]))

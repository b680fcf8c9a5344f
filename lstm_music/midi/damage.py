"""What of a file could not be read: a sentence for each kind of damage, with the first byte and how often it was found."""

import re
from dataclasses import dataclass, field


@dataclass(slots=True)
class Damage:
    """The kinds of damage found so far, in the order of their first occurrence.

    A sentence is one clause without a subject, as the reason of a rejection is.
    """

    _sentences: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, sentence: str, count: int = 1) -> None:
        """Note damage of a `kind`; only the first sentence of a kind is kept."""
        self._sentences.setdefault(kind, sentence)
        self._counts[kind] = self._counts.get(kind, 0) + count

    @property
    def sentences(self) -> tuple[str, ...]:
        """A sentence for each kind, with the number of its other occurrences."""
        return tuple(
            sentence + (f" (and {self._counts[kind] - 1:,} more like it)" if self._counts[kind] > 1 else "")
            for kind, sentence in self._sentences.items()
        )

    @property
    def first(self) -> str | None:
        """The first sentence, or None if nothing is damaged."""
        return next(iter(self._sentences.values()), None)


_NOTICES = re.compile(r"calls a track |holds its music twice, |counts frames |has .* without an end, which lasts? ")


def is_notice(sentence: str) -> bool:
    """Whether a warning is of what a whole file says, not of damage: drums by name, two devices, frames, notes without an end."""
    return _NOTICES.match(sentence) is not None

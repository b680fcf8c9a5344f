"""Options under their former names: still understood for one release, with a line of notice."""

import sys
from collections.abc import Iterator, Sequence

RENAMED = {
    "--seed-segment": "--prompt",
    "--seed-midi": "--prompt-midi",
    "--seed-segment-events": "--prompt-events",
    "--include-seed-segment": "--include-prompt",
    "--exclude-seed-segment": "--exclude-prompt",
}
"""Former name → name, of options of `generate`."""


def with_new_names(words: Sequence[str]) -> list[str]:
    """Give the words of a command with each former name replaced; report it on standard error."""
    return list(_renamed(words)) if words[:1] == ["generate"] else list(words)


def _renamed(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        name, equals, value = word.partition("=")
        if name in RENAMED:
            sys.stderr.write(f"lstm-music: {name} is now {RENAMED[name]}; the old name works for one more release\n")
            yield RENAMED[name] + equals + value
        else:
            yield word

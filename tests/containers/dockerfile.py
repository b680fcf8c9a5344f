"""The Dockerfile, read into its stages and instructions."""

import re
from dataclasses import dataclass, field

from program import REPOSITORY


@dataclass
class Stage:
    """One FROM and what follows it, as pairs of an instruction and its text."""

    image: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for name, text in self.steps if name == instruction]


def stages() -> list[Stage]:
    """Read the Dockerfile; lines that end in a backslash go on."""
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: list[Stage] = []
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found.append(Stage(rest.split()[0]))
        else:
            found[-1].steps.append((instruction, " ".join(rest.split())))
    return found

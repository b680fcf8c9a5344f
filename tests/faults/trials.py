"""Trials of a command under faults: what to do, and what a trial has to leave behind."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lstm_music.store import Store

HERE = Path(__file__).parent
SERVER_IMPORTS = ("flows.cli.commands", "lstm_music.stages.data.parse", "music21", "lstm_music.stages.music.generation")
KILLED = -9
ERRORS = {
    "write": ("ENOSPC", "EIO"),
    "fsync": ("EIO", "ENOSPC"),
    "rename": ("EIO", "EACCES", "ENOSPC"),
    "link": ("EPERM", "EIO", "ENOSPC"),
    "open to write": ("EMFILE", "EACCES", "ENOSPC"),
    "open to read": ("EMFILE", "EIO"),
    "mkdir": ("EACCES", "ENOSPC"),
    "unlink": ("EIO",),
    "mmap": ("ENOMEM",),
}
"""The errors that a call of each kind is made to fail with."""

NOT_COMPARED = {"provenance.json", "names.json", "index.html"}
"""Files of a storage that say when something was made; so are hidden ones left out, which are locks."""


def built(folder: Path) -> Path:
    """Compile the library that makes calls fail. Raises FileNotFoundError without a C compiler."""
    library = folder / "inject.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(HERE / "inject.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Fault:
    """The `at`-th call of a kind, from 1 on, fails with an error (by name) or the process is killed around it."""

    kind: str = "write"
    at: int = 0
    fault: str = "nothing"
    error: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind, str(self.at), self.fault, self.error]))


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), its output, and how often each kind of call came."""

    code: int
    output: str
    counts: dict[str, int] = field(default_factory=dict)


class Server:
    """The process that forks trials."""

    def __init__(self, library: Path, folder: Path) -> None:
        self.folder = folder
        settings = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "COV"))}
        own = {"LD_PRELOAD": str(library), "PYTHONPATH": str(HERE.parents[1]), "HOME": str(folder)}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), *SERVER_IMPORTS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=settings | own,
        )

    def run(self, words: Sequence[str], storage: Path, fault: Fault = Fault()) -> Ended:
        """Run a command under a fault in a new process."""
        output, counts = self.folder / "output", self.folder / "counts"
        counts.unlink(missing_ok=True)
        asked = {
            "words": [*words, "--storage", str(storage)],
            "storage": str(storage),
            "kind": fault.kind,
            "at": fault.at,
            "fault": fault.fault,
            "errno": getattr(errno, fault.error, 0),
            "output": str(output),
            "counts": str(counts),
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())
        found = json.loads(counts.read_text()) if counts.exists() else {}
        return Ended(code, output.read_text(errors="replace"), found)

    def end(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass(frozen=True)
class Outcome:
    """What a trial left: what is wrong (nothing if `problems` is empty), and how its command ended."""

    fault: Fault
    code: int
    problems: tuple[str, ...]


class Trials:
    """Trials of one command, each on a copy of the storage `base` (None: no storage yet)."""

    def __init__(self, server: Server, words: Sequence[str], base: Path | None, folder: Path) -> None:
        self.server, self.words, self.base, self.folder = server, words, base, folder
        self.whole = folder / "undisturbed"
        self._begin(self.whole)
        ended = server.run(words, self.whole)
        assert ended.code == 0, ended.output
        self.counts, self.wanted = ended.counts, contents(self.whole)

    def faults(self, most: int) -> Iterator[Fault]:
        """Yield faults of every kind and error, spread over all calls of the kind, about `most` in all."""
        kinds = [kind for kind, count in self.counts.items() if count]
        each = max(1, most // max(1, sum(len(ERRORS[kind]) + 2 for kind in kinds)))
        for kind in kinds:
            for place, number in enumerate(spread(self.counts[kind], each)):
                for error in ERRORS[kind]:
                    yield Fault(kind, number, ("fail once", "fail on")[place % 2], error)
                if kind not in {"open to read", "mmap"}:
                    yield Fault(kind, number, "kill before")
                    yield Fault(kind, number, "kill after")

    def run(self, fault: Fault) -> Outcome:
        """Run the command under a fault, then again without; say what is wrong with what either left."""
        storage = self.folder / "storage"
        shutil.rmtree(storage, ignore_errors=True)
        self._begin(storage)
        ended = self.server.run(self.words, storage, fault)
        problems = []
        if "Traceback" in ended.output:
            problems.append(f"a traceback: {ended.output.strip().splitlines()[-1]}")
        if ended.code == KILLED and not fault.fault.startswith("kill"):
            problems.append("killed")
        if bad := [*Store(storage).verify().bad] if storage.exists() else []:
            problems.append(f"not valid: {bad[0]}")
        again = self.server.run(self.words, storage)
        if again.code:
            problems.append(f"the next run fails: {again.output.strip().splitlines()[-1]}")
        elif different := sorted(dict(contents(storage).items() ^ self.wanted.items())):
            problems.append(f"the next run makes something else: {different[0]}")
        if left := [path.name for path in (storage / ".partial").glob("*")]:
            problems.append(f"left in .partial: {left[0]}")
        return Outcome(fault, ended.code, tuple(problems))

    def _begin(self, storage: Path) -> None:
        if self.base is not None:
            shutil.copytree(self.base, storage, symlinks=True)


def spread(count: int, wanted: int) -> list[int]:
    """Choose about `wanted` numbers from 1 to `count`, evenly, the first and the last among them."""
    if count <= wanted:
        return list(range(1, count + 1))
    return sorted({1 + round(place * (count - 1) / max(1, wanted - 1)) for place in range(wanted)})


def contents(storage: Path) -> dict[str, str]:
    """Give the SHA-256 of every file of a storage, but for `NOT_COMPARED`; links are left out."""
    return {
        str(path.relative_to(storage)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in storage.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and path.name not in NOT_COMPARED
        and "/." not in str(path.relative_to(storage.parent))
    }

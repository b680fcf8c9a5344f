"""Runs a program in its own home, and finds all its processes."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
COMMAND = str(Path(sys.executable).with_name("lstm-music"))


class Program:
    """A command in an empty home; a mark in its environment identifies its processes."""

    def __init__(self, home: Path, command: Sequence[str], settings: dict[str, str] | None = None) -> None:
        self.home = home
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        self.mark = f"LSTM_MUSIC_TEST={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        # Coverage does not measure whole programs: it makes them slower, and a killed one leaves a broken file.
        inherited = {key: text for key, text in os.environ.items() if not key.startswith(("PREFECT_", "COV"))}
        own = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": str(REPOSITORY), name: value}
        with (home / "stderr").open("wb") as errors:
            self.process = subprocess.Popen(
                [*command],
                cwd=home,
                env=inherited | own | (settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def wait_for(self, moment: str) -> None:
        """Read what the program prints up to the line `moment`."""
        for line in self.process.stdout:
            if line == f"{moment}\n":
                return
        raise AssertionError(f"the program ended before it printed {moment!r}: {self.errors}")

    @property
    def errors(self) -> str:
        """The standard error of the program so far."""
        return (self.home / "stderr").read_text()

    def finish(self) -> str:
        """Wait for the end, and return the rest of the output."""
        rest = self.process.stdout.read()
        self.process.wait()
        self.process.stdout.close()
        return rest

    def kill(self) -> None:
        """End the program itself with SIGKILL, but none of its children."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def alive(self) -> list[str]:
        """The command lines of the program's processes that still run."""
        return list(self._commands().values())

    def processes(self, *parts: str) -> list[int]:
        """Return the ids of the program's processes whose command line contains one of `parts`."""
        return [number for number, command in self._commands().items() if any(part in command for part in parts)]

    def _commands(self) -> dict[int, str]:
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has ended in the meantime, or is not ours
                continue
        return {number: command for number, command in found.items() if command}  # a zombie has neither

    def left_after(self, seconds: float) -> list[str]:
        """Wait until no process of the program is alive; return those that are after `seconds`."""
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(0.05)
        return self.alive()

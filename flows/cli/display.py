"""What a user sees on the terminal: what is done, how far it is, what was made and where.

With `--json` everything for the user goes to standard error, so that standard output holds the one JSON object.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from flows.cli.streams import written
from flows.cli.words import counted
from lstm_music.midi.text import printable

if TYPE_CHECKING:
    from lstm_music.store import ArtifactRef, Store

LOOK_SECONDS = 0.5
QUIET_SECONDS = 1.0
ROWS_SHOWN = 20


class Display:
    """The terminal of one command."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(stderr=as_json, highlight=False, soft_wrap=True)

    def log(self, text: str) -> None:
        """Print a line; its text never counts as markup, nor as commands to the terminal."""
        with suppress(OSError) if self.as_json else written("standard output"):  # what counts with --json is the result
            self.console.print(escape(printable(text)))

    def result(self, value: Mapping[str, Any]) -> None:
        """Print the result for programs, if `--json` was given."""
        self.result_in_parts(json.dumps(part) for part in [value])

    def result_in_parts(self, parts: Iterable[str]) -> None:
        """Print the JSON of a long result, part by part, if `--json` was given."""
        if self.as_json:
            with written("standard output"):
                sys.stdout.writelines(parts)
                print(flush=True)  # noqa: T201 - standard output is for this object alone

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """Show that something is under way."""
        if self.console.is_terminal:
            with self.console.status(escape(text)):
                yield
        else:
            self.log(f"{text} …")
            yield

    def loading(self) -> AbstractContextManager[None]:
        """Show that what a command imports, which takes a second, is being imported."""
        return self.doing("Loading lstm-music")

    @contextmanager
    def ingesting(self, source: str) -> Iterator[Callable[[int, int], None]]:
        """Show that a source is ingested, and how much of a download has arrived."""
        if not self.console.is_terminal:
            self.log(f"Ingesting {source} …")
            yield self._log_quarters()
            return
        text = escape(printable(f"Ingesting {source}"))
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn())
        bars = Progress(*columns, console=self.console, transient=True)
        task = bars.add_task(text, total=None)
        with self.console.status(text) as status:

            def show(here: int, wanted: int) -> None:
                status.stop()
                bars.start()
                bars.update(task, completed=here, total=wanted or None)

            try:
                yield show
            finally:
                bars.stop()

    def _log_quarters(self) -> Callable[[int, int], None]:
        """Print a line, for a log, per quarter of a download that has arrived."""
        logged = 0

        def log(here: int, wanted: int) -> None:
            nonlocal logged
            if wanted and here * 4 // wanted > logged:
                logged = here * 4 // wanted
                self.log(f"Downloaded {here:,} of {wanted:,} bytes")

        return log

    def _log_files(self) -> Callable[[int, int], None]:
        """Print a line, for a log, when files exist and nothing was said of them for a second."""
        said = time.monotonic()

        def log(done: int, wanted: int) -> None:
            nonlocal said
            if time.monotonic() - said >= QUIET_SECONDS:
                said = time.monotonic()
                self.log(f"Rendered {done} of {counted(wanted, 'file')}")

        return log

    @contextmanager
    def generating(self, text: str) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
        """Show the stages of a generation; yield what is called when a stage begins, and when (so many, of so many) files exist.

        A terminal shows the time since a stage began, and the time left once files are counted; a log has a line per stage, and
        lines about the files that take long.
        """
        if not self.console.is_terminal:
            self.log(f"{text} …")
            yield lambda stage: self.log(f"{stage} …"), self._log_files()
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}"),
        )
        self.log(text)
        with Progress(*columns, console=self.console, transient=True) as bars:
            shown: list[TaskID] = []

            def begin(stage: str) -> None:
                for task in shown:
                    bars.remove_task(task)
                shown[:] = [bars.add_task(escape(stage), total=None, text="")]

            def count(done: int, wanted: int) -> None:
                bars.update(shown[0], completed=done, total=wanted)
                left = bars.tasks[0].time_remaining
                text = f"{done} of {counted(wanted, 'file')}" + (f", {left:.0f} s left" if left else "")
                bars.update(shown[0], text=text)

            yield begin, count

    @contextmanager
    def trainings(
        self, store: "Store", refs: Mapping[str, "ArtifactRef"] = MappingProxyType({})
    ) -> Iterator[dict[str, "ArtifactRef"]]:
        """Show a bar for each training, from what it leaves in storage, whichever process it runs in.

        Yields the trainings by what they are called; more may be added while they run.
        """
        done, shown = threading.Event(), dict(refs)
        watcher = threading.Thread(target=self._watch, args=(store, shown, done), daemon=True)
        watcher.start()
        try:
            yield shown
        finally:
            done.set()
            watcher.join()
        for model, ref in shown.items():
            self.log(f"{model:11} {_trained_text(store.open(ref).facts)}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> None:
        """Print a table; the first `texts` columns are text, the others numbers."""
        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number < texts else "right")
        for row in rows:
            table.add_row(*(escape(printable(cell)) for cell in row))
        self.console.print(table)

    def _watch(self, store: "Store", refs: Mapping[str, "ArtifactRef"], done: threading.Event) -> None:
        from lstm_music.stages.training.checkpoints import ProgressWatch

        if not self.console.is_terminal:
            self._watch_quietly(store, refs, done)
            return
        with _bars(self.console) as bars:
            tasks: dict[str, TaskID] = {}
            watch = ProgressWatch(store)
            while not done.wait(LOOK_SECONDS):
                for model, ref in list(refs.items()):
                    said = watch.read(ref)
                    if said is not None:
                        if model not in tasks:
                            tasks[model] = bars.add_task(model, total=said["epochs"] * said["steps"], text="")
                        completed = (said["epoch"] - 1) * said["steps"] + said["step"]
                        bars.update(tasks[model], completed=completed, text=_progress_text(said))
                    elif model in tasks and store.has(ref):
                        bars.update(tasks[model], completed=bars.tasks[tasks[model]].total, text="trained")

    def _watch_quietly(self, store: "Store", refs: Mapping[str, "ArtifactRef"], done: threading.Event) -> None:
        """Print a line per epoch that is seen, for a log."""
        from lstm_music.stages.training.checkpoints import ProgressWatch

        watch, logged = ProgressWatch(store), dict[str, int]()
        while not done.wait(LOOK_SECONDS):
            for model, ref in list(refs.items()):
                said = watch.read(ref)
                if said is not None and said["scored_epochs"] > logged.get(model, 0):
                    logged[model] = said["scored_epochs"]
                    self.log(f"{model:11} {_progress_text(said)}")


def _trained_text(facts: Mapping[str, Any]) -> str:
    """Write in one line how good a model became."""
    return f"trained, held-out{' (leaky)' if facts['leaky'] else ''} {facts['held_out_nll']:.3f} nats per event"


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:11}"), BarColumn(bar_width=24), TextColumn("{task.fields[text]}"), console=console
    )


def _progress_text(said: Mapping[str, Any]) -> str:
    """Write in one line where a training is."""
    parts = [f"epoch {said['epoch']} of {said['epochs']}", f"loss {said['loss']:.3f}"]
    if said["held_out"] is not None:
        parts.append(
            f"held-out{' (leaky)' if said['leaky'] else ''} {said['held_out']:.3f} after {said['scored_epochs']}"
        )
    if said["seconds_left"] is not None:
        minutes, seconds = divmod(round(said["seconds_left"]), 60)
        parts.append(f"at most {minutes}:{seconds:02d} left")
    return ", ".join(parts)

"""What a person sees on the terminal: what is done, how far it is, what was made and where.

With `--json` everything a person reads goes to standard error, so that standard output holds the one JSON object.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from lstm_music.midi.text import printable

if TYPE_CHECKING:
    from lstm_music.store import ArtifactRef, Store

LOOK_SECONDS = 0.5
ROWS_SHOWN = 20


class Display:
    """The terminal of one command."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(stderr=as_json, highlight=False, soft_wrap=True)

    def log(self, text: str) -> None:
        """Print a line; what stands in it is never taken for markup, nor for commands to the terminal."""
        self.console.print(escape(printable(text)))

    def result(self, value: Mapping[str, Any]) -> None:
        """Print the result for programs, where it was asked for."""
        if self.as_json:
            print(json.dumps(value), flush=True)  # noqa: T201 - standard output is for this object alone

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """Show that something is under way."""
        if self.console.is_terminal:
            with self.console.status(escape(text)):
                yield
        else:
            self.log(f"{text} …")
            yield

    @contextmanager
    def taking_in(self, source: str) -> Iterator[Callable[[int, int], None]]:
        """Show that a source is taken in, and how many bytes of how many are here where it is downloaded."""
        if not self.console.is_terminal:
            self.log(f"Taking in {source} …")
            yield self._tell_quarters()
            return
        text = escape(printable(f"Taking in {source}"))
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

    def _tell_quarters(self) -> Callable[[int, int], None]:
        """Print a line, for a log, for each quarter of a download that has come."""
        told = 0

        def tell(here: int, wanted: int) -> None:
            nonlocal told
            if wanted and here * 4 // wanted > told:
                told = here * 4 // wanted
                self.log(f"Downloaded {here:,} of {wanted:,} bytes")

        return tell

    @contextmanager
    def rendering(self, text: str) -> Iterator[Callable[[int, int], None]]:
        """Show that music is made, and then how many files of how many are rendered."""
        if not self.console.is_terminal:
            self.log(f"{text} …")
            yield lambda _done, _all: None
            return
        with self.console.status(escape(text)) as status:
            yield lambda done, wanted: status.update(f"Rendering audio and sheet music: {done} of {wanted}")

    @contextmanager
    def trainings(self, store: "Store", refs: Mapping[str, "ArtifactRef"]) -> Iterator[None]:
        """Show a bar for each training, from what it leaves in storage, whichever process it runs in."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(store, refs, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
        for model, ref in refs.items():
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
        from lstm_music.stages.training.checkpoints import read_progress

        if not self.console.is_terminal:
            self._watch_quietly(store, refs, done)
            return
        with _bars(self.console) as bars:
            tasks: dict[str, TaskID] = {}
            while not done.wait(LOOK_SECONDS):
                for model, ref in refs.items():
                    said = read_progress(store, ref)
                    if said is not None:
                        if model not in tasks:
                            tasks[model] = bars.add_task(model, total=said["epochs"] * said["steps"], text="")
                        completed = (said["epoch"] - 1) * said["steps"] + said["step"]
                        bars.update(tasks[model], completed=completed, text=_progress_text(said))
                    elif model in tasks and store.has(ref):
                        bars.update(tasks[model], completed=bars.tasks[tasks[model]].total, text="trained")

    def _watch_quietly(self, store: "Store", refs: Mapping[str, "ArtifactRef"], done: threading.Event) -> None:
        """Print a line for each epoch that is seen, for a log."""
        from lstm_music.stages.training.checkpoints import read_progress

        told: dict[str, int] = {}
        while not done.wait(LOOK_SECONDS):
            for model, ref in refs.items():
                said = read_progress(store, ref)
                if said is not None and said["scored_epochs"] > told.get(model, 0):
                    told[model] = said["scored_epochs"]
                    self.log(f"{model:11} {_progress_text(said)}")


def _trained_text(facts: Mapping[str, Any]) -> str:
    """Say how good a model became, in one line."""
    return f"trained, held-out{' (leaky)' if facts['leaky'] else ''} {facts['held_out_nll']:.3f} nats per event"


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:11}"), BarColumn(bar_width=24), TextColumn("{task.fields[text]}"), console=console
    )


def _progress_text(said: Mapping[str, Any]) -> str:
    """Say where a training is, in one line."""
    parts = [f"epoch {said['epoch']} of {said['epochs']}", f"loss {said['loss']:.3f}"]
    if said["held_out"] is not None:
        parts.append(
            f"held-out{' (leaky)' if said['leaky'] else ''} {said['held_out']:.3f} after {said['scored_epochs']}"
        )
    if said["seconds_left"] is not None:
        minutes, seconds = divmod(round(said["seconds_left"]), 60)
        parts.append(f"at most {minutes}:{seconds:02d} left")
    return ", ".join(parts)

"""A Dask scheduler and its workers as a user starts them: processes of their own, which tests may kill."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from distributed import Client
from program import Program

DASK = [sys.executable, "-m", "dask"]


class DaskCluster:
    """A scheduler on this machine, and workers without nannies, so that a killed one stays dead."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers = folder, []
        file = folder / "scheduler.json"
        self._known = ["--no-dashboard", "--scheduler-file", str(file)]
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", *self._known]
        self.scheduler = Program(folder / "scheduler", [*DASK, *words])
        while not file.exists():
            assert self.scheduler.process.poll() is None, self.scheduler.errors
            time.sleep(0.05)
        self.address: str = json.loads(file.read_text())["address"]

    def add_worker(self, *words: str, **settings: str) -> Program:
        """Start a worker; the words are further options of `dask worker`."""
        home = self.folder / f"worker {len(self.workers)}"
        self.workers.append(Program(home, [*DASK, "worker", "--no-nanny", *self._known, *words], settings))
        return self.workers[-1]

    def wait_for_workers(self, number: int) -> None:
        """Wait until so many workers have registered."""
        with Client(self.address) as client:
            client.wait_for_workers(number, timeout=120)

    def done(self) -> dict[str, int]:
        """How many tasks each worker has executed, by its address."""
        with Client(self.address) as client:
            return client.run(lambda dask_worker: dask_worker.state.executed_count)

    def functions(self) -> set[str]:
        """The names of the functions that the scheduler was given."""
        with Client(self.address) as client:
            return set(client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.task_prefixes)))

    def training_on(self) -> list[Program]:
        """The workers with a child process of a training."""
        return [worker for worker in self.workers if worker.processes("lstm_music.child")]

    def close(self) -> None:
        """End all processes."""
        for program in (self.scheduler, *self.workers):
            program.kill()
            for process in program.processes(""):
                os.kill(process, signal.SIGKILL)

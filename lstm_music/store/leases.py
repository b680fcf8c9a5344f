"""Leases in a bucket, which has no locks: small objects below `.leases/`, each renewed while its process lives.

A session writes its lease and then lists all of them; so does whoever wants the bucket alone, to remove from it. Whoever finds
a living lease that excludes its own takes its own away and waits or gives up. This is safe where a listing shows every finished
write, as in S3 since December 2020: each writes before it lists, so of two at least one sees the other. Both may see each other;
then both withdraw, which is safe too.

A lease lives for `LIFE_SECONDS` after its last change, by the clock of the store: the age of another one is the difference of
two times that the store itself gave. A process that was suspended for too long finds its own lease too old by its own clock, some
time before others do, and writes no more. Nothing has to be taken over: the lease of a killed process is ignored, and removed.
"""

import contextlib
import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from lstm_music.errors import StorageError, StorageInUseError
from lstm_music.store.files import Entry

FOLDER = ".leases"
LIFE_SECONDS = 300.0
RENEW_SECONDS = 60.0
POLL_SECONDS = 2.0

Kind = Literal["session", "alone"]


class Objects(Protocol):
    """What leases need from a bucket."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing any of that key."""

    def listed(self, key: str) -> dict[str, Entry]:
        """List the objects below a key, hidden ones too."""

    def read(self, key: str) -> bytes:
        """Read an object."""

    def remove(self, key: str) -> None:
        """Remove an object, if it is there."""

    def shown(self, key: str) -> Path | str:
        """Give its URL."""


class Leases:
    """The leases of one process in one bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._held = _HELD.setdefault(str(objects.shown("")), [])

    @contextmanager
    def session(self) -> Iterator[None]:
        """Hold the bucket together with other sessions; wait while somebody has it alone."""
        while (lease := self._taken("session", "alone")) is None:
            time.sleep(POLL_SECONDS)
        with self._kept(lease):
            yield

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """Hold the bucket alone. Raises StorageInUseError where others hold it, unless `wait` says to wait for them."""
        while (lease := self._taken("alone", "session", "alone")) is None:
            if not wait:
                raise StorageInUseError(self._busy())
            time.sleep(POLL_SECONDS + int.from_bytes(os.urandom(1)) / 100)  # two that wait do not meet again and again
        with self._kept(lease):
            yield

    def require_alive(self) -> None:
        """Raise StorageError where a lease of this process became too old: others may have removed what it found."""
        if any(lease.is_lost for lease in self._held):
            raise StorageError(
                f"{self._objects.shown(FOLDER)}: this process was away for longer than its lease, so others may have removed "
                "what it found; finished work is kept, so run the same command again"
            )

    def _taken(self, kind: Kind, *excluded: Kind) -> "_Lease | None":
        """Write a lease; take it away again if one of an excluded kind is alive."""
        lease = _Lease(self._objects, kind)
        lease.renew()
        others = self._alive(lease)
        if not any(other.rpartition("/")[2].startswith(excluded) for other in others):
            return lease
        self._objects.remove(lease.key)
        return None

    def _alive(self, own: "_Lease") -> list[str]:
        """List the other living leases, and remove dead ones."""
        found = self._objects.listed(FOLDER)
        now = found[own.key].written
        alive = []
        for key, entry in found.items():
            if now - entry.written > LIFE_SECONDS:
                self._objects.remove(key)
            elif key != own.key:
                alive.append(key)
        return alive

    def _busy(self) -> str:
        return f"{self._objects.shown('')}: in use by {', '.join(self._holders())}; wait until they end, or give --wait"

    def _holders(self) -> list[str]:
        said = []
        for key in self._objects.listed(FOLDER):
            with contextlib.suppress(OSError, ValueError, KeyError):
                holder: dict[str, Any] = json.loads(self._objects.read(key))
                said.append(f"{holder['command']} (process {holder['process']} on {holder['machine']})")
        return said or ["another process"]

    @contextmanager
    def _kept(self, lease: "_Lease") -> Iterator[None]:
        """Renew a lease until the end of the block, and remove it then."""
        ended = threading.Event()
        renewing = threading.Thread(target=lease.renew_until, args=(ended,), daemon=True)
        renewing.start()
        self._held.append(lease)
        try:
            yield
        finally:
            self._held.remove(lease)
            ended.set()
            renewing.join()  # or it might write the lease again after its removal
            with contextlib.suppress(StorageError):  # an unreachable store forgets it in time
                self._objects.remove(lease.key)


class _Lease:
    def __init__(self, objects: Objects, kind: Kind) -> None:
        self.key = f"{FOLDER}/{kind}-{uuid.uuid4().hex}.json"
        self._objects = objects
        self._renewed = _now()
        self._text = json.dumps(
            {"process": os.getpid(), "machine": socket.gethostname(), "command": Path(sys.argv[0] or "python").name}
        ).encode()

    @property
    def is_lost(self) -> bool:
        """Whether others may soon take it for dead."""
        return _now() - self._renewed > LIFE_SECONDS - RENEW_SECONDS

    def renew(self) -> None:
        """Write it, so that it lives on."""
        begun = _now()
        self._objects.put(self.key, self._text)
        if not self.is_lost:  # once lost, it stays lost: others may have removed what this process found
            self._renewed = begun

    def renew_until(self, ended: threading.Event) -> None:
        """Renew it from time to time; a store that cannot be reached is asked again."""
        while not ended.wait(RENEW_SECONDS):
            with contextlib.suppress(StorageError):
                self.renew()


_HELD: dict[str, list[_Lease]] = {}
"""By bucket, the leases of this process, whichever of its stores took them."""


def _now() -> float:
    """Give the seconds on a clock that goes on while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if clock is None else time.clock_gettime(clock)

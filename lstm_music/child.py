"""Work in a child process: it can be killed, has limits of time and memory, and ends with its parent.

The parent writes one JSON line, the request, to the child's stdin and keeps it open as the child's lifeline. The child
writes JSON lines to a pipe of their own: {"message": …} any number of times, then {"result": …} or what it failed with.
The end of what it or its libraries print otherwise is kept, and reported if the child dies.

The lifeline needs no thread: the child has the system send it SIGIO, which ends a process, when the other end of the
pipe is closed, so it also works while a regular expression or a native loop holds the interpreter's lock.
"""

import contextlib
import fcntl
import importlib
import json
import logging
import multiprocessing
import os
import resource
import select
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import IO, Any

from lstm_music import errors
from lstm_music.credentials import of_a_stranger, without_credentials
from lstm_music.errors import ChildError, LstmMusicError
from lstm_music.isolation import leave_network

Message = dict[str, Any]

# Its lines reach the log of a run in Prefect, and nobody where there is none.
_LOG = logging.getLogger("lstm_music.child")

OUTPUT_TAIL_BYTES = 16 * 1024
# A child that has given its answer and still does not end (a library's thread at exit) is ended after this.
EXIT_SECONDS = 10.0
POLL_SECONDS = 1.0


def run_child(
    target: str,
    request: Any,
    *,
    on_message: Callable[[Message], None] | None = None,
    timeout_seconds: float | None = None,
    memory_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
    reads_foreign: bool = False,
) -> Any:
    """Call `target` ("package.module:function") in a new process as `function(request, send)` and return its result.

    Request, result and the mappings that the function gives to `send` are JSON; each message is handed to `on_message`
    here. The child has a temporary folder of its own, `environment` on top of this process's without its credentials, and
    on Linux at most `memory_bytes` of data. A child that `reads_foreign` files gets only the variables that programs need, and
    no network where the system allows that. It is killed, with all that it started, when `timeout_seconds` are over, when
    `on_message` raises, and on an interrupt.

    Raises the child's own error where that is a LstmMusicError, and ChildError for anything else that ends it; the end
    of what the child printed is a note of that error.
    """
    asked = {"target": target, "request": request, "memory_bytes": memory_bytes, "reads_foreign": reads_foreign}
    line = json.dumps(asked).encode() + b"\n"
    with tempfile.TemporaryDirectory(prefix="lstm-music-", ignore_cleanup_errors=True) as folder:
        # The child finds the modules that its parent finds, whatever its working directory holds (-P).
        inherited = of_a_stranger(os.environ) if reads_foreign else without_credentials(os.environ)
        variables = {**inherited, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": folder, **(environment or {})}
        child = _Child(line, variables, on_message or (lambda _message: None), timeout_seconds)
        try:
            child.converse()
        finally:
            child.end()
    answer = child.answer
    if answer is not None and "result" in answer:
        return answer["result"]
    error = _error(answer or {}, target, child, timeout_seconds, memory_bytes)
    error.add_note(child.output.decode(errors="replace"))
    raise error


def follow_parent() -> None:
    """End this process when its parent dies: for workers of a multiprocessing pool. Does nothing in a main process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_at_end_of(parent.sentinel, os.getpid())


class _Child:
    """The parent's side: a running child, what it has answered (`answer`) and the end of what it printed (`output`)."""

    def __init__(
        self,
        request: bytes,
        variables: Mapping[str, str],
        on_message: Callable[[Message], None],
        timeout_seconds: float | None,
    ) -> None:
        self._unsent = memoryview(request)
        self.answer: Message | None = None
        self.output = b""
        self._unlogged = b""  # of the line that it is printing
        self.timed_out = False
        self._on_message = on_message
        self._deadline = float("inf") if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._unfinished: list[bytes] = []  # of a line of messages
        messages, childs_end = os.pipe()
        self._messages = os.fdopen(messages, "rb", buffering=0)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [sys.executable, "-P", "-m", "lstm_music.child", str(childs_end)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=[childs_end],
                env=variables,
                start_new_session=True,  # a group that can be killed whole, and Ctrl-C is for the parent
            )
        except BaseException:
            self._messages.close()
            raise
        finally:
            os.close(childs_end)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._lifeline, self._printed = self.process.stdin, self.process.stdout
        self._selector = selectors.DefaultSelector()

    def converse(self) -> None:
        """Give the child its request and listen until it ends or its time is over."""
        os.set_blocking(self._lifeline.fileno(), False)
        self._selector.register(self._lifeline, selectors.EVENT_WRITE, self._ask)
        self._selector.register(self._printed, selectors.EVENT_READ, self._keep)
        self._selector.register(self._messages, selectors.EVENT_READ, self._listen)
        while self._messages in self._selector.get_map():
            seconds_left = self._deadline - time.monotonic()
            if seconds_left <= 0:
                self.timed_out = self.answer is None
                return
            ready = self._selector.select(min(seconds_left, POLL_SECONDS))
            for key, _ in ready:
                key.data(key.fileobj)
            if not ready and self.process.poll() is not None:
                return  # a process that it forked holds its pipes open
        os.set_blocking(self._printed.fileno(), False)
        while data := self._printed.read(1 << 16):
            self._remember(data)

    def end(self) -> None:
        """Kill the child and all that it started, and wait for it; one that has ended by itself keeps its exit code."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of one that has ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._selector.close()
        for pipe in (self._lifeline, self._printed, self._messages):
            pipe.close()

    def _ask(self, lifeline: IO[bytes]) -> None:
        try:
            self._unsent = self._unsent[os.write(lifeline.fileno(), self._unsent) :]
        except BrokenPipeError:  # it is dead already, and its exit code will say of what
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(lifeline)

    def _keep(self, printed: IO[bytes]) -> None:
        data = printed.read(1 << 16)
        if not data:
            self._selector.unregister(printed)
        self._remember(data)

    def _remember(self, data: bytes) -> None:
        """Keep the end of what the child printed, and log each line of it."""
        self.output = (self.output + data)[-OUTPUT_TAIL_BYTES:]
        *lines, self._unlogged = (self._unlogged + data).split(b"\n")
        if len(self._unlogged) > OUTPUT_TAIL_BYTES:  # a line without an end must not fill memory
            lines, self._unlogged = [*lines, self._unlogged], b""
        for line in filter(None, map(bytes.rstrip, lines)):
            _LOG.info("%s", line.decode(errors="replace"))

    def _listen(self, messages: IO[bytes]) -> None:
        data = messages.read(1 << 16)
        if not data:
            self._selector.unregister(messages)
        self._unfinished.append(data)
        if b"\n" not in data:
            return
        *lines, rest = b"".join(self._unfinished).split(b"\n")
        self._unfinished = [rest]
        for line in lines:
            said = json.loads(line)
            if "message" in said:
                self._on_message(said["message"])
            else:
                self.answer = said
                self._deadline = min(self._deadline, time.monotonic() + EXIT_SECONDS)


def _error(
    answer: Message, target: str, child: _Child, timeout_seconds: float | None, memory_bytes: int | None
) -> LstmMusicError:
    """Build the error for a child that gave no result, from its answer if it gave one, else from how it ended."""
    if "error" in answer:
        known: type[LstmMusicError] = getattr(errors, answer["error"]["class"])
        return known(answer["error"]["sentence"])
    if child.timed_out:
        return ChildError(
            f"{target}: stopped after {timeout_seconds:g} seconds, its time limit; allow more time, or give it less to do"
        )
    if "memory" in answer:
        limit = f"{memory_bytes:,} bytes, its limit" if memory_bytes else "the memory of this machine"
        return ChildError(f"{target}: needed more than {limit}; allow more memory, or give it less to do")
    if "crash" in answer:
        return ChildError(f"{target}: failed with {answer['crash']}; please report this fault of the program")
    lines = child.output.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    code = child.process.returncode
    how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    error = ChildError(f"{target}: the child process {how} before it gave a result; its last line was: {last}")
    error.ended_by = max(-code, 0)
    return error


def main() -> None:
    """Be the child: read a request from stdin, call its target, answer on the pipe that the only argument numbers."""
    pipe = int(sys.argv[1])
    os.set_inheritable(pipe, False)  # it is this process's end that the parent waits for, not that of what it starts
    line = sys.stdin.buffer.readline()
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    _end_at_end_of(lifeline, -os.getpgrp())
    asked = json.loads(line)
    if asked["reads_foreign"]:
        leave_network()
    # Left open: the parent takes the end of this pipe for the end of this process.
    sender = _Sender(os.fdopen(pipe, "wb", closefd=False))
    sender.line(_answer(asked["target"], asked["request"], asked["memory_bytes"], sender.message))


class _Sender:
    """The child's side of the pipe of messages; threads of the child may send at once."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def message(self, content: Message) -> None:
        """Send a message to the parent's `on_message`."""
        self.line(json.dumps({"message": content}))

    def line(self, text: str) -> None:
        """Write one line of JSON."""
        with self._lock:
            self._pipe.write(text.encode() + b"\n")
            self._pipe.flush()


def _answer(target: str, request: Any, memory_bytes: int | None, send: Callable[[Message], None]) -> str:
    """Call the target and spell its answer, whatever comes of it."""
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        if memory_bytes is not None:
            # Data, not address space: libraries reserve many times what they use.
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, limits[1]))
        module, _, name = target.partition(":")
        return json.dumps({"result": getattr(importlib.import_module(module), name)(request, send)})
    except LstmMusicError as error:
        known = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return json.dumps({"error": {"class": known, "sentence": str(error)}})
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_DATA, limits)
        return json.dumps({"memory": memory_bytes})
    except Exception as error:  # noqa: BLE001 - the parent raises it again
        traceback.print_exc()
        return json.dumps({"crash": " ".join(f"{type(error).__name__}: {error}".split())})


def _end_at_end_of(pipe: int, owner: int) -> None:
    """Have the system end a process (or, where `owner` is negative, a group) when the other end of `pipe` is closed."""
    fcntl.fcntl(pipe, fcntl.F_SETOWN, owner)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:  # it was closed before the system was asked
        os.kill(owner, signal.SIGIO)


if __name__ == "__main__":
    main()

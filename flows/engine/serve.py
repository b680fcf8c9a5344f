"""A Prefect server, a worker and all deployments on one machine, until Ctrl-C: `make serve`, or `python -m flows.engine.serve`.

It suits a first try on one machine; docs/operation.md describes a permanent setup. This module does not import Prefect.
"""

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from flows.engine import served_child
from flows.engine.access import CLIENT_AUTH, SERVER_AUTH, Access
from flows.engine.own_packages import require_own_packages
from flows.engine.server import prefect_home
from lstm_music.errors import ChildError, LstmMusicError

STARTUP_SECONDS = 120.0
LOOK_SECONDS = 0.5
AGAIN_SECONDS = 5.0
"""The pause before a worker that ended is started again, so that one that cannot start does not keep the machine busy."""

END_SECONDS = 30.0
"""How long a part may take to end after the request to end."""

WORKER = ("worker", "start", "--pool", "lstm-music", "--type", "process")
USUAL = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_CLASS": "flows.engine.console.OneLineHandler",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
"""Settings that your own ones replace. The terminal shows warnings and errors; the UI shows all lines of a run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM, with exit code 0; on an error print one sentence and exit with its code."""
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    said = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        access = Access.of(said.host, said.port, os.environ)
        require_own_packages(Path.cwd())
        with access.kept(prefect_home(os.environ)) as file:
            serve(access, file)
    except LstmMusicError as error:
        sys.stderr.write(f"make serve: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Finished results are kept; a training continues at its next run.\n")


def serve(access: Access, file: Path | None) -> None:
    """Start the server, deploy, start the worker, and supervise them; `file` has what a second terminal needs."""
    environment = {**USUAL, **os.environ, **access.client_settings(os.environ)}
    environment.pop(SERVER_AUTH, None)  # the server alone needs it
    parts: dict[str, subprocess.Popen[bytes]] = {}
    try:
        _say(f"Starting Prefect's server at {access.address} …")
        parts["server"] = _start_server(access, environment)
        _wait_until_ready(environment["PREFECT_API_URL"], parts["server"])
        _say("Deploying …")
        _deploy(environment)
        parts["worker"] = _start(WORKER, environment)
        _say_how_to_use(access, file)
        _watch_over(parts, environment)
    finally:
        _stop(parts)


def _say_how_to_use(access: Access, file: Path | None) -> None:
    _say(f"Ready. The UI is at {access.address}; Ctrl-C stops everything.")
    if file is None:
        _say(f"The UI asks for a password: the user:password that you set as {SERVER_AUTH}. In another terminal:")
        _say(f"  export PREFECT_API_URL={access.address}/api {CLIENT_AUTH}=USER:PASSWORD")
    else:
        password = access.credentials if sys.stdout.isatty() else f"what stands behind {CLIENT_AUTH}= in {file}"
        _say(f"The UI asks for a password, once: {password}")
        _say("In another terminal:")
        _say(f"  source {shlex.quote(str(file))}")
    _say("  prefect deployment run train-all/train-all --param recipe=demo")


def _start_server(access: Access, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Listen, and hand the socket to the server: from here on nobody else can take the port, and the password with it."""
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
    try:
        listener = socket.create_server((access.host, access.port), family=family)
    except OSError as error:
        raise ChildError(
            f"--port: cannot listen at {access.host}:{access.port} ({error.strerror}); choose another port"
        ) from error
    with listener:
        words = ["serve", str(listener.fileno()), *access.names]
        return _start(words, {**environment, **access.server_settings(environment)}, listener.fileno())


def _start(words: Sequence[str], environment: Mapping[str, str], *descriptors: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  our own file, run by this Python
        [sys.executable, "-P", served_child.__file__, *words],
        stdin=subprocess.PIPE,
        pass_fds=descriptors,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C reaches this process alone, which ends its parts in order
    )


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ChildError("Prefect's server ended while it started; see its output above")
        try:
            with directly.open(f"{url}/health", timeout=5):
                return
        except urllib.error.HTTPError:  # it runs, and refuses
            return
        except OSError:
            time.sleep(LOOK_SECONDS)
    raise ChildError(f"Prefect's server did not start within {STARTUP_SECONDS:g} seconds; try again on an idle machine")


def _deploy(environment: Mapping[str, str]) -> None:
    done = subprocess.run([sys.executable, "-m", "flows.engine.deploy"], env=environment, check=False)
    if done.returncode:
        raise ChildError("the deployments failed; see the output of Prefect above")


def _watch_over(parts: "dict[str, subprocess.Popen[bytes]]", environment: Mapping[str, str]) -> NoReturn:
    """Restart a worker that ended; when the server ends, everything ends."""
    while True:
        if parts["server"].poll() is not None:
            raise ChildError(
                f"Prefect's server ended with exit code {parts['server'].returncode}; see its output above"
            )
        if parts["worker"].poll() is not None:
            _say(f"The worker ended with exit code {parts['worker'].returncode}; starting another one")
            time.sleep(AGAIN_SECONDS)
            parts["worker"] = _start(WORKER, environment)
        time.sleep(LOOK_SECONDS)


def _stop(parts: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    """End the worker first, so that it can report to the server, then the server; kill a part that does not end."""
    for part in reversed(list(parts.values())):
        assert part.stdin is not None
        part.stdin.close()
        try:
            part.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(part.pid, signal.SIGKILL)
            part.wait()


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A Prefect server, a worker and all deployments on one machine, until Ctrl-C: `make serve`, or `python -m flows.engine.serve`.

It suits a first try on one machine; docs/operation.md describes a permanent setup. This module does not import Prefect.
"""

import argparse
import ipaddress
import os
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
from flows.engine.own_packages import require_own_packages
from lstm_music.errors import ChildError, LstmMusicError, RecipeError

STARTUP_SECONDS = 120.0
LOOK_SECONDS = 0.5
AGAIN_SECONDS = 5.0
"""The pause before a worker that ended is started again, so that one that cannot start does not keep the machine busy."""

END_SECONDS = 30.0
"""How long a part may take to end after the request to end."""

AUTH = "PREFECT_SERVER_API_AUTH_STRING"
WORKER = ("worker", "start", "--pool", "lstm-music", "--type", "process")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM, with exit code 0; on an error print one sentence and exit with its code."""
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    said = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        require_safe(said.host, os.environ)
        require_own_packages(Path.cwd())
        serve(said.host, said.port)
    except LstmMusicError as error:
        sys.stderr.write(f"make serve: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Finished results are kept; a training continues at its next run.\n")


def require_safe(host: str, environment: Mapping[str, str]) -> None:
    """Raise RecipeError for an address that others can reach if no password is set: Prefect runs whatever it is sent."""
    if _is_loopback(host) or environment.get(AUTH):
        return
    raise RecipeError(
        f"--host {host}: other machines could reach it, and a Prefect server without a password runs anybody's code; leave out "
        f"--host, or set {AUTH}=USER:PASSWORD (and PREFECT_API_AUTH_STRING to the same value)"
    )


def serve(host: str, port: int) -> None:
    """Start the server, deploy, start the worker, and supervise them."""
    _require_free(host, port)
    environment = _settings(host, port, os.environ)
    url = environment["PREFECT_API_URL"]
    parts: dict[str, subprocess.Popen[bytes]] = {}
    try:
        _say(f"Starting Prefect's server at {url.removesuffix('/api')} …")
        parts["server"] = _start(["server", "start", "--host", host, "--port", str(port)], environment)
        _wait_until_ready(url, parts["server"])
        _say("Deploying …")
        _deploy(environment)
        parts["worker"] = _start(WORKER, environment)
        _say(f"Ready. The UI is at {url.removesuffix('/api')}; Ctrl-C stops everything. In another terminal:")
        _say(f"  export PREFECT_API_URL={url}")
        _say("  prefect deployment run train-all/train-all --param recipe=demo")
        _watch_over(parts, environment)
    finally:
        _stop(parts)


def _settings(host: str, port: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of all parts: your own Prefect settings stay, except for the address."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared, not bound
    usual = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    if AUTH in environment:
        usual["PREFECT_API_AUTH_STRING"] = environment[AUTH]
    no_proxy = ",".join(filter(None, [environment.get("NO_PROXY"), shown]))
    address = f"[{shown}]" if ":" in shown else shown
    return {**usual, **environment, "PREFECT_API_URL": f"http://{address}:{port}/api", "NO_PROXY": no_proxy}


def _start(words: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  our own file, run by this Python
        [sys.executable, "-P", served_child.__file__, *words],
        stdin=subprocess.PIPE,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C reaches this process alone, which ends its parts in order
    )


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ChildError("Prefect's server ended while it started; see its output above")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310  our own address
                return
        except urllib.error.HTTPError:  # it asks for the password, so it runs
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


def _require_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        raise ChildError(f"--port: cannot listen at {host}:{port} ({error.strerror}); choose another port") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

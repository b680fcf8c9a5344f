"""Orchestration of one run: your own Prefect server, or a temporary one that ends with the run.

Importing Prefect takes seconds and reads its settings. So this module imports it late, you enter `orchestrated()` before you
import a flow, and the server starts while the run imports the flow.
"""

import contextlib
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from flows.engine import server_child
from lstm_music.credentials import without_credentials
from lstm_music.errors import ChildError, LstmMusicError

LONGEST_REASON = 300  # characters; a server that refuses a request quotes all of it

STARTUP_SECONDS = 120.0
"""How long a temporary server may take to answer; 6 s are normal on an idle machine."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "lstm_music",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_ROOT_LEVEL": "INFO",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
}
"""Prefect's log lines go to the server, not to the terminal. Prefect always keeps the error of a failed flow: as JSON, not as a
pickle. On a server of yours an automation marks a run as crashed that sends no heartbeat for 90 seconds; Prefect's usual pause
between two is twice that. Your own values of these settings stay."""

QUIET_WARNINGS = "ignore:resource_tracker:UserWarning"
"""Python's resource tracker frees the semaphores of a pool that was killed, and should not warn about it."""

NO_SERVICES = {
    f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
    for service in (
        "CANCELLATION_CLEANUP",
        "CLEANUP_RECONCILER",
        "EVENT_PERSISTER",
        "FOREMAN",
        "LATE_RUNS",
        "PAUSE_EXPIRATIONS",
        "REPOSSESSOR",
        "SCHEDULER",
        "TASK_RUN_RECORDER",
        "TRIGGERS",
    )
}
"""A server for one run needs no schedules, no automations and no history."""


@contextlib.contextmanager
def orchestrated(folder: Path | None = None) -> Iterator[None]:
    """Run flows in this context against a server: your own, or a temporary one of this process.

    The temporary server keeps its state in a private folder inside `folder`, which must exist (default: the system's
    temporary folder). It ends within seconds of this process, however that ends. Raises ChildError if it does not start,
    LstmMusicError if the server does not answer.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_environment(quiet_settings(os.environ)))
        if not server_is_configured(os.environ):
            server = stack.enter_context(TemporaryServer(folder))
            stack.enter_context(_environment(server.client_settings))
            stack.callback(_flush_events)
            _import_prefect()
            server.wait_until_ready()
        with _server_errors():
            yield


def server_is_configured(environment: Mapping[str, str]) -> bool:
    """Whether the environment, or the active profile of Prefect, names a server."""
    return configured(environment, "PREFECT_API_URL") is not None


def configured(environment: Mapping[str, str], setting: str) -> str | None:
    """Give the value that the environment, or the active profile of Prefect, has for a setting of Prefect."""
    if value := environment.get(setting):
        return value
    home = prefect_home(environment)
    path = Path(environment.get("PREFECT_PROFILES_PATH", home / "profiles.toml"))
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    active = environment.get("PREFECT_PROFILE") or profiles.get("active", "")
    return profiles.get("profiles", {}).get(active, {}).get(setting) or None


def prefect_home(environment: Mapping[str, str]) -> Path:
    """Give the folder in which Prefect keeps its profiles and its database."""
    return Path(environment.get("PREFECT_HOME", "~/.prefect")).expanduser()


def quiet_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep Prefect's log lines from the terminal; a variable that `environment` sets is left out."""
    settings = {key: value for key, value in QUIET.items() if key not in environment}
    warnings = ",".join(filter(None, [environment.get("PYTHONWARNINGS"), QUIET_WARNINGS]))
    return settings | {"PYTHONWARNINGS": warnings}


class TemporaryServer:
    """A Prefect server in a child process, on a free port of this machine; only this process has its password.

    The child watches its standard input, whose other end only this process holds. When this process ends, the child reads the
    end of the file and exits at once.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="prefect-", dir=folder))
        self._log = self._folder / "server.log"
        self._password = secrets.token_hex(16)
        try:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                self.port: int = listener.getsockname()[1]
                self._child = self._start(listener)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _start(self, listener: socket.socket) -> "subprocess.Popen[bytes]":
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603  our own file, run by this very Python
                [sys.executable, "-P", server_child.__file__, str(listener.fileno()), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._server_environment(),
                pass_fds=[listener.fileno()],
                start_new_session=True,  # Ctrl-C reaches this process alone, which still reports a last state
            )

    @property
    def client_settings(self) -> dict[str, str]:
        """The environment variables that lead this process and its children to the server."""
        without_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"]))
        return {
            "NO_PROXY": without_proxy,
            "no_proxy": without_proxy,
            "PREFECT_API_AUTH_STRING": f"lstm-music:{self._password}",
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_CLIENT_MAX_RETRIES": "3",  # 14 s: a child server does not come back
            "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",  # the password protects it
            "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
            "PREFECT_HOME": str(self._folder),
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }

    def _server_environment(self) -> dict[str, str]:
        """The environment of the server: this process's, without Prefect settings and credentials."""
        inherited = without_credentials(os.environ)
        others = {key: value for key, value in inherited.items() if not key.startswith("PREFECT_")}
        return (
            others
            | NO_SERVICES
            | {
                "PREFECT_HOME": str(self._folder),
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "PREFECT_SERVER_API_AUTH_STRING": f"lstm-music:{self._password}",
                "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
                "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
                "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
                "PREFECT_SERVER_UI_ENABLED": "false",
            }
        )

    def wait_until_ready(self) -> None:
        """Return when the server answers; ChildError if it ends before that, or takes longer than STARTUP_SECONDS."""
        assert self._child.stdout is not None
        if not select.select([self._child.stdout], [], [], STARTUP_SECONDS)[0]:
            raise ChildError(
                f"the temporary Prefect server did not start within {STARTUP_SECONDS:g} seconds; "
                "run again when this machine is less busy"
            )
        if self._child.stdout.readline() != b"ready\n":
            lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
            raise ChildError(f"the temporary Prefect server did not start: {last}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the server and remove its folder."""
        self._child.kill()
        self._child.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for this process and its children, and restore them afterwards.

    If Prefect was imported before, it reads them again. Otherwise it is not imported, because it would create its home folder.
    """
    before = {key: os.environ.get(key) for key in settings}
    imported = "prefect.context" in sys.modules
    os.environ.update(settings)
    if imported:
        _refresh_settings()
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
        if imported:
            _refresh_settings()


def _refresh_settings() -> None:
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()


def _import_prefect() -> None:
    """Import what every flow needs while the server starts."""
    import fastapi  # noqa: F401  Prefect imports these two at the first call of a flow
    import prefect.events.clients
    import prefect.flow_engine  # noqa: F401


@contextlib.contextmanager
def _server_errors() -> Iterator[None]:
    """Turn a failure of Prefect's HTTP client into one sentence; no library call of this project uses that client."""
    try:
        yield
    except Exception as error:
        import httpx
        from prefect.settings import PREFECT_API_URL

        if isinstance(error, httpx.HTTPError) or str(error).startswith("Failed to reach API at"):
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:LONGEST_REASON]
            raise LstmMusicError(
                f"PREFECT_API_URL: no Prefect server answers at {PREFECT_API_URL.value()} ({reason}); start it, or unset "
                "PREFECT_API_URL, and run again: finished results are kept"
            ) from error
        raise


def _flush_events() -> None:
    """Send Prefect's last events before its server ends; afterwards Prefect would retry for long, and print errors."""
    if "prefect.events.worker" in sys.modules:
        from prefect.events.worker import EventsWorker

        EventsWorker.drain_all(timeout=2.0)

"""`make serve` as tests start it, and what they ask its server."""

import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from program import Program

# Faster than usual, so that tests wait for the program and not for its pauses.
SETTINGS = {"PREFECT_WORKER_QUERY_SECONDS": "2"}
SCHEDULE_SECONDS = 15
STARTUP_SECONDS = 180.0
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def settings_of(file: Path) -> dict[str, str]:
    """Give what a shell knows after `source FILE`; nothing where there is no file."""
    lines = shlex.split(file.read_text()) if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


class Served:
    """A server, a worker and the deployments of prefect.yaml, in a home of their own."""

    def __init__(self, home: Path, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        command = [sys.executable, "-m", "flows.engine.serve", "--port", str(self.port)]
        self.program = Program(home, command, SETTINGS | settings)
        self.file = home / ".prefect" / f"lstm-music-{self.port}.env"
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait(lambda: any(line.startswith("Ready.") for line in self.lines), STARTUP_SECONDS, "make serve")
        self.settings = settings_of(self.file)
        credentials = self.settings.get("PREFECT_API_AUTH_STRING", settings.get("PREFECT_SERVER_API_AUTH_STRING", ":"))
        user, _, password = credentials.partition(":")
        url = f"http://127.0.0.1:{self.port}/api"
        self.api = httpx.Client(base_url=url, auth=(user, password), timeout=30, trust_env=False)

    def close(self) -> str:
        """End it as Ctrl-C does; give its last words."""
        self.program.process.send_signal(2)
        try:
            self.program.process.wait(60)
        except subprocess.TimeoutExpired:
            self.program.process.kill()
            raise
        self._reader.join()
        self.program.process.stdout.close()
        self.api.close()
        return self.program.errors

    def wait(self, happened: Callable[[], Any], seconds: float, what: str) -> Any:
        """Wait until something is there, and give it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := happened():
                return found
            assert self.program.process.poll() is None, self.said()
            time.sleep(0.3)
        raise AssertionError(f"{what}: not within {seconds:g} seconds\n{self.said()}")

    def said(self) -> str:
        return "\n".join(self.lines[-80:]) + self.program.errors[-4000:]

    def ask(self, method: str, path: str, **words: Any) -> httpx.Response:
        """Ask the server, again where its database is locked, as Prefect's own client does."""
        (answer,) = self.wait(lambda: self._answer(method, path, **words), 60, f"{method} {path}")
        return answer.raise_for_status()

    def _answer(self, method: str, path: str, **words: Any) -> list[httpx.Response]:
        answer = self.api.request(method, path, **words)
        return [] if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else [answer]

    def deployment(self, name: str) -> dict[str, Any]:
        return self.ask("GET", f"/deployments/name/{name}/{name}").json()

    def run(self, name: str, **parameters: Any) -> str:
        """Ask for a run of a deployment; give its id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        answer = self.ask("POST", f"/deployments/{self.deployment(name)['id']}/create_flow_run", json=body)
        return answer.json()["id"]

    @contextmanager
    def scheduled(self, name: str, **parameters: Any) -> Iterator[None]:
        """Give a deployment a schedule of every few seconds meanwhile."""
        body = [{"schedule": {"interval": SCHEDULE_SECONDS}, "parameters": parameters, "active": True}]
        path = f"/deployments/{self.deployment(name)['id']}/schedules"
        (made,) = self.ask("POST", path, json=body).json()
        yield
        self.ask("DELETE", f"{path}/{made['id']}")

    def flow_run(self, run_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/flow_runs/{run_id}").json()

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow that have begun, or ended."""
        body = {"flows": {"name": {"any_": [flow]}}}
        found = self.ask("POST", "/flow_runs/filter", json=body).json()
        return [run for run in found if run["state_type"] not in {"SCHEDULED", "PENDING"}]

    def ended(self, run_id: str, seconds: float) -> dict[str, Any]:
        """Wait for the end of a run."""
        self.wait(lambda: self.flow_run(run_id)["state_type"] in ENDED, seconds, f"run {run_id}")
        return self.flow_run(run_id)

    def states(self, run_id: str) -> list[str]:
        """The names of all states that a run has had."""
        found = self.ask("GET", "/flow_run_states/", params={"flow_run_id": run_id}).json()
        return [state["name"] for state in sorted(found, key=lambda state: state["timestamp"])]

    def artifact(self, key: str) -> str:
        """The newest artifact of a key."""
        body = {"artifacts": {"key": {"any_": [key]}}, "limit": 1, "sort": "CREATED_DESC"}
        (found,) = self.ask("POST", "/artifacts/filter", json=body).json()
        return found["data"]

    def events(self, name: str, run_id: str) -> list[dict[str, Any]]:
        """The events of a name that a flow run emitted."""
        body = {"filter": {"event": {"name": [name]}, "order": "DESC"}, "limit": 50}
        found = self.ask("POST", "/events/filter", json=body).json()["events"]
        run = f"prefect.flow-run.{run_id}"
        return [one for one in found if run in {related["prefect.resource.id"] for related in one["related"]}]

    def log_of(self, run_id: str) -> str:
        body = {"logs": {"flow_run_id": {"any_": [run_id]}}, "limit": 200}
        return "\n".join(line["message"] for line in self.ask("POST", "/logs/filter", json=body).json())

    def _read(self) -> None:
        for line in self.program.process.stdout:
            self.lines.append(line.rstrip("\n"))

"""compose.yaml without a container engine: its commands, environments, order and health checks, as processes of this machine.

Names of services become addresses of this machine, and `python` and `prefect` are those of this environment. Images of others
are replaced: PostgreSQL by Debian's, the storage by the S3 server of the tests.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from program import REPOSITORY, Program

COMPOSE = REPOSITORY / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")
HEALTHY_SECONDS = 240.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def resolved(value: Any, variables: Mapping[str, str]) -> Any:
    """Fill in ${NAME}, ${NAME:-default} and ${NAME:?message} as Compose does."""
    if isinstance(value, dict):
        return {key: resolved(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, variables) for one in value]
    return VARIABLE.sub(lambda found: _value(found, variables), value) if isinstance(value, str) else value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, text = found.groups()
    if variables.get(name):
        return variables[name]
    if kind == "-":
        return text
    raise KeyError(f"{name}: {text}")


def services(variables: Mapping[str, str]) -> dict[str, Any]:
    """The services of compose.yaml with their variables filled in."""
    return resolved(yaml.safe_load(COMPOSE.read_text())["services"], variables)


class Stack:
    """The services that run from our image; `addresses` replaces parts of their texts, longest first."""

    def __init__(self, folder: Path, variables: Mapping[str, str], addresses: Mapping[str, str]) -> None:
        self.folder, self.services = folder, services(variables)
        self._addresses = sorted(addresses.items(), key=lambda one: -len(one[0]))
        self.programs: dict[str, Program] = {}

    def start(self, name: str, **more: str) -> Program:
        """Start a service when what it depends on is as it has to be."""
        service = self.services[name]
        for other, wanted in service["depends_on"].items():
            if other in self.programs:
                {"service_healthy": self.wait_until_healthy, "service_completed_successfully": self.wait_until_done}[
                    wanted["condition"]
                ](other)
        home = self.folder / name
        self.programs[name] = Program(home, self._here(service["command"]), self._environment(service) | more)
        return self.programs[name]

    def wait_until_healthy(self, name: str) -> None:
        """Run the health check of a service until it passes."""
        end = time.monotonic() + HEALTHY_SECONDS
        while not self.is_healthy(name):
            assert self.programs[name].process.poll() is None, self.programs[name].errors
            assert time.monotonic() < end, f"{name} is not healthy: {self.programs[name].errors}"
            time.sleep(1)

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service once."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        return (
            subprocess.run(self._here(words), env=environment, stderr=subprocess.DEVNULL, check=False).returncode == 0
        )

    def wait_until_done(self, name: str) -> None:
        """Wait for the end of a service that does one thing."""
        program = self.programs[name]
        printed = "" if program.process.stdout.closed else program.finish()
        assert program.process.returncode == 0, printed + program.errors

    def end(self) -> None:
        """Kill every process."""
        for program in reversed(self.programs.values()):
            for process in program.processes(""):
                os.kill(process, 9)
            program.process.wait()
            program.process.stdout.close()

    def _here(self, words: list[str]) -> list[str]:
        return [self._text(word) for word in words]

    def _environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        own = {name: self._text(value) for name, value in service["environment"].items()}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        return quiet | own | {"PATH": path, "PREFECT_HOME": str(self.folder / "prefect")}

    def _text(self, text: str) -> str:
        for part, address in self._addresses:
            text = text.replace(part, address)
        return sys.executable if text == "python" else text


class Postgres:
    """A private PostgreSQL of another user of this machine, which asks for a password."""

    USER = "postgres"

    def __init__(self, folder: Path, port: int, user: str, password: str, database: str) -> None:
        self.port, self._password = port, password
        binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
        folder.mkdir()
        shutil.chown(folder, self.USER)
        secret = folder / "password"
        secret.write_text(password)
        self._run(binaries / "initdb", "-D", folder / "data", "-U", user, "-A", "scram-sha-256", "--pwfile", secret)
        words = ["-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"]
        self.process = subprocess.Popen(
            [binaries / "postgres", *words], user=self.USER, cwd="/", env=self._environment(), stderr=subprocess.DEVNULL
        )
        at = ["-h", "127.0.0.1", "-p", str(port), "-U", user]
        while not self.is_healthy(["pg_isready", *at]):
            assert self.process.poll() is None
            time.sleep(0.2)
        self._run(binaries / "createdb", *at, database)

    def is_healthy(self, words: list[str]) -> bool:
        """Run a health check of PostgreSQL against this one."""
        environment = self._environment() | {"PGHOST": "127.0.0.1", "PGPORT": str(self.port)}
        return subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def _run(self, *words: object) -> None:
        subprocess.run(
            list(map(str, words)),
            user=self.USER,
            cwd="/",
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PGPASSWORD": self._password}


def missing_for_postgres() -> str | None:
    """Why no private PostgreSQL can be started here."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        return "PostgreSQL is absent: apt-get install -y postgresql"
    return None if os.getuid() == 0 else "PostgreSQL runs as another user, which only root can start"

"""Who may give orders to the server of `make serve`: who knows its password, from a page of its own address.

Prefect's server runs whatever it is sent. Any user of this machine reaches its port, and so does any web page that is open in
a browser here. So the server has a password for as long as it runs, reads requests to its own names only (a page can give its
own name this machine's address), and answers the pages of no other address.
"""

import contextlib
import ipaddress
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.engine.server import configured
from lstm_music.errors import RecipeError

SERVER_AUTH = "PREFECT_SERVER_API_AUTH_STRING"
CLIENT_AUTH = "PREFECT_API_AUTH_STRING"
EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104  compared, not bound


@dataclass(frozen=True)
class Access:
    """The address of a server, and the `user:password` that it asks for."""

    host: str
    port: int
    credentials: str
    is_of_the_user: bool
    """Whether the password is one that you set, and not one of this run."""

    @classmethod
    def of(cls, host: str, port: int, environment: Mapping[str, str]) -> "Access":
        """Take the password of the environment, or of Prefect's active profile; without one, make one up for this run.

        Raises RecipeError if other machines could reach the address and you set no password.
        """
        own = configured(environment, SERVER_AUTH)
        if own is None and not is_loopback(host):
            raise RecipeError(
                f"--host {host}: other machines could reach it, and whoever knows its password can run code here; leave out "
                f"--host, or choose a password yourself: {SERVER_AUTH}=USER:PASSWORD"
            )
        return cls(host, port, own or f"lstm-music:{secrets.token_urlsafe(24)}", is_of_the_user=own is not None)

    @property
    def address(self) -> str:
        """The address for browsers of this machine."""
        return f"http://{_shown(self.host)}:{self.port}"

    @property
    def names(self) -> list[str]:
        """The host names that requests may be for; `*` means any name, for an address that other machines reach."""
        if not is_loopback(self.host):
            return ["*"]
        return sorted({_shown(self.host), "127.0.0.1", "localhost"})

    def client_settings(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Give the settings that lead Prefect's client to the server."""
        no_proxy = ",".join(filter(None, [environment.get("NO_PROXY"), _shown(self.host).strip("[]")]))
        directly = {"NO_PROXY": no_proxy, "no_proxy": no_proxy}
        return {"PREFECT_API_URL": f"{self.address}/api", CLIENT_AUTH: self.credentials, **directly}

    def server_settings(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Give the settings of the server itself; your own allowed origins stay."""
        origins = ",".join(f"http://{name}:{self.port}" for name in (*self.names, _shown(self.host)) if name != "*")
        allowed = "PREFECT_SERVER_CORS_ALLOWED_ORIGINS"
        return {SERVER_AUTH: self.credentials, allowed: environment.get(allowed) or origins}

    @contextlib.contextmanager
    def kept(self, home: Path) -> Iterator[Path | None]:
        """Keep what a second terminal needs in a file that you alone can read, as long as this context lasts.

        There is no file for a password of your own, because you have it already.
        """
        if self.is_of_the_user:
            yield None
            return
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = home / f"lstm-music-{self.port}.env"
        path.unlink(missing_ok=True)  # of a server that was killed
        settings = {"PREFECT_API_URL": f"{self.address}/api", CLIENT_AUTH: self.credentials}
        lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(lines)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    shown = "127.0.0.1" if host in EVERY_ADDRESS else host
    return f"[{shown}]" if ":" in shown else shown

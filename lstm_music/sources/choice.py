"""Which source a run reads: the one that its user named, else that of its recipe, which may come from a stranger."""

import ipaddress
import socket
from urllib.parse import urlsplit

from lstm_music.errors import SourceError

_WITHOUT_HOST = frozenset({"", "file", "local", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf"})
"""Schemes whose first part is no host: a path or a bucket. "" stands for a path."""


def chosen_source(given: str | None, of_recipe: str) -> str:
    """Return the source that the user gave, or else the recipe's.

    Raises SourceError where a recipe, which a stranger may have written, names an address of this machine or of its own network:
    a request from here can reach services there that are closed to others.
    """
    if given is not None:
        return given
    parts = urlsplit(of_recipe)
    if parts.scheme.lower() not in _WITHOUT_HOST and parts.hostname and not _is_public(parts.hostname):
        raise SourceError(
            f"source {of_recipe!r}: the recipe names an address of this machine or its network; if you want it to be asked, "
            f"give it yourself: --source {of_recipe}"
        )
    return of_recipe


def _is_public(host: str) -> bool:
    """Whether all addresses of a host are public; a host that is not known is asked in vain anyway."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return True
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)

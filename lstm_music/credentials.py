"""Credentials in the environment: this process keeps them, and the processes that it starts do not get them.

Other processes of the same user can read the environment of a process, and tools and dumps show it. So a process that
parses foreign files, or trains for hours, must not hold the key of an account.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PREFIX = "KAGGLE_"  # tokens, names, keys and where more of them lie: every variable of Kaggle's own package
_LOCK = threading.Lock()


def own_credentials() -> dict[str, str]:
    """Give the variables of this process that are, or lead to, credentials, for the one child that needs them."""
    with _LOCK:
        return {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment without credentials for a child process."""
    return {name: value for name, value in environment.items() if not name.startswith(_PREFIX)}


@contextmanager
def credentials_held_back() -> Iterator[None]:
    """Hide credentials from processes that start within this context, if they cannot get an environment of their own."""
    with _LOCK:
        held = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(_PREFIX)}
        try:
            yield
        finally:
            os.environ.update(held)

"""Credentials in the environment: the process that was given them keeps them, and those that it starts do without.

The environment of a process can be read by others of its user, is shown by tools and lands in dumps, so what parses
foreign files or trains for hours has no business to hold the key of an account.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PREFIX = "KAGGLE_"  # tokens, names, keys and where more of them lie: every variable of Kaggle's own package
_LOCK = threading.Lock()


def own_credentials() -> dict[str, str]:
    """Give the variables of this process that are, or lead to, credentials: for the one child that needs them."""
    with _LOCK:
        return {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment for a child that needs none of them."""
    return {name: value for name, value in environment.items() if not name.startswith(_PREFIX)}


@contextmanager
def credentials_held_back() -> Iterator[None]:
    """Have the processes started within this context inherit none, where no environment of their own can be given."""
    with _LOCK:
        held = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(_PREFIX)}
        try:
            yield
        finally:
            os.environ.update(held)

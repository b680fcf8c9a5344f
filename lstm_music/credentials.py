"""Credentials in the environment: this process keeps them, and the processes that it starts do not get them.

Other processes of the same user can read the environment of a process, and tools and dumps show it. So a process that
parses foreign files, or trains for hours, must not hold the key of an account.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PREFIX = "KAGGLE_"  # tokens, names, keys and where more of them lie: every variable of Kaggle's own package
_OF_PREFECT = frozenset({"PREFECT_API_AUTH_STRING", "PREFECT_API_KEY", "PREFECT_SERVER_API_AUTH_STRING"})
_NEEDED = re.compile(
    r"PATH|HOME|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|DYLD_\w+|VIRTUAL_ENV|PYTHON\w*|COVERAGE_\w+|(OMP|OPENBLAS|MKL|TF)_\w+|FONTCONFIG_\w+"
)
"""Variables that change how a program runs, and hold no secret."""

_LOCK = threading.Lock()


def own_credentials() -> dict[str, str]:
    """Give the variables of this process that are, or lead to, credentials, for the one child that needs them."""
    with _LOCK:
        return {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment for a child process that works for this project: without Kaggle's and Prefect's credentials."""
    return {
        name: value for name, value in environment.items() if not name.startswith(_PREFIX) and name not in _OF_PREFECT
    }


def of_a_stranger(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment for a child process that reads foreign files: what programs need to run, and nothing else."""
    return {name: value for name, value in environment.items() if _NEEDED.fullmatch(name)}


@contextmanager
def credentials_held_back() -> Iterator[None]:
    """Hide credentials from processes that start within this context, if they cannot get an environment of their own."""
    with _LOCK:
        held = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(_PREFIX)}
        try:
            yield
        finally:
            os.environ.update(held)

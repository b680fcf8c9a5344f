"""Which failures of a task are worth a retry."""

from typing import Any

from prefect import State, Task
from prefect.client.schemas.objects import TaskRun

from lstm_music.errors import ChildError, LstmMusicError


def may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Decide whether a retry may succeed: not after an error that a person has to fix.

    A child process may have been killed because memory ran out, and an error from outside this project may be the machine's.
    """
    error = state.result(raise_on_failure=False)
    return isinstance(error, ChildError) or not isinstance(error, LstmMusicError)

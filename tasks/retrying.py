"""Which failures of a task are worth another attempt."""

from typing import Any

from prefect import State, Task
from prefect.client.schemas.objects import TaskRun

from lstm_music.errors import ChildError, LstmMusicError


def may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task may succeed the next time: not after a mistake that a person has to correct.

    A child process may have run out of memory, and an error from outside this project may be temporary.
    """
    error = state.result(raise_on_failure=False)
    return isinstance(error, ChildError) or not isinstance(error, LstmMusicError)

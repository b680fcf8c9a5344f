"""Which failures of a task are worth another attempt."""

from typing import Any

from prefect import State, Task
from prefect.client.schemas.objects import TaskRun

from lstm_music.errors import ChildError, LstmMusicError


def may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether a failed task may succeed the next time: not after a mistake that a person has to mend.

    A child process may have been killed for want of memory, and what is no error of this project may be the machine's.
    """
    error = state.result(raise_on_failure=False)
    return isinstance(error, ChildError) or not isinstance(error, LstmMusicError)

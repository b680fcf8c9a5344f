"""Names of flow runs that say what the run does: `train-all demo`, not Prefect's random animals."""

from collections.abc import Callable
from pathlib import PurePath

from prefect.runtime import flow_run


def named_after(flow: str, parameter: str = "recipe") -> Callable[[], str]:
    """Give the function with which Prefect names the runs of a flow: the flow, and the value of a parameter if it has one.

    Of a path only the file's name is taken, without `.toml`.
    """

    def name() -> str:
        given = flow_run.parameters.get(parameter)
        return f"{flow} {PurePath(str(given)).name.removesuffix('.toml')}" if given else flow

    return name

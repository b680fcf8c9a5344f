"""The hook that ends the log of a failed or crashed run with advice."""

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.logging.loggers import flow_run_logger

from lstm_music.advice import advice


def advise(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Log what to do about a failed or crashed run: a hook for `on_failure` and `on_crashed`."""
    error = state.result(raise_on_failure=False)
    flow_run_logger(flow_run, flow).error("What to do: %s", advice(error if state.is_failed() else None))

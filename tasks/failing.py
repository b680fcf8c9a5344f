"""The hooks at the end of a run: advice in the log of a failed one, and an event that says that it ended."""

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event
from prefect.logging.loggers import flow_run_logger

from lstm_music.advice import advice

ENDED = "lstm-music.run.ended"
"""What the automations of automations.yaml expect of a run, beside Prefect's own events."""


def say_ended(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001  a hook's signature
    """Emit an event that waits for no other: a hook for `on_completion`.

    Prefect's automations read the event of a state only after that of the state before, and its scheduler emits none for the
    runs that it makes. So the events of a scheduled run can come a quarter of an hour late, and the run would count as crashed.
    """
    of_flow = {
        "prefect.resource.id": f"prefect.flow.{flow_run.flow_id}",
        "prefect.resource.role": "flow",
        "prefect.resource.name": flow.name,
    }
    emit_event(ENDED, resource={"prefect.resource.id": f"prefect.flow-run.{flow_run.id}"}, related=[of_flow])


def advise(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Log what to do about a failed or crashed run, and emit that it ended: a hook for `on_failure` and `on_crashed`."""
    say_ended(flow, flow_run, state)
    error = state.result(raise_on_failure=False)
    flow_run_logger(flow_run, flow).error("What to do: %s", advice(error if state.is_failed() else None))

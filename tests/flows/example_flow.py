"""A program with a flow, as the command line is one: `python example_flow.py RUNNER WORK`, run by the tests of flows.

It prints a line at each moment at which a test may want to end it, and what comes of the flow.
"""

import logging
import os
import sys
import time
from dataclasses import dataclass

from flows.cli.interrupt import interruptible
from flows.engine.server import orchestrated
from lstm_music.child import run_child
from lstm_music.errors import CorruptArtifactError, LstmMusicError


@dataclass(frozen=True)
class Ref:
    kind: str
    key: str


def say(moment: str) -> None:
    """Print one line in one piece, also from a worker."""
    os.write(1, f"{moment}\n".encode())


def wait_in_child(_request, send) -> None:
    send({"moment": "busy"})
    time.sleep(600)


def make_flow():
    from prefect import flow, get_run_logger, task
    from prefect.cache_policies import NO_CACHE

    options = {"cache_policy": NO_CACHE, "persist_result": False}

    @task(**options)
    def step(ref: Ref) -> Ref:
        get_run_logger().info("a line of the task %s", ref.key)
        logging.getLogger("lstm_music.example").info("a line of the library %s", ref.key)
        logging.getLogger("lstm_music.example").warning("a warning of the library %s", ref.key)
        return Ref("stepped", ref.key)

    @task(retries=1, retry_delay_seconds=0, **options)
    def fail() -> Ref:
        say("trying")
        raise CorruptArtifactError("piano.npy: its bytes are not those that were written.")

    @task(**options)
    def wait() -> None:
        say("busy")
        time.sleep(600)

    @task(**options)
    def wait_for_child() -> None:
        run_child("example_flow:wait_in_child", None, on_message=lambda message: say(message["moment"]))

    @flow(name="example", persist_result=False)
    def example(work: str) -> list[Ref]:
        if work == "steps":
            first = [future.result() for future in [step.submit(Ref("made", str(i))) for i in range(3)]]
            return [future.result() for future in [step.submit(ref) for ref in first]]
        if work == "steps, then fail":
            say(" ".join(step.submit(Ref("made", str(i))).result().key for i in range(3)))
            return [fail.submit().result()]
        if work == "idle":
            step.submit(Ref("made", "0")).result()
            say("idle")
            time.sleep(600)
        futures = [{"wait": wait, "child": wait_for_child}[work].submit() for _ in range(3)]
        say("submitted")
        return [future.result() for future in futures]

    return example


def main(runner_name: str, *works: str) -> None:
    say("started")
    with interruptible(), orchestrated():
        say("ready")
        from flows.engine.runners import runner
        from lstm_music.recipe import RunnerSpec

        flow = make_flow().with_options(task_runner=runner(RunnerSpec(name=runner_name)))
        for work in works:
            try:
                say(" ".join(str(ref) for ref in flow(work)))
            except LstmMusicError as error:
                say(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What the Prefect UI shows of a run besides its progress: lines in the log, score cards and generations as artifacts."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import TaskRunContext

from lstm_music.evaluation.scorecard import rows
from tasks.progress import progress_artifact

# Lines of the library's loggers reach the server where there is one, and nobody where there is none.
_LOG = logging.getLogger("lstm_music.tasks")


@contextmanager
def training_report(model: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that shows the progress of a training, which it is given as JSON: an artifact, and a line an epoch."""
    if TaskRunContext.get() is None:  # run by hand, without Prefect
        yield lambda _progress: None
        return
    with progress_artifact(f"train-{model.replace('+', '-')}", f"Training of the {model} model") as show:

        def report(progress: Mapping[str, Any]) -> None:
            done = (progress["epoch"] - 1) * progress["steps"] + progress["step"]
            show(done / (progress["epochs"] * progress["steps"]))
            if progress["step"] == progress["steps"]:
                _LOG.info(
                    "%s: epoch %d of %d, loss %.4f, held-out%s %.4f nats per event",
                    *(progress[key] for key in ("model", "epoch", "epochs", "loss")),
                    " (leaky)" if progress["leaky"] else "",
                    progress["held_out"],
                )

        yield report


@contextmanager
def download_report() -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how much of a download is here, from its first call on: most sources need none."""
    if TaskRunContext.get() is None:  # run by hand, without Prefect
        yield lambda _here, _all: None
        return
    with ExitStack() as stack:
        shown: list[Callable[[float], None]] = []

        def report(here: int, wanted: int) -> None:
            if not shown:
                shown.append(stack.enter_context(progress_artifact("download", "Download of the source")))
            shown[0](here / wanted if wanted else 0.0)

        yield report


def publish_card(card: Mapping[str, Any]) -> None:
    """Show a score card as a table."""
    if TaskRunContext.get() is not None:
        with suppress(Exception):  # the server may be away; what is reported lies in storage
            create_table_artifact(
                table=rows(card), key="score-card", description=f"NLL in nats per event, {card['protocol']}"
            )


def publish_report(markdown: str) -> None:
    """Show the report of the experiments, without the pictures that lie beside it."""
    if TaskRunContext.get() is not None:
        with suppress(Exception):  # the server may be away; what is reported lies in storage
            shown = "\n".join(line for line in markdown.splitlines() if not line.startswith("!["))
            create_markdown_artifact(markdown=shown, key="reproduction", description="The report, reproduced")


def publish_retraining(recipe: str, markdown: str) -> None:
    """Show what came of a retraining."""
    if TaskRunContext.get() is not None:
        with suppress(Exception):  # the server may be away; what is decided lies in storage
            key = f"retraining-{recipe.replace('_', '-')}"
            create_markdown_artifact(markdown=markdown, key=key, description="What came in, scores, decision")


@contextmanager
def rendering_report() -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many files of how many are rendered."""
    if TaskRunContext.get() is None:  # run by hand, without Prefect
        yield lambda _done, _all: None
        return
    with progress_artifact("render", "Rendering of audio and sheet music") as show:
        yield lambda done, wanted: show(done / wanted)


def publish_generation(described: Mapping[str, Any]) -> None:
    """Show what was generated: where the listening page lies, and the figures of each result."""
    if TaskRunContext.get() is None:
        return
    rows = [
        {
            "result": output["midi"],
            "events": output["events"],
            "goes on from": output["prompt_piece"] or "nothing",
            "longest copy, events": output["longest_copy"],
            "guard stepped in": output["loops_left"],
            "penalty": output["penalty"],
        }
        for output in described["outputs"]
    ]
    with suppress(Exception):  # the server may be away; what is reported lies in storage
        create_markdown_artifact(
            markdown=f"The page to listen to: `{described['page']}`\n\nMore like it: `{described['command']}`",
            key="listening-page",
            description="Generated music",
        )
        create_table_artifact(table=rows, key="generation", description="Generated music, and what is suspicious of it")

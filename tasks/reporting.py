"""What the Prefect UI shows of a run besides its progress: log lines, and Prefect artifacts for scores, curves and music."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.context import TaskRunContext

from lstm_music.evaluation.card_table import card_tables
from lstm_music.stages.music.copies import NOT_SEARCHED
from lstm_music.stages.training.promotion import Decision
from tasks.progress import progress_artifact

# Prefect sends the lines of the library's loggers to its server; without a server nothing shows them.
_LOG = logging.getLogger("lstm_music.tasks")


@contextmanager
def training_report(model: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that shows the progress (JSON) of a training: as a Prefect artifact, and as one log line per epoch."""
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
    """Give a function that shows the progress of a download, from its first call on: most sources need none."""
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
    """Show a score card as the tables of the terminal, with its verdict and warnings below them and in the log."""
    if TaskRunContext.get() is None:
        return
    verdict = [card["verdict"]] if "verdict" in card else []
    for sentence in verdict:
        _LOG.info("%s", sentence)
    for warning in card["warnings"]:
        _LOG.warning("%s", warning)
    markdown = "\n\n".join([*(table.markdown() for table in card_tables(card)), *verdict, *card["warnings"]])
    with suppress(Exception):  # the server may be unreachable; storage has the card
        create_markdown_artifact(
            markdown=markdown, key="score-card", description=f"NLL in nats per event, {card['protocol']}"
        )


def publish_curves(recipe: str, path: str) -> None:
    """Show where the learning curves of a recipe are."""
    if TaskRunContext.get() is not None:
        _LOG.info("Learning curves: %s", path)
        with suppress(Exception):  # the server may be unreachable; storage has the curves
            create_markdown_artifact(
                markdown=f"Learning curves of `{recipe}`: `{path}`",
                key=f"curves-{recipe.replace('_', '-')}",
                description="Loss and held-out NLL per epoch, as SVG",
            )


def publish_decision(recipe: str, decision: Decision) -> None:
    """Show what promotion decided, and why."""
    if TaskRunContext.get() is not None:
        _LOG.info("%s", decision.sentence)
        with suppress(Exception):  # the server may be unreachable; storage has the decision
            create_markdown_artifact(
                markdown=f"{decision.sentence}.",
                key=f"promotion-{recipe.replace('_', '-')}",
                description=f"Promotion of {recipe}: {decision.outcome}",
            )


def note(sentence: str | None) -> None:
    """Write a sentence to the log, if there is one."""
    if sentence is not None and TaskRunContext.get() is not None:
        _LOG.info("%s", sentence)


def publish_report(markdown: str) -> None:
    """Show the report of the experiments, without its pictures, which are files."""
    if TaskRunContext.get() is not None:
        with suppress(Exception):  # the server may be unreachable; storage has the report
            shown = "\n".join(line for line in markdown.splitlines() if not line.startswith("!["))
            create_markdown_artifact(markdown=shown, key="reproduction", description="The report, reproduced")


def publish_retraining(recipe: str, sentence: str, markdown: str) -> None:
    """Show the result of a retraining: its sentence in the log, and all of it as a report."""
    if TaskRunContext.get() is not None:
        _LOG.info("Recipe %s: %s", recipe, sentence)
        with suppress(Exception):  # the server may be unreachable; storage has the decision
            key = f"retraining-{recipe.replace('_', '-')}"
            create_markdown_artifact(markdown=markdown, key=key, description="New files, scores, decision")


def name_run(name: str) -> None:
    """Rename the flow run of this task, so that a list of runs shows what came of each."""
    context = TaskRunContext.get()
    if context is not None and context.task_run.flow_run_id is not None:
        with suppress(Exception), get_client(sync_client=True) as client:  # only for the eye
            client.update_flow_run(context.task_run.flow_run_id, name=name)


def publish_tidying(sentence: str) -> None:
    """Show what was removed from storage."""
    if TaskRunContext.get() is not None:
        _LOG.info("%s", sentence)
        with suppress(Exception):  # the server may be unreachable; what is gone is gone
            create_markdown_artifact(markdown=f"{sentence}.", key="tidy", description="What was removed from storage")


@contextmanager
def rendering_report() -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many of all files are rendered."""
    if TaskRunContext.get() is None:  # run by hand, without Prefect
        yield lambda _done, _all: None
        return
    with progress_artifact("render", "Rendering of audio and sheet music") as show:
        yield lambda done, wanted: show(done / wanted)


def publish_generation(described: Mapping[str, Any]) -> None:
    """Show what was generated: the path of the listening page, and the figures of each result."""
    if TaskRunContext.get() is None:
        return
    rows = [
        {
            "result": output["midi"],
            "events": output["events"],
            "prompt": output["prompt_piece"] or "none",
            "longest copy (events)": NOT_SEARCHED if output["longest_copy"] is None else output["longest_copy"],
            "loops broken": output["loops_left"],
            "penalty": output["penalty"],
        }
        for output in described["outputs"]
    ]
    with suppress(Exception):  # the server may be unreachable; storage has the report
        create_markdown_artifact(
            markdown=f"Listening page: `{described['page']}`\n\nGenerate more: `{described['command']}`",
            key="listening-page",
            description="Generated music",
        )
        create_table_artifact(table=rows, key="generation", description="Generated music and its measures")

"""The report of a retraining: changed and rejected files, the scores of old and new models, and the decision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_music.errors import RecipeError
from lstm_music.midi.text import printable
from lstm_music.recipe import Recipe
from lstm_music.sources.inbox import is_from_inbox
from lstm_music.stages.data.ingest import REJECTED, Input, read_inputs
from lstm_music.stages.data.notes import notes_stage
from lstm_music.stages.inbox.news import News
from lstm_music.stages.music.generation import describe_generation
from lstm_music.stages.training.promotion import Decision
from lstm_music.store import ArtifactRef, Store

NOTHING_NEW = "no changes in the inbox since the last training"
NO_OTHER_MUSIC = "no training needed: the changes in the inbox add or remove no piece"
NAMES_SHOWN = 100


@dataclass(frozen=True)
class Retraining:
    """One look at the inbox and its result: without news there is no `inputs`, without other pieces no `decision`."""

    recipe: str
    news: News
    inputs: ArtifactRef | None = None
    decision: Decision | None = None
    music: ArtifactRef | None = None

    @property
    def outcome(self) -> str:
        """The result as a sentence, without a capital letter and a full stop."""
        if self.inputs is None:
            return NOTHING_NEW
        if self.decision is None:
            return NO_OTHER_MUSIC
        return self.decision.sentence[:1].lower() + self.decision.sentence[1:]


def require_retrainable(recipe: Recipe) -> None:
    """Raise RecipeError for a recipe whose models are never promoted."""
    if recipe.split.by == "random_windows":
        raise RecipeError(
            f"recipe {recipe.name!r}: split.by: expected 'hash' or 'folder' to retrain, got 'random_windows'; "
            "its scores are leaky, so its models are never promoted"
        )


def describe(store: Store, retraining: Retraining) -> dict[str, Any]:
    """Return the whole report, for `--json`."""
    news, decision = retraining.news, retraining.decision
    return {
        "recipe": retraining.recipe,
        "outcome": retraining.outcome,
        "came": list(news.came),
        "changed": list(news.changed),
        "went": list(news.went),
        "growing": list(news.growing),
        "fingerprint": news.fingerprint,
        "rejected": {row.name: row.reason for row in rejected(store, retraining)},
        "promoted": decision.promoted if decision else None,
        "decision": decision.outcome if decision else None,
        "new_nll": decision.new_nll if decision else None,
        "old_nll": decision.old_nll if decision else None,
        "page": describe_generation(store, retraining.music)["page"] if retraining.music else None,
    }


def markdown(store: Store, retraining: Retraining) -> str:
    """Return the report for Prefect's UI as Markdown. Names come from files, so they are shown as code."""
    news, decision = retraining.news, retraining.decision
    lines = [f"# Retraining of `{retraining.recipe}`", "", _capital(retraining.outcome) + "."]
    if decision is not None and decision.new_nll is not None and decision.old_nll is not None:
        lines += ["", "| models | validation NLL, nats per event |", "|---|---|"]
        lines += [f"| new | {decision.new_nll:.4f} |", f"| promoted before | {decision.old_nll:.4f} |"]
    lines += _list("New", news.came)
    lines += _list("Changed", news.changed)
    lines += _list("Removed", news.went)
    lines += _list("Still growing, left for the next look", news.growing)
    bad = rejected(store, retraining)
    lines += _list("Rejected", [row.name for row in bad], [row.reason for row in bad])
    if retraining.music is not None:
        lines += ["", f"Music by the new models: `{describe_generation(store, retraining.music)['page']}`"]
    if decision is not None and decision.outcome == "promoted":
        lines += ["", f"To return to the models before, run `lstm-music rollback --recipe {retraining.recipe}`"]
    return "\n".join(lines) + "\n"


def rejected(store: Store, retraining: Retraining) -> list[Input]:
    """Return the rejected inputs of the inbox; empty if nothing was ingested."""
    if retraining.inputs is None:
        return []
    rows = read_inputs(store, notes_stage(retraining.inputs).ref)
    return [row for row in rows if row.status == REJECTED and is_from_inbox(row.name, row.source)]


def _list(title: str, names: Sequence[str], reasons: Sequence[str] = ()) -> Iterator[str]:
    """Yield a heading and a list of names, or nothing for no names."""
    if names:
        yield from ("", f"## {title}: {len(names)}", "")
    for number, name in enumerate(names[:NAMES_SHOWN]):
        yield f"- {_code(name)}" + (f": {_code(reasons[number])}" if reasons else "")
    if len(names) > NAMES_SHOWN:
        yield f"- and {len(names) - NAMES_SHOWN} more"


def _code(text: str) -> str:
    return f"`{printable(text).replace('`', chr(39))}`"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]

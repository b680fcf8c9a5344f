"""What came of a retraining: what came in, what was rejected, the scores of old and new models, and what was decided."""

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

NOTHING_NEW = "the inbox holds nothing that the models have not heard of"
NO_OTHER_MUSIC = "no training was needed, because what is new in the inbox changes no piece of music"
NAMES_SHOWN = 100


@dataclass(frozen=True)
class Retraining:
    """One look at the inbox and what followed: no `inputs` without news, no `decision` without other music."""

    recipe: str
    news: News
    inputs: ArtifactRef | None = None
    decision: Decision | None = None
    music: ArtifactRef | None = None

    @property
    def outcome(self) -> str:
        """What came of it, as the end of a sentence."""
        if self.inputs is None:
            return NOTHING_NEW
        if self.decision is None:
            return NO_OTHER_MUSIC
        return self.decision.sentence[:1].lower() + self.decision.sentence[1:]


def require_retrainable(recipe: Recipe) -> None:
    """Raise RecipeError for a recipe whose models are never put to use."""
    if recipe.split.by == "random_windows":
        raise RecipeError(
            f"recipe {recipe.name!r}: models of random windows (leaky) are never in use, so there is nothing to retrain; "
            "split.by = 'hash' would be right"
        )


def describe(store: Store, retraining: Retraining) -> dict[str, Any]:
    """Say all of it, for `--json`."""
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
    """Write the report that Prefect's UI shows; names come out of files, and are shown as code."""
    news, decision = retraining.news, retraining.decision
    lines = [f"# Retraining of `{retraining.recipe}`", "", _capital(retraining.outcome) + "."]
    if decision is not None and decision.new_nll is not None and decision.old_nll is not None:
        lines += ["", "| models | validation NLL, nats per event |", "|---|---|"]
        lines += [f"| new | {decision.new_nll:.4f} |", f"| in use before | {decision.old_nll:.4f} |"]
    lines += _list("Came in", news.came)
    lines += _list("Changed", news.changed)
    lines += _list("Went", news.went)
    lines += _list("Still growing, left for the next time", news.growing)
    refused = rejected(store, retraining)
    lines += _list("Rejected", [row.name for row in refused], [row.reason for row in refused])
    if retraining.music is not None:
        lines += ["", f"Music by the new models: `{describe_generation(store, retraining.music)['page']}`"]
    if decision is not None and decision.outcome == "promoted":
        lines += ["", f"Back to the models before: `lstm-music rollback --recipe {retraining.recipe}`"]
    return "\n".join(lines) + "\n"


def rejected(store: Store, retraining: Retraining) -> list[Input]:
    """Give what the inbox holds and nobody can read, as far as it was read."""
    if retraining.inputs is None:
        return []
    rows = read_inputs(store, notes_stage(retraining.inputs).ref)
    return [row for row in rows if row.status == REJECTED and is_from_inbox(row.name, row.source)]


def _list(title: str, names: Sequence[str], reasons: Sequence[str] = ()) -> Iterator[str]:
    """List names under a heading, where there are any."""
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

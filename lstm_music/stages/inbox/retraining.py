"""The report of a retraining: changed and rejected files, the scores of old and new models, and the decision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lstm_music.midi.text import printable
from lstm_music.sources.inbox import is_from_inbox
from lstm_music.stages.data.ingest import REJECTED, Input, read_inputs
from lstm_music.stages.data.notes import notes_stage
from lstm_music.stages.inbox.news import News
from lstm_music.stages.inbox.standing import Standing, remember_retrained, way_on
from lstm_music.stages.music.generation import describe_generation
from lstm_music.stages.training.promotion import PROMOTING, Decision
from lstm_music.store import ArtifactRef, Store

NOTHING_NEW = "no changes in the inbox since the last training"
NO_OTHER_MUSIC = "no training needed: the changes in the inbox add or remove no piece"
NAMES_SHOWN = 100

Outcome = Literal["promoted", "forced", "unchanged", "kept", "refused", "nothing_new", "no_other_music"]
"""What came of a retraining: the outcome of promotion, or why nothing was trained.

nothing_new     the inbox is as the last training saw it
no_other_music  it changed, but the pieces are the same: the new file cannot be read, for example
"""


@dataclass(frozen=True)
class Retraining:
    """One look at the inbox and its result: without a reason to train no `inputs`, without other pieces no `decision`.

    `before` is the standing of the recipe before.
    """

    recipe: str
    news: News
    inputs: ArtifactRef | None = None
    decision: Decision | None = None
    music: ArtifactRef | None = None
    before: Standing = field(default_factory=Standing)
    unreadable: frozenset[str] = frozenset()

    @property
    def outcome(self) -> Outcome:
        """The result in a word, for programs."""
        if self.decision is not None:
            return self.decision.outcome
        return "nothing_new" if self.inputs is None else "no_other_music"

    @property
    def sentence(self) -> str:
        """The result as a sentence, without a capital letter and a full stop."""
        if self.decision is not None:
            learnt = _counted(self.news, self.unreadable)
            music = f"all music with {learnt}" if learnt else "the same music again"
            return f"trained on {music}; {_small(self.decision.sentence)}"
        return nothing_new(self.recipe, self.before) if self.inputs is None else NO_OTHER_MUSIC


def nothing_new(recipe: str, now: Standing) -> str:
    """Say that the inbox holds nothing new: models that were refused or rolled back have learnt what the promoted ones lack."""
    if not now.is_behind:
        return NOTHING_NEW
    if now.last is not None and now.last["outcome"] == "kept":
        return f"{NOTHING_NEW}, whose models were refused: {now.last['reason']}; {now.gap}; {way_on(recipe)}"
    return f"{NOTHING_NEW}, whose models are not promoted: {now.gap}; {way_on(recipe)}"


def news_sentence(news: News, recipe: str, now: Standing) -> str:
    """Say what a look at the inbox found, as a sentence without a capital letter and a full stop."""
    if news.is_any:
        return f"news in the inbox: {_counted(news)}"
    growing = f"; still growing: {len(news.growing):,}" if news.growing else ""
    return nothing_new(recipe, now) + growing


def trains_anyway(now: Standing, *, again: bool, force: bool) -> bool:
    """Whether to train without news: it was asked for, or models that are finished and not promoted shall be, by force."""
    return again or (force and now.is_behind)


def complete(store: Store, result: Retraining) -> Retraining:
    """Add what the tables in storage say of the inbox: which files cannot be read."""
    return replace(result, unreadable=frozenset(row.name for row in rejected(store, result)))


def record(store: Store, result: Retraining) -> None:
    """Record the result in `current.json`, unless there was nothing new: the result before stays the last one."""
    if result.outcome != "nothing_new":
        reason = result.decision.reason if result.decision else ""
        said = {"outcome": result.outcome, "sentence": result.sentence, "reason": reason}
        remember_retrained(store, result.recipe, said | {"fingerprint": result.news.fingerprint})


def facts_for_automations(result: Retraining) -> dict[str, Any]:
    """Give the payload of the event about a retraining."""
    news, decision = result.news, result.decision
    return {
        "recipe": result.recipe,
        "outcome": result.outcome,
        "sentence": result.sentence,
        "fingerprint": news.fingerprint,
        "new": len(news.new),
        "changed": len(news.changed),
        "removed": len(news.removed),
        **_scores(decision),
    }


def _scores(decision: Decision | None) -> dict[str, Any]:
    return {
        "new_nll": decision.new_nll if decision else None,
        "old_nll": decision.old_nll if decision else None,
        "difference": decision.difference if decision else None,
        "interval": list(decision.interval) if decision and decision.interval else None,
    }


def describe_news(news: News) -> dict[str, Any]:
    """Return the changes of an inbox, for `--json`. `came` and `went` are the former names of `new` and `removed`."""
    return {
        "new": list(news.new),
        "changed": list(news.changed),
        "removed": list(news.removed),
        "growing": list(news.growing),
        "fingerprint": news.fingerprint,
        "came": list(news.new),
        "went": list(news.removed),
    }


def describe(store: Store, retraining: Retraining) -> dict[str, Any]:
    """Return the whole report, for `--json`."""
    decision = retraining.decision
    return {
        "recipe": retraining.recipe,
        "outcome": retraining.outcome,
        "sentence": retraining.sentence,
        **describe_news(retraining.news),
        "rejected": {row.name: row.reason for row in rejected(store, retraining)},
        "warnings": {row.name: list(row.warnings) for row in warned(store, retraining)},
        "promoted": decision.promoted if decision else None,
        "decision": decision.outcome if decision else None,
        **_scores(decision),
        "page": describe_generation(store, retraining.music)["page"] if retraining.music else None,
    }


def markdown(store: Store, retraining: Retraining) -> str:
    """Return the report for Prefect's UI as Markdown. Names come from files, so they are shown as code."""
    news, decision = retraining.news, retraining.decision
    lines = [f"# Retraining of `{retraining.recipe}`", "", _capital(retraining.sentence) + "."]
    if decision is not None and decision.new_nll is not None and decision.old_nll is not None:
        lines += ["", "| models | validation NLL, nats per event |", "|---|---|"]
        lines += [f"| new | {decision.new_nll:.3f} |", f"| promoted before | {decision.old_nll:.3f} |"]
    lines += _list("New", news.new)
    lines += _list("Changed", news.changed)
    lines += _list("Removed", news.removed)
    lines += _list("Still growing, left for the next look", news.growing)
    bad, damaged = rejected(store, retraining), warned(store, retraining)
    lines += _list("Rejected", [row.name for row in bad], [row.reason for row in bad])
    lines += _list("Read with warnings", [row.name for row in damaged], ["; ".join(row.warnings) for row in damaged])
    if retraining.music is not None:
        lines += ["", f"Music by the new models: `{describe_generation(store, retraining.music)['page']}`"]
    if decision is not None and decision.outcome in PROMOTING:
        lines += ["", f"To return to the models before, run `lstm-music rollback --recipe {retraining.recipe}`"]
    return "\n".join(lines) + "\n"


def rejected(store: Store, retraining: Retraining) -> list[Input]:
    """Return the rejected inputs of the inbox; empty if nothing was ingested."""
    return [row for row in _rows_of_inbox(store, retraining) if row.status == REJECTED]


def warned(store: Store, retraining: Retraining) -> list[Input]:
    """Return the accepted inputs of the inbox of which something could not be read."""
    return [row for row in _rows_of_inbox(store, retraining) if row.warnings]


def _rows_of_inbox(store: Store, retraining: Retraining) -> list[Input]:
    if retraining.inputs is None:
        return []
    rows = read_inputs(store, notes_stage(retraining.inputs).ref)
    return [row for row in rows if is_from_inbox(row.name, row.source)]


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


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _counted(news: News, unreadable: frozenset[str] = frozenset()) -> str:
    """Count the changes, without files that cannot be read: `2 new files and 1 removed file`."""
    counts = {
        "new": len({*news.new} - unreadable),
        "changed": len({*news.changed} - unreadable),
        "removed": len(news.removed),
    }
    parts = [f"{count:,} {word} file{'' if count == 1 else 's'}" for word, count in counts.items() if count]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))

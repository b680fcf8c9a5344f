"""What commands report of what they made: tables for a person, and the same as JSON for a program."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.cli.display import ROWS_SHOWN, Display
from flows.cli.words import counted
from lstm_music.evaluation.card_table import card_tables
from lstm_music.recipe import Recipe
from lstm_music.rendering.report_page import COLUMNS, table
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ACCEPTED, DUPLICATE, REJECTED, Input, read_inputs
from lstm_music.stages.data.prepare import Prepared, about_split, window_counts
from lstm_music.stages.inbox.standing import standing, way_on
from lstm_music.stages.music.asked import kept
from lstm_music.stages.music.copies import NOT_SEARCHED
from lstm_music.stages.report.reproduction import read_report
from lstm_music.stages.training.checkpoints import unfinished_trainings
from lstm_music.stages.training.curves import curves_of_card
from lstm_music.stages.training.scorecard import read_card
from lstm_music.store import Artifact, ArtifactRef, BadFile, Store, VerifyReport

ON_TERMINAL = ("architecture", "split", "stream", "reported", "ours, best", "ours, last epoch", "lookup", "epochs")


def inputs(display: Display, store: Store, ref: ArtifactRef, other: Mapping[str, int]) -> dict[str, Any]:
    """Report every input so far, and how many `other` files are no inputs."""
    table = read_inputs(store, ref)
    counts = Counter(row.status for row in table)
    display.log(
        f"Found {counted(len(table), 'input')}: {counts[ACCEPTED]} accepted, "
        f"{counted(counts[DUPLICATE], 'duplicate')}, {counts[REJECTED]} rejected; "
        f"{counted(other['ignored'], 'other file')} ignored, {other['left_out']} left out by the recipe"
    )
    _not_accepted(display, table)
    path = str(store.open(ref).file("inputs"))
    display.log(f"Made {path}")
    return {
        "inputs": len(table),
        "accepted": counts[ACCEPTED],
        "duplicates": counts[DUPLICATE],
        "rejected": counts[REJECTED],
        "ignored": other["ignored"],
        "left_out": other["left_out"],
        "inputs_parquet": path,
    }


def prepared(display: Display, store: Store, recipe: Recipe, made: Prepared) -> None:
    """Report what was read, kept and dropped, and what came of it."""
    notes, events, dataset = store.open(made.notes), store.open(made.events), load_dataset(store, made.dataset)
    table = read_inputs(store, made.notes)
    counts = notes.counts
    display.log(
        f"Read {counted(len(table), 'input')}: kept {counted(counts['pieces'], 'piece')}{_of_them(counts)}, "
        f"{counted(counts['duplicates'], 'duplicate')}, {counts['rejected']} rejected"
    )
    _not_accepted(display, table)
    _with_warnings(display, table)
    display.log(
        f"{counted(counts['notes'], 'note')} → {counted(events.counts['events'], 'event')} "
        f"({events.counts['merged']:,} merged into longer notes, {events.counts['drums']:,} drum notes left out"
        f"{_other_parts(events)})"
    )
    windows = window_counts(dataset, recipe)
    display.table(
        "Split by piece",
        ["", "pieces", "events", "windows"],
        [
            [split, str(len(spans)), f"{sum(span.events for span in spans):,}", f"{windows[split]:,}"]
            for split, spans in dataset.spans.items()
        ],
    )
    for sentence in about_split(store, dataset):
        display.log(sentence)
    for path in (*events.files("events"), notes.file("inputs")):
        display.log(f"Made {path}")


def _other_parts(events: Artifact) -> str:
    """Say how many notes of other parts are left out, if the recipe has parts."""
    left_out = events.counts.get("left_out", 0)
    return f", {left_out:,} notes of other parts left out" if left_out else ""


def score_card(display: Display, store: Store, ref: ArtifactRef, recipe_name: str) -> dict[str, Any]:
    """Show a score card, its verdict, its warnings and the learning curves of its models; return it for `--json`."""
    card = read_card(store, ref)
    for shown in card_tables(card):
        display.table(shown.title, list(shown.columns), [list(row) for row in shown.rows])
    if "verdict" in card:
        display.log(card["verdict"])
    for warning in card["warnings"]:
        display.log(f"Warning: {warning}")
    drawn = str(curves_of_card(store, recipe_name, ref))
    display.log(f"Made {store.open(ref).file('card.json')}")
    display.log(f"Learning curves: {drawn}")
    return {**card, "curves": drawn}


def reproduced(display: Display, store: Store, ref: ArtifactRef, directory: Path | None) -> dict[str, Any]:
    """Show the results of the report's experiments, and where the page lies."""
    findings = read_report(store, ref)
    shown = [COLUMNS.index(name) for name in ON_TERMINAL]
    rows_ = [[row[place] for place in shown] for row in table(findings)]
    display.table("Accuracy on validation, reported and ours", ON_TERMINAL, rows_, texts=3)
    folder = directory or store.open(ref).folder
    for name in ("report.md", "report.html"):
        display.log(f"Made {folder / name}")
    return {"experiments": findings, "directory": str(folder), "page": str(folder / "report.html")}


FORMS = {
    ".mid": "MIDI",
    ".ogg": "audio (ogg)",
    ".mp3": "audio (mp3)",
    ".svg": "piano roll (SVG)",
    ".pdf": "sheet music (PDF)",
    ".musicxml": "sheet music (MusicXML)",
    ".json": "settings (JSON)",
}
"""Extension of a result's file → its name for the user, in the order in which they are listed."""


def _origin(output: Mapping[str, Any]) -> str:
    """Name what a result continues, what it accompanies, or which bars it has anew."""
    if rewritten := output.get("rewritten"):
        return f"{rewritten['file']}, {rewritten['bars']}"
    if given := output.get("given"):
        return f"{given['file']}, {given['part']}"
    return output["prompt_piece"] or "nothing"


def _what_follows(outputs: Sequence[Mapping[str, Any]]) -> str:
    """Say how likely the music behind rewritten bars is, after these and after those that were there; "" where none is known."""
    rewritten = [output["rewritten"] for output in outputs if "rewritten" in output]
    new = [one["nats_per_event_behind"] for one in rewritten if one["nats_per_event_behind"] is not None]
    if not new:
        return ""
    before = rewritten[0]["nats_per_event_behind_before"]
    old = "" if before is None else f", {before:.2f} after the old ones"
    return (
        f"The music behind them has {', '.join(f'{nats:.2f}' for nats in new)} nats per event after the new bars{old}"
    )


def generated(display: Display, described: dict[str, Any]) -> dict[str, Any]:
    """Report the pieces that were made, where they lie, and the page to listen to them."""
    outputs = described["outputs"]
    rows_ = [
        [
            Path(output["midi"]).name,
            _origin(output),
            str(output["events"]),
            copy_in_words(output["longest_copy"]),
            str(output["loops_left"]),
        ]
        for output in outputs
    ]
    known = {"given": "accompanies", "rewritten": "rewrites bars of"}
    begun = next((words for name, words in known.items() if any(name in output for output in outputs)), "continues")
    if likes := {_likeness(output["like"]): None for output in outputs if "like" in output}:
        display.log("; ".join(likes))
    columns = ["piece", begun, "events", "longest copy, events", "loops left"]
    display.table("Music", columns, rows_[:ROWS_SHOWN], texts=2)
    if follows := _what_follows(outputs):
        display.log(follows)
    if obeyed := kept(outputs):
        display.log(f"Kept: {'; '.join(obeyed)}")
    for warning in described["warnings"]:
        display.log(f"Warning: {warning}")
    if len(rows_) > ROWS_SHOWN:
        display.log(f"… and {len(rows_) - ROWS_SHOWN} more; the page shows them all")
    folder = Path(described["directory"])
    forms = ", ".join(_forms([Path(output["midi"]) for output in outputs]))
    name = described.get("name") or ""
    display.log(
        f"Made {counted(len(outputs), 'piece')} in {folder}{'' if name in str(folder) else f' ({name})'}: {forms}"
    )
    has_audio = any(output["audio"] for output in outputs)
    display.log(f"More like it: {described['command_for_more']}")
    display.log(f"{'Listen' if has_audio else 'Look'}: {described['page']}")
    return described


def copy_in_words(longest_copy: int | None) -> str:
    """Say how long the longest copy is, in events."""
    return NOT_SEARCHED if longest_copy is None else str(longest_copy)


def _likeness(like: Mapping[str, Any]) -> str:
    """Say what a result is like, and what it has of it."""
    kept = (
        f"with {like['kept_events']} of its {like['of_events']} events" if "kept_events" in like else "with other notes"
    )
    return f"Like {like['result']}, {kept}"


def _forms(results: list[Path]) -> list[str]:
    """Name the forms in which results exist beside their MIDI files, and how many do if not all."""
    found = Counter(end for midi in results for end in FORMS if midi.with_suffix(end).exists())
    return [
        form + (f" of {found[end]}" if found[end] != len(results) else "") for end, form in FORMS.items() if found[end]
    ]


def verified(display: Display, found: VerifyReport, missing: list[BadFile]) -> dict[str, Any]:
    """Report what verification found."""
    display.log(
        f"Checked {counted(found.files, 'file')} of {counted(found.artifacts, 'artifact')}: {len(found.bad) or 'none'} damaged, "
        f"{len(missing) or 'none'} missing"
    )
    for bad in (*found.bad, *missing):
        display.log(f"{bad.path}: {bad.reason}")
    return {
        "artifacts": found.artifacts,
        "files": found.files,
        "bad": [{"path": str(bad.path), "reason": bad.reason} for bad in found.bad],
        "missing": [{"path": str(one.path), "reason": one.reason} for one in missing],
    }


def status(display: Display, store: Store) -> dict[str, Any]:
    """Report what storage holds: per recipe what is prepared and promoted, and the unfinished trainings."""
    display.log(f"Storage: {store.address}{'' if store.is_begun() else ': nothing was ever made here'}")
    artifacts = Counter(ref.kind for ref in store.refs())
    recipes = {name: _recipe_status(store, name) for name in store.recipes()}
    unfinished = unfinished_trainings(store)
    for name, said in recipes.items():
        if said["promoted"]:
            scores = ", ".join(f"{split} {nll:.4f}" for split, nll in said["nll_per_event"].items())
            display.log(f"Recipe {name}: models promoted, nats per event ({said['protocol']}): {scores}")
            for warning in said["warnings"]:
                display.log(f"Recipe {name}: warning: {warning}")
            _retrained(display, name, said["inbox"])
        else:
            display.log(f"Recipe {name}: prepared, not trained yet; run `lstm-music train --recipe {name}`")
    if not recipes:
        display.log("Nothing is prepared yet; run `lstm-music run --recipe demo`, or give another --storage")
    display.log(f"Artifacts: {', '.join(f'{kind} {count}' for kind, count in sorted(artifacts.items())) or 'none'}")
    if unfinished:
        display.log(
            f"{counted(len(unfinished), 'unfinished training')}: under way now, or interrupted; "
            "an interrupted one goes on when you run its command again"
        )
    return {
        "storage": store.where,
        "artifacts": dict(artifacts),
        "recipes": recipes,
        "unfinished_trainings": unfinished,
    }


def _retrained(display: Display, name: str, inbox: Mapping[str, Any]) -> None:
    """Report what came of the last retraining, and what the promoted models lack."""
    if last := inbox["last_retraining"]:
        display.log(f"Recipe {name}: last retraining, {last['at']}: {last['sentence']}")
    if inbox["sentence"]:
        display.log(f"Recipe {name}: {inbox['sentence']}")


def _recipe_status(store: Store, name: str) -> dict[str, Any]:
    kept = store.current(name) or {}
    promoted = kept.get("promoted")
    card = ArtifactRef("scorecard", promoted["scorecard"]) if promoted else None
    facts = store.open(card).facts if card else {}
    return {
        "prepared": kept.get("prepared"),
        "promoted": promoted,
        "protocol": facts.get("protocol"),
        "nll_per_event": facts.get("nll_per_event"),
        "warnings": read_card(store, card)["warnings"] if card else [],
        "inbox": _inbox_status(store, name),
    }


def _inbox_status(store: Store, name: str) -> dict[str, Any]:
    now = standing(store, name)
    return {
        "last_retraining": now.last,
        "not_in_promoted_models": list(now.missing),
        "removed_and_in_promoted_models": list(now.removed),
        "sentence": f"{now.gap}; {way_on(name)}" if now.is_behind else None,
    }


def _of_them(counts: Mapping[str, int]) -> str:
    """Say how many pieces were not read whole."""
    warned = counts.get("warned", 0)  # tables of the version before have none
    return f" ({warned:,} of them with warnings)" if warned else ""


def _with_warnings(display: Display, table: list[Input]) -> None:
    """List the accepted inputs of which something could not be read."""
    lines = [[row.name, warning] for row in table for warning in row.warnings]
    if lines:
        display.table("Read with warnings", ["file", "what was not read as it stands"], lines[:ROWS_SHOWN], texts=2)
    if len(lines) > ROWS_SHOWN:
        display.log(f"… and {len(lines) - ROWS_SHOWN} more; the table of inputs lists them all")


def _not_accepted(display: Display, table: list[Input]) -> None:
    """List the rejected inputs with their reasons."""
    rows_ = [[row.name, row.status, row.reason] for row in table if row.status == REJECTED]
    if rows_:
        display.table("Rejected", ["file", "", "reason"], rows_[:ROWS_SHOWN], texts=3)
    if len(rows_) > ROWS_SHOWN:
        display.log(f"… and {len(rows_) - ROWS_SHOWN} more; the table of inputs lists them all")

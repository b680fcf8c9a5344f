"""What commands say of what they made: tables for a person, and the same as JSON for a program."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.cli.display import ROWS_SHOWN, Display
from lstm_music.evaluation.scorecard import rows
from lstm_music.recipe import Recipe
from lstm_music.rendering.report_page import COLUMNS, table
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ACCEPTED, DUPLICATE, REJECTED, Input, read_inputs
from lstm_music.stages.data.prepare import Prepared, window_counts
from lstm_music.stages.report.reproduction import read_report
from lstm_music.stages.training.checkpoints import unfinished_trainings
from lstm_music.stages.training.scorecard import read_card
from lstm_music.store import ArtifactRef, Store, VerifyReport

ON_TERMINAL = ("architecture", "split", "stream", "reported", "ours, best", "ours, last epoch", "lookup", "epochs")


def inputs(display: Display, store: Store, ref: ArtifactRef, other: Mapping[str, int]) -> dict[str, Any]:
    """Say what became of every input so far, and how many `other` files are none."""
    table = read_inputs(store, ref)
    counts = Counter(row.status for row in table)
    display.log(
        f"Found {len(table)} inputs: {counts[ACCEPTED]} to be read, {counts[DUPLICATE]} duplicates, "
        f"{counts[REJECTED]} rejected; {other['ignored']} other files, {other['left_out']} left out by the recipe"
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
    """Say what was read, kept and dropped, and what came of it."""
    notes, events, dataset = store.open(made.notes), store.open(made.events), load_dataset(store, made.dataset)
    table = read_inputs(store, made.notes)
    counts = notes.counts
    display.log(
        f"Read {len(table)} inputs: kept {counts['pieces']}, {counts['duplicates']} duplicates, "
        f"{counts['rejected']} rejected"
    )
    _not_accepted(display, table)
    display.log(
        f"{counts['notes']:,} notes → {events.counts['events']:,} events "
        f"({events.counts['merged']} merged into a longer one, {events.counts['drums']} on drums left out)"
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
    for sentence in dataset.warnings:
        display.log(sentence)
    for path in (*events.files("events"), notes.file("inputs")):
        display.log(f"Made {path}")


def score_card(display: Display, store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Show a score card; give it for `--json`."""
    card = read_card(store, ref)
    for split in card["splits"]:
        found = [row for row in rows(card) if row["split"] == split]
        predictors = list(dict.fromkeys(row["predictor"] for row in found))
        streams = list(dict.fromkeys(row["stream"] for row in found))
        nll = {(row["predictor"], row["stream"]): row["nll"] for row in found}
        accuracy = {(row["predictor"], row["stream"]): row["accuracy"] for row in found}
        per_note, lookup = card["splits"][split]["nll_per_note"], card["splits"][split]["lookup"]
        display.table(
            f"{split}, {card['protocol']}: {card['splits'][split]['events']:,} events, nats per event (accuracy)"
            + (f"; the models cost {per_note:.3f} nats per note" if per_note is not None else ""),
            ["", *("in sum" if stream == "all" else stream for stream in streams)],
            [
                [
                    predictor,
                    *(_cell(nll[predictor, stream], accuracy[predictor, stream]) for stream in streams),
                ]
                for predictor in predictors
            ]
            + (
                [["lookup", *(f"({lookup[stream]:.0%})" if stream in lookup else "" for stream in streams)]]
                if lookup
                else []
            ),
        )
    display.log(f"Made {store.open(ref).file('card.json')}")
    return card


def reproduced(display: Display, store: Store, ref: ArtifactRef, directory: Path | None) -> dict[str, Any]:
    """Show what came of the report's experiments, and say where the page lies."""
    findings = read_report(store, ref)
    shown = [COLUMNS.index(name) for name in ON_TERMINAL]
    rows_ = [[row[place] for place in shown] for row in table(findings)]
    display.table("Accuracy on validation: reported, and ours", ON_TERMINAL, rows_, texts=3)
    folder = directory or store.open(ref).folder
    for name in ("report.md", "report.html"):
        display.log(f"Made {folder / name}")
    return {"experiments": findings, "directory": str(folder), "page": str(folder / "report.html")}


def generated(display: Display, described: dict[str, Any]) -> dict[str, Any]:
    """Say which music was made, what is suspicious of it, and where the page to listen to lies."""
    rows_ = [
        [
            Path(output["midi"]).name,
            output["prompt_piece"] or "nothing",
            str(output["events"]),
            str(output["longest_copy"]),
            str(output["loops_left"]),
        ]
        for output in described["outputs"]
    ]
    columns = ["result", "goes on from", "events", "longest copy", "loops led out of"]
    display.table("Music", columns, rows_[:ROWS_SHOWN], texts=2)
    display.log(f"MIDI, audio, pictures and sheet music lie in {described['directory']}")
    display.log(f"Listen: {described['page']}")
    for warning in described["warnings"]:
        display.log(warning)
    return described


def verified(display: Display, found: VerifyReport) -> dict[str, Any]:
    """Say what verification found."""
    display.log(f"Read {found.files} files of {found.artifacts} artifacts: {len(found.bad)} are not what was written")
    for bad in found.bad:
        display.log(f"{bad.path}: {bad.reason}")
    return {
        "artifacts": found.artifacts,
        "files": found.files,
        "bad": [{"path": str(bad.path), "reason": bad.reason} for bad in found.bad],
    }


def status(display: Display, store: Store) -> dict[str, Any]:
    """Say what storage holds, for each recipe what is prepared and in use, and which trainings are unfinished."""
    artifacts = Counter(ref.kind for ref in store.refs())
    recipes = {name: _recipe_status(store, name) for name in store.recipes()}
    unfinished = unfinished_trainings(store)
    for name, said in recipes.items():
        if said["promoted"]:
            scores = ", ".join(f"{split} {nll:.4f}" for split, nll in said["nll_per_event"].items())
            display.log(f"{name}: models in use, nats per event ({said['protocol']}): {scores}")
        else:
            display.log(f"{name}: prepared, no models yet")
    if not recipes:
        display.log(f"{store.where}: nothing yet; begin with `lstm-music run`")
    display.log(f"Artifacts: {', '.join(f'{count} {kind}' for kind, count in sorted(artifacts.items())) or 'none'}")
    if unfinished:
        display.log(f"Trainings that are running, or go on when the same command is run again: {len(unfinished)}")
    return {
        "storage": store.where,
        "artifacts": dict(artifacts),
        "recipes": recipes,
        "unfinished_trainings": unfinished,
    }


def _recipe_status(store: Store, name: str) -> dict[str, Any]:
    kept = store.current(name) or {}
    promoted = kept.get("promoted")
    facts = store.open(ArtifactRef("scorecard", promoted["scorecard"])).facts if promoted else {}
    return {
        "prepared": kept.get("prepared"),
        "promoted": promoted,
        "protocol": facts.get("protocol"),
        "nll_per_event": facts.get("nll_per_event"),
    }


def _not_accepted(display: Display, table: list[Input]) -> None:
    """Name what was not accepted, and why."""
    rows_ = [[row.name, row.status, row.reason] for row in table if row.status == REJECTED]
    if rows_:
        display.table("Rejected", ["file", "", "reason"], rows_[:ROWS_SHOWN], texts=3)
    if len(rows_) > ROWS_SHOWN:
        display.log(f"… and {len(rows_) - ROWS_SHOWN} more; the table of inputs names them all")


def _cell(nll: float, accuracy: float | None) -> str:
    return f"{nll:.3f}" if accuracy is None else f"{nll:.3f} ({accuracy:.0%})"

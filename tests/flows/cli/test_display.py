"""What a terminal shows while music is generated; a log is tested with the commands."""

import io
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from flows.cli import display as displays
from flows.cli import report
from flows.cli.display import Display
from lstm_music.stages.training.checkpoints import note_progress
from lstm_music.store import ArtifactRef, Store


def test_a_terminal_shows_the_stage_and_counts_its_files():
    display = Display(as_json=False)
    display.console = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)
    with display.generating("Generating 2 pieces") as (on_stage, on_file):
        on_stage("Making events")
        on_stage("Rendering [now]")
        on_file(1, 3)
        on_file(2, 3)
    shown = display.console.file.getvalue()
    assert shown.startswith("Generating 2 pieces")
    for text in ("Making events", "Rendering [now]", "2 of 3 files"):
        assert text in shown


def test_a_log_counts_files_that_take_long(capsys, monkeypatch):
    monkeypatch.setattr(displays, "QUIET_SECONDS", 0.0)
    with Display(as_json=False).generating("Generating 2 pieces") as (on_stage, on_file):
        on_stage("Rendering")
        on_file(1, 3)
    assert capsys.readouterr().out == "Generating 2 pieces …\nRendering …\nRendered 1 of 3 files\n"


def test_a_log_has_a_line_per_stage(capsys):
    with Display(as_json=False).generating("Generating 2 pieces") as (on_stage, on_file):
        on_stage("Making events")
        on_file(1, 3)
    assert capsys.readouterr().out == "Generating 2 pieces …\nMaking events …\n"


def test_what_was_asked_is_said_with_the_pieces_that_kept_it(capsys, tmp_path):
    def said(*kept):
        rows = [[{"name": "bars", "asked": "4", "found": "4" if one else "3", "is_kept": one}] for one in kept]
        other = {"prompt_piece": "", "events": 9, "longest_copy": 0, "loops_left": 0, "audio": []}
        outputs = [{**other, "midi": str(tmp_path / f"{number}.mid"), "asked": row} for number, row in enumerate(rows)]
        described = {
            "outputs": outputs,
            "name": "2026-11-29_tiny_1",
            "command_for_more": "lstm-music generate",
            "warnings": [],
            "directory": str(tmp_path),
            "page": "index.html",
        }
        report.generated(Display(as_json=False), described)
        return capsys.readouterr().out

    assert "\nKept: bars 4 in 1 of 2 pieces, else 3\n" in said(True, False)
    assert "\nKept: bars 4 in 1 of 1 piece\n" in said(True)


def test_with_json_all_of_it_goes_to_standard_error(capsys):
    display = Display(as_json=True)
    display.log("[bold]a line")
    display.result({"made": 1})
    assert capsys.readouterr() == ('{"made": 1}\n', "[bold]a line\n")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_training_that_is_added_later_is_shown_too(tmp_path, monkeypatch, is_terminal):
    monkeypatch.setattr(displays, "LOOK_SECONDS", 0.01)
    facts = SimpleNamespace(facts={"leaky": False, "held_out_nll": 1.5})
    monkeypatch.setattr(Store, "open", lambda *_: facts)
    store, ref = Store(tmp_path), ArtifactRef("model", "0" * 64)
    display = Display(as_json=False)
    display.console = Console(file=io.StringIO(), force_terminal=is_terminal, width=100, highlight=False)
    progress = {"epoch": 2, "epochs": 3, "step": 1, "steps": 4, "loss": 2.5, "held_out": 2.0, "leaky": False}
    with display.trainings(store) as shown:
        note_progress(store, ref, {**progress, "scored_epochs": 1, "seconds_left": 61.0})
        shown["demo note"] = ref
        line = "epoch 2 of 3, loss 2.500, held-out 2.000 after 1, at most 1:01 left"
        end = time.monotonic() + 30
        while line not in display.console.file.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    text = display.console.file.getvalue()
    assert line in text
    assert text.endswith("demo note   trained, held-out 1.500 nats per event\n")

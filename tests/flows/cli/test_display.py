"""What a terminal shows while music is generated; a log is tested with the commands."""

import io

from rich.console import Console

from flows.cli.display import Display


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


def test_a_log_has_a_line_per_stage(capsys):
    with Display(as_json=False).generating("Generating 2 pieces") as (on_stage, on_file):
        on_stage("Making events")
        on_file(1, 3)
    assert capsys.readouterr().out == "Generating 2 pieces …\nMaking events …\n"


def test_with_json_all_of_it_goes_to_standard_error(capsys):
    display = Display(as_json=True)
    display.log("[bold]a line")
    display.result({"made": 1})
    assert capsys.readouterr() == ('{"made": 1}\n', "[bold]a line\n")

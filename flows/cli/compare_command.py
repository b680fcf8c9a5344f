"""`lstm-music compare`: recipes side by side."""

from collections.abc import Sequence
from pathlib import Path

from flows.cli.display import Display
from flows.cli.output_dir import copy_to, require_output_dir
from lstm_music.rendering.comparison_page import comparison_table
from lstm_music.stages.report.comparison import compare as compare_recipes
from lstm_music.stages.report.comparison import read_comparison, trained_names
from lstm_music.store import Store


def compare(display: Display, recipes: Sequence[str], storage: str, output_dir: Path | None) -> None:
    """Show the promoted models of recipes side by side, and write a page with their learning curves."""
    store = Store(storage)
    names = trained_names(store, recipes)
    require_output_dir(output_dir, store)
    with store.session():
        ref = compare_recipes(store, names)
        if output_dir is not None:
            copy_to(output_dir, store, ref, may_replace=True)
    found = read_comparison(store, ref)
    display.table(f"Comparison of {' and '.join(names)}", *comparison_table(found))
    for note in found["notes"]:
        display.log(f"Note: {note}")
    for one in found["recipes"]:
        for warning in one["warnings"]:
            display.log(f"Warning, {one['recipe']}: {warning}")
    folder = output_dir or store.open(ref).folder
    for name in ("comparison.html", "curves.svg"):
        display.log(f"Made {folder / name}")
    display.result({**found, "page": str(folder / "comparison.html"), "curves": str(folder / "curves.svg")})

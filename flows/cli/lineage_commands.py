"""What `lineage` and `forget` do: back from a result, forward from a piece, and away with it."""

from typing import Any

from flows.cli.display import ROWS_SHOWN, Display
from flows.cli.order_commands import DRY_RUN, existing
from flows.cli.sizes import by_group, size
from flows.cli.words import counted
from lstm_music.rendering.lineage_page import lineage_page
from lstm_music.stages.music.results import find_result
from lstm_music.stages.upkeep import forgetting
from lstm_music.stages.upkeep.holders import artifacts_with, find_contents
from lstm_music.stages.upkeep.lineage import Lineage, lineage_of


def lineage(display: Display, storage: str, result: str) -> None:
    """Report where a result comes from, and write the page."""
    store = existing(storage)
    found = lineage_of(store, find_result(store, result))
    name = found["result"]["name"]
    display.log(f"{name}: recipe {found['result']['recipe']}, random seed {found['result']['random_seed']}")
    display.log(f"Made by `{found['result']['command']}`")
    _models(display, found)
    _pieces(display, found)
    _versions(display, found)
    page = store.put_page("lineage", f"{name}.html", lineage_page(found).encode())
    display.log(f"Page: {page}")
    display.result({**found, "page": str(page)})


def _models(display: Display, found: Lineage) -> None:
    rows = [
        [one["name"], one["key"][:16], str(one["epochs"]), f"{one['held_out_nll']:.3f}", (one["start"] or "")[:16]]
        for one in found["models"]
    ]
    display.table("Models", ["model", "key", "epochs", "nats per event", "trained from"], rows, texts=2)


def _pieces(display: Display, found: Lineage) -> None:
    columns = ("split", "name", "composer", "licence", "source", "bytes", "sha256")
    rows = [[str(piece[column]) for column in columns] for piece in found["pieces"]]
    display.table(f"Learnt from {counted(len(rows), 'piece')}", columns, rows[:ROWS_SHOWN], texts=5)
    if len(rows) > ROWS_SHOWN:
        display.log(f"… and {len(rows) - ROWS_SHOWN} more; the page and --json list them all")


def _versions(display: Display, found: Lineage) -> None:
    versions = {(name, version) for stage in found["stages"] for name, version in stage["libraries"].items()}
    code = sorted({stage["code"] for stage in found["stages"] if stage["code"]})
    pythons = sorted({stage["python"] for stage in found["stages"] if stage["python"]})
    display.log(f"Code: lstm-music {', '.join(code) or 'of an earlier version'}; Python {', '.join(pythons)}")
    display.log("Libraries: " + ", ".join(f"{name} {version}" for name, version in sorted(versions)))


def touched(display: Display, storage: str, piece: str) -> None:
    """Report all artifacts that hold a piece or were made from such."""
    store = existing(storage)
    contents = find_contents(store, piece)
    for sha256, name in contents.items():
        display.log(f"{name}: {sha256}")
    found = sorted(artifacts_with(store, contents))
    for ref in found:
        display.log(f"{ref.kind:11} {store.shown(f'{ref.kind}/{ref.key}')}")
    display.log(f"{counted(len(found), 'artifact')}")
    display.result({"contents": contents, "artifacts": [ref.to_json() for ref in found]})


def forget(display: Display, storage: str, piece: str, *, apply: bool, wait: bool) -> None:
    """Report what holds a piece and what was learnt from it; remove all of it if it is asked for."""
    store = existing(storage)
    contents = find_contents(store, piece)
    if apply:
        with display.doing(f"Forgetting {piece}"), store.alone(wait=wait):
            planned = forgetting.plan_forgetting(store, contents)
            forgetting.forget(store, planned)
    else:
        with display.doing(f"Looking for {piece}"):
            planned = forgetting.plan_forgetting(store, contents)
    said = _report(display, planned)
    display.log(f"Removed {size(planned.bytes)}; it is never ingested again" if apply else DRY_RUN)
    display.result({**said, "applied": apply})


def _report(display: Display, planned: forgetting.Forgetting) -> dict[str, Any]:
    for sha256, name in planned.contents.items():
        display.log(f"{name}: {sha256}")
    kinds = by_group(planned.items, lambda item: item.kind)
    rows = [[kind, f"{number:,}", size(total)] for kind, (number, total) in kinds.items()]
    display.table("Holds it, or was learnt from it", ["", "number", "size"], rows)
    for recipe, facts in planned.facts.items():
        if facts.get("promoted", ...) is None:
            display.log(
                f"Recipe {recipe}: no model is left that did not learn from it; train again with "
                f"`lstm-music run --recipe {recipe}` and the same --source"
            )
        elif "promoted" in facts:
            display.log(f"Recipe {recipe}: the last models that did not learn from it are promoted again")
        elif "prepared" in facts:
            display.log(f"Recipe {recipe}: prepare its music again with `lstm-music prepare --recipe {recipe}`")
    for name in planned.inbox:
        display.log(f"The inbox holds it as {name}: it stays there, and is not learnt again")
    return {
        "contents": planned.contents,
        "removed": {kind: {"number": number, "bytes": total} for kind, (number, total) in kinds.items()},
        "keys": [item.key for item in planned.items],
        "recipes": {recipe: list(facts) for recipe, facts in planned.facts.items()},
        "inbox": planned.inbox,
    }

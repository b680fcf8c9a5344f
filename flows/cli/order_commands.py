"""What the sub-commands of `order` do."""

from collections.abc import Sequence
from typing import Any

from flows.cli.display import Display
from flows.cli.sizes import by_group, bytes_of, size
from flows.cli.words import counted
from lstm_music.errors import StorageError
from lstm_music.stages.music.names import read_names
from lstm_music.stages.music.results import find_result
from lstm_music.stages.upkeep import pins, pruning
from lstm_music.stages.upkeep import repair as repairing
from lstm_music.stages.upkeep.pruning import plan_pruning
from lstm_music.stages.upkeep.survey import Limits
from lstm_music.store import Store, versions

DRY_RUN = "Nothing was changed; run it again with --apply to do it"


def repair(display: Display, storage: str, recipes: Sequence[str], *, apply: bool) -> None:
    """Tell a lost or damaged current.json again."""
    store = existing(storage)
    with display.doing("Reading the artifacts"):
        planned = repairing.plan_repair(store, recipes)
    for sentence in planned.sentences:
        display.log(sentence)
    if planned.unknown:
        display.log(
            f"{counted(planned.unknown, 'score card')} of no known recipe; if their models were promoted, give the file "
            "of their recipe with --recipe"
        )
    if not planned.facts:
        display.log("Nothing to repair")
    elif apply:
        repairing.repair(store, planned)
        display.log(f"Wrote {store.shown('current.json')}")
    else:
        display.log(DRY_RUN)
    display.result({"facts": planned.facts, "unknown": planned.unknown, "applied": apply and bool(planned.facts)})


def prune(display: Display, storage: str, limits: tuple[int, float, str | None], *, apply: bool, wait: bool) -> None:
    """Report what is not needed any more, and remove it if it is asked for."""
    keep_history, older_than, below = limits
    wanted, most = Limits(keep_history, older_than), None if below is None else bytes_of(below)
    store = existing(storage)
    if not apply:
        with display.doing("Looking for what nothing needs"):
            planned = plan_pruning(store, wanted, most)
        said = report_pruning(display, planned)
        display.log(DRY_RUN if planned.items or planned.histories else "Nothing to remove")
        display.result({**said, "applied": False})
        return
    with display.doing("Removing what nothing needs"), store.alone(wait=wait):
        planned = plan_pruning(store, wanted, most)
        pruning.prune(store, planned)
    said = report_pruning(display, planned)
    display.log(f"Removed {size(planned.bytes)}" if planned.items else "Nothing to remove")
    display.result({**said, "applied": True})


def report_pruning(display: Display, planned: pruning.Pruning) -> dict[str, Any]:
    """List what goes by kind, with sizes; return it for `--json`."""
    kinds = by_group(planned.items, lambda item: item.kind)
    if kinds:
        rows = [[kind, f"{count:,}", size(total)] for kind, (count, total) in kinds.items()]
        display.table("Not needed", ["", "number", "size"], rows)
    for recipe, (before, after) in planned.histories.items():
        display.log(
            f"Recipe {recipe}: {len(before) - len(after)} of {counted(len(before), 'earlier promotion')} leave its history"
        )
    return {
        "removed": {kind: {"number": count, "bytes": total} for kind, (count, total) in kinds.items()},
        "bytes": planned.bytes,
        "keys": [item.key for item in planned.items],
        "histories": {recipe: len(before) - len(after) for recipe, (before, after) in planned.histories.items()},
    }


def keep(display: Display, storage: str, result: str, *, release: bool) -> None:
    """Pin a generation, or let it go."""
    store = existing(storage)
    ref = find_result(store, result)
    (pins.release if release else pins.pin)(store, ref)
    name = read_names(store).of(ref) or ref.key[:16]
    display.log(
        f"{name}: {'may go with the next prune that does not need it' if release else 'stays, with all that it was made from'}"
    )
    display.result({"name": name, "key": ref.key, "kept": not release})


def migrate(display: Display, storage: str, *, apply: bool, wait: bool) -> None:
    """Convert a storage of an earlier version."""
    steps = versions.migrate(storage, wait=wait) if apply else versions.conversions(storage)
    if not steps:
        existing(storage)
        display.log(f"{storage}: has version {versions.STORAGE_VERSION} already; everything in it is found as it is")
    for step in steps:
        display.log(f"{'Converted' if apply else 'Would convert'} version {step} to version {step + 1}")
    if steps and not apply:
        display.log(DRY_RUN)
    display.result({"version": versions.STORAGE_VERSION, "steps": steps, "applied": apply and bool(steps)})


def existing(storage: str) -> Store:
    """Open a storage in which something was made. Raises StorageError for any other."""
    store = Store(storage)
    if not store.is_begun():
        raise StorageError(f"{storage}: no storage lies here; give the --storage of an earlier run")
    return store

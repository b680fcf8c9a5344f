"""What the sub-commands of `order` do."""

from collections.abc import Sequence

from flows.cli.display import Display
from flows.cli.words import counted
from lstm_music.errors import StorageError
from lstm_music.stages.upkeep import repair as repairing
from lstm_music.store import Store

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


def existing(storage: str) -> Store:
    """Open a storage in which something was made. Raises StorageError for any other."""
    store = Store(storage)
    if not store.is_begun():
        raise StorageError(f"{storage}: no storage lies here; give the --storage of an earlier run")
    return store

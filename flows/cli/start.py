"""The entry point of `lstm-music`: Ctrl-C is understood before anything else is imported."""

import gc

from flows.cli.interrupt import interruptible

GARBAGE_THRESHOLD = 20_000
"""How many new objects begin a search for garbage, instead of 700: imports make a million objects, which all stay."""


def main() -> None:
    """Run a command: see `flows.cli.app.main`."""
    with interruptible():
        gc.set_threshold(GARBAGE_THRESHOLD)
        from flows.cli.app import main as run

        run()

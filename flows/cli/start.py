"""The entry point of `lstm-music`: Ctrl-C is understood before anything else is imported."""

from flows.cli.interrupt import interruptible


def main() -> None:
    """Run a command: see `flows.cli.app.main`."""
    with interruptible():
        from flows.cli.app import main as run

        run()

"""One part of `make serve`: a Prefect command that ends with its parent, however that ends.

`flows.engine.serve` starts this file by its path, with the words of the command as arguments. Standard input is the lifeline:
when its other end closes, the command is asked to end, and after GRACE_SECONDS it is killed with all that it started.
"""

import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 10.0


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process and its process group."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the command."""
    # Background jobs of a shell ignore SIGINT, and children inherit that; Prefect uses it to end its workers in order.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=end_with_parent, daemon=True).start()
    from prefect.cli import app

    sys.argv[0] = "prefect"
    app()


if __name__ == "__main__":
    main()

"""One part of `make serve`: a command of Prefect's that ends with its parent, however that ends.

`flows.engine.serve` starts this file by its path, with the command's words as arguments. Its standard input is its lifeline:
when the other end is closed it is asked to end, and after GRACE_SECONDS it ends with all that it started.
"""

import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 10.0


def end_with_parent() -> None:
    """Wait for the end of standard input; then end this process, and its group, which is its own."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the command."""
    # A shell's background ignores SIGINT, by which Prefect ends its workers in order, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=end_with_parent, daemon=True).start()
    from prefect.cli import app

    sys.argv[0] = "prefect"
    app()


if __name__ == "__main__":
    main()

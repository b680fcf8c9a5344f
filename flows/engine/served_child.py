"""One part of `make serve`: Prefect's server, or a command of Prefect, that ends with its parent, however that ends.

`flows.engine.serve` starts this file by its path. Standard input is the lifeline: when its other end closes, the part is asked
to end, and after GRACE_SECONDS it is killed with all that it started. Arguments: the words of the command; or `serve`, the
descriptor of a listening socket, and the host names that requests may be for.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence

GRACE_SECONDS = 10.0
CLOSE_SECONDS = 3
"""How long the server waits for requests that are under way before it ends."""


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process and its process group."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)


def serve(listener: socket.socket, names: Sequence[str]) -> None:
    """Serve Prefect's API and UI, as `prefect server start` does, and refuse requests for another host name.

    A page in a browser can give its own name the address of this machine; then the browser takes the server for a part of the
    page. Prefect has no setting against that.
    """
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from flows.engine.served_database import use_immediate_sqlite

    use_immediate_sqlite()
    os.umask(0o077)  # a new database is for this user alone
    # Around the app, not within it: Prefect's automations call the app itself, in this process and by another name.
    guarded = TrustedHostMiddleware(create_app(final=True), allowed_hosts=names, www_redirect=False)
    api = get_current_settings().server.api
    config = uvicorn.Config(
        guarded,
        log_level="warning",
        timeout_keep_alive=api.keepalive_timeout,
        timeout_graceful_shutdown=CLOSE_SECONDS,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
    )
    uvicorn.Server(config).run([listener])


def main() -> None:
    """Run the server or the command."""
    # Background jobs of a shell ignore SIGINT, and children inherit that; Prefect uses it to end its workers in order.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=end_with_parent, daemon=True).start()
    if sys.argv[1] == "serve":
        serve(socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
        return
    from prefect.cli import app

    sys.argv[0] = "prefect"
    app()


if __name__ == "__main__":
    main()

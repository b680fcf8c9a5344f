"""An S3-compatible server as a separate program: moto's, on loopback, with its objects in memory.

SIGUSR1 makes it unreachable, like a machine that is switched off. SIGUSR2 makes it reachable again, with all its objects.
Moto checks for an object and writes it in two steps, so writes are serialised here.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

CONFLICT = b"<Error><Code>ConditionalRequestConflict</Code><Message>another upload is under way</Message></Error>"


class S3:
    """The application. Two kinds of buckets are special, by the start of their names.

    `careless` ignores If-None-Match, as some servers do. `busy` answers the first such request for each key as S3 does
    while another upload to the key is in progress.
    """

    def __init__(self) -> None:
        self._answer = DomainDispatcherApplication(create_backend_app)
        self._turn = threading.Lock()
        self._told_to_wait: set[str] = set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if path.startswith("/careless"):
            environ.pop("HTTP_IF_NONE_MATCH", None)
        if path.startswith("/busy") and "HTTP_IF_NONE_MATCH" in environ and path not in self._told_to_wait:
            self._told_to_wait.add(path)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(
                "409 Conflict", [("Content-Type", "application/xml"), ("Content-Length", str(len(CONFLICT)))]
            )
            return [CONFLICT]
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return self._answer(environ, start_response)
        with self._turn:
            return self._answer(environ, start_response)


def say(line: str) -> None:
    """Print a line for the parent process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve on a free port until killed; print "ready" and the port when requests are answered."""
    port, app = 0, S3()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    while True:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)
        port = server.port  # the same port after a restart
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        say(f"ready {port}")
        signal.sigwait({signal.SIGUSR1})
        server.shutdown()
        thread.join()
        server.server_close()
        say("away")
        signal.sigwait({signal.SIGUSR2})


if __name__ == "__main__":
    main()

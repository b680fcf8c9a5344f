"""An S3-compatible server as a program of its own: moto's, on loopback, with its objects in memory.

SIGUSR1 makes it unreachable, as a machine that is switched off, and SIGUSR2 reachable again, with all that it held.
Moto looks whether an object is there and writes it in two steps, so what writes has to wait for its turn here.
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
    """The application. Two kinds of buckets are special, by how their names begin.

    `careless` knows no If-None-Match, as some servers do not; `busy` answers the first such request of each key as S3 does
    while another upload to it is under way.
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
    """Tell whoever started this where it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve on a free port, until killed; say "ready" and the port when requests are answered."""
    port, app = 0, S3()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    while True:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)
        port = server.port  # the same one when it is back
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

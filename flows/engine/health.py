"""The health check of a container: python -m flows.engine.health [URL]; exit code 0 if the URL answers, else 1.

Without a URL it asks the Prefect server of PREFECT_API_URL; without that, there is nothing to check.
"""

import os
import sys
import urllib.request
from collections.abc import Sequence

TIMEOUT_SECONDS = 8.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Check a URL, by the first argument or by PREFECT_API_URL."""
    said = sys.argv[1:] if arguments is None else arguments
    api = os.environ.get("PREFECT_API_URL")
    url = said[0] if said else api and f"{api.rstrip('/')}/health"
    if url:
        try:
            # No proxy: the services of one machine, or of one private network, ask each other.
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=TIMEOUT_SECONDS).close()
        except (OSError, ValueError) as error:
            sys.stderr.write(f"health: {url}: {error}\n")
            sys.exit(1)


if __name__ == "__main__":
    main()

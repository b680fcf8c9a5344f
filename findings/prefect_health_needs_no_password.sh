#!/usr/bin/env bash
# Prefect 3.9.1: a server with PREFECT_SERVER_API_AUTH_STRING answers /api/health and /api/ready to anybody.
#
# A client that checks its password by asking for the server's health (200, "true") finds nothing wrong with a wrong password; every
# other route answers 401. Expected: 401 for all of the API. A check of the password has to ask for something else.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prefect==3.9.1 'sqlalchemy==2.0.58'
export PREFECT_HOME="$folder/home" PREFECT_SERVER_API_AUTH_STRING=ada:right DO_NOT_TRACK=1
cd "$folder"
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/prefect" server start --host 127.0.0.1 --port "$port" >server.log 2>&1 &
server=$!
"$folder/venv/bin/python" - "$port" <<'PYTHON'
import base64
import json
import sys
import time
import urllib.error
import urllib.request

api = f"http://127.0.0.1:{sys.argv[1]}/api"


def status(path: str, password: str | None, body: dict | None = None) -> int:
    headers = {"content-type": "application/json"}
    if password:
        headers["authorization"] = "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()
    data = None if body is None else json.dumps(body).encode()
    try:
        return urllib.request.urlopen(urllib.request.Request(api + path, data, headers), timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


deadline = time.monotonic() + 180
while True:
    try:
        status("/health", None)
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.5)
for path in ("/health", "/ready"):
    print(path, "- no password:", status(path, None), "- wrong password:", status(path, "wrong"))
flows = [status("/flows/filter", password, {}) for password in (None, "wrong", "right")]
print("/flows/filter - no, wrong, right password:", flows)
sys.exit(0 if status("/health", "wrong") == 200 and flows == [401, 401, 200] else 1)
PYTHON

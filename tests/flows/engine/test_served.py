"""The server of `make serve`: its deployments and forms, and who may give orders to it, with real requests and a real browser."""

import base64
import json
import os
import stat
import subprocess
import sys

import httpx
import pytest
from program import COMMAND, REPOSITORY
from served import Served
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.slow

DEPLOYMENTS = {"ingest", "prepare", "train-all", "generate", "watch", "retrain", "tidy"}
ONE_AT_A_TIME = {"train-all": "ENQUEUE", "retrain": "ENQUEUE", "watch": "CANCEL_NEW", "tidy": "CANCEL_NEW"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One server for all of these tests, because each takes fifteen seconds to start."""
    found = Served(tmp_path_factory.mktemp("served"))
    yield found
    assert found.close().endswith("a training continues at its next run.\n")
    assert found.program.left_after(10) == []
    assert not found.file.exists()


def ask(served, **headers: str) -> httpx.Response:
    """Ask for a new flow, as a page or a program would that has only the address."""
    url = f"http://127.0.0.1:{served.port}/api/flows/"
    return httpx.post(url, json={"name": "not-mine"}, headers=headers, trust_env=False, timeout=30)


def known(served) -> str:
    credentials = served.settings["PREFECT_API_AUTH_STRING"]
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def test_every_deployment_is_there_with_a_form_that_says_what_each_field_is(served):
    found = {name: served.deployment(name) for name in DEPLOYMENTS}
    for name, deployment in found.items():
        fields = deployment["parameter_openapi_schema"]["properties"]
        assert {field for field, schema in fields.items() if not schema.get("description")} == set()
        assert not {"inputs", "fingerprint"} & fields.keys()
        assert "lstm-music" in deployment["tags"]
        assert deployment["description"]
        options = deployment["concurrency_options"] or {}
        assert options.get("collision_strategy") == ONE_AT_A_TIME.get(name)
    assert found["train-all"]["parameter_openapi_schema"]["properties"]["runner"]["anyOf"][0]["enum"]
    assert [schedule["active"] for schedule in found["watch"]["schedules"]] == [True]


def test_a_deploy_removes_the_automations_of_earlier_versions(served):
    def automations():
        return {found["name"]: found for found in served.ask("POST", "/automations/filter", json={}).json()}

    names = set(automations())
    assert {"crash runs that send no more heartbeats", "crash runs that never begin"} <= names
    fields = ("description", "enabled", "trigger", "actions")
    old = {field: automations()["crash runs that never begin"][field] for field in fields}
    served.ask("POST", "/automations/", json={**old, "name": "crash runs without a heartbeat"})
    environment = os.environ | served.settings | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "flows.engine.deploy"]
    subprocess.run(command, env=environment, cwd=served.program.home, check=True, capture_output=True)
    assert set(automations()) == names


def test_where_nothing_is_promoted_watch_says_so_and_trains_nothing(served, tmp_path):
    run = served.ended(served.run("watch", storage=str(tmp_path / "storage")), 120)
    assert run["state_type"] == "COMPLETED", served.log_of(run["id"])
    served.wait(lambda: "no recipe has promoted models" in served.log_of(run["id"]), 20, "the sentence")


def test_without_the_password_nothing_is_done(served):
    assert ask(served).status_code == 401
    assert ask(served, Authorization="Basic bm90OnRoYXQ=").status_code == 401
    assert ask(served, Authorization=known(served)).status_code == 201


@pytest.mark.parametrize("path", ["events/in", "events/out", "logs/out"])
def test_without_the_password_no_event_comes_in_or_goes_out(served, path):
    """A browser lets any page open a WebSocket to any address."""
    url = f"ws://127.0.0.1:{served.port}/api/{path}"
    with connect(url, subprotocols=["prefect"], origin="http://evil.example", proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "token": "lstm-music:guessed"}))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_page_of_another_address_reads_nothing(served, origin):
    answer = ask(served, Origin=origin, Authorization=known(served))
    assert "access-control-allow-origin" not in answer.headers
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    url = f"http://127.0.0.1:{served.port}/api/deployments/filter"
    assert httpx.options(url, headers=preflight, trust_env=False).status_code == 400
    own = f"http://localhost:{served.port}"
    assert ask(served, Origin=own).headers["access-control-allow-origin"] == own


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4200", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_a_request_for_another_host_name_is_refused(served, host):
    assert ask(served, Host=host, Authorization=known(served)).status_code == 400
    for path in ("/", "/api/health", "/ui-settings"):
        url = f"http://127.0.0.1:{served.port}{path}"
        assert httpx.get(url, headers={"Host": host}, trust_env=False).status_code == 400


def test_other_users_of_this_machine_see_no_password(served):
    credentials = served.settings["PREFECT_API_AUTH_STRING"]
    assert stat.S_IMODE(served.file.stat().st_mode) == 0o600
    assert served.file.stat().st_uid == os.getuid()
    password = credentials.partition(":")[2]
    assert not [command for command in served.program.alive() if password in command]
    assert password not in served.said()  # it is not a terminal, so it may be a file that others read
    assert stat.S_IMODE((served.program.home / ".prefect" / "prefect.db").stat().st_mode) == 0o600
    readable = [path for path in served.program.home.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert not [path for path in readable if password.encode() in path.read_bytes()]


def test_one_line_leads_a_second_terminal_of_yours_to_the_server(served):
    (line,) = [line.strip() for line in served.lines if line.strip().startswith("source ")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    environment |= {"HOME": str(served.program.home), "PREFECT_CLIENT_MAX_RETRIES": "0"}

    def typed(command: str) -> str:
        shell = subprocess.run(["bash", "-c", command], check=False, env=environment, capture_output=True, text=True)
        return shell.stdout + shell.stderr

    prefect = f"{sys.executable} -m prefect deployment ls"
    assert "train-all/train-all" in typed(f"{line} && {prefect}")
    assert "Prefect: http://127.0.0.1" in typed(f"{line} && {COMMAND} doctor")
    without = f"{line} && PREFECT_API_AUTH_STRING=not:that"
    assert "answers with status 401 → set PREFECT_API_AUTH_STRING" in typed(f"{without} {COMMAND} doctor")


def test_the_browser_gets_in_with_the_password(served, browser):
    page = browser.new_page()
    page.goto(f"http://localhost:{served.port}/deployments")
    page.get_by_placeholder("admin:pass").fill(served.settings["PREFECT_API_AUTH_STRING"])
    page.get_by_role("button", name="Login").click()
    page.get_by_text("train-all").first.wait_for(timeout=30_000)
    page.close()

"""Who may give orders to the server of `make serve`: real requests to a real server, and a real browser at its UI."""

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from program import COMMAND
from served import Served
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from flows.engine.access import Access
from flows.engine.serve import main
from flows.engine.server import prefect_home
from lstm_music.errors import RecipeError

OWN = "me:a password of my own"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("served"))
    yield found
    found.close()
    assert not found.file.exists()


def ask(served, **headers: str) -> httpx.Response:
    """Ask for a new flow, as a page or a program would that has only the address."""
    url = f"http://127.0.0.1:{served.port}/api/flows/"
    return httpx.post(url, json={"name": "not-mine"}, headers=headers, trust_env=False, timeout=30)


def known(served) -> str:
    credentials = served.settings["PREFECT_API_AUTH_STRING"]
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_each_run_has_a_password_of_its_own(tmp_path, host):
    environment = {"PREFECT_HOME": str(tmp_path)}
    first, second = (Access.of(host, 4200, environment) for _ in range(2))
    assert first.credentials != second.credentials
    assert len(first.credentials) > 32
    assert "*" not in first.names


def test_a_password_of_your_own_stays_and_is_written_nowhere(tmp_path):
    (tmp_path / "profiles.toml").write_text(
        f'active = "mine"\n[profiles.mine]\nPREFECT_SERVER_API_AUTH_STRING = "{OWN}"'
    )
    for environment in (
        {"PREFECT_HOME": str(tmp_path)},
        {"PREFECT_SERVER_API_AUTH_STRING": OWN, "PREFECT_PROFILES_PATH": "/dev/null"},
    ):
        access = Access.of("127.0.0.1", 4200, environment)
        assert access.credentials == OWN
        assert access.client_settings({"PREFECT_API_AUTH_STRING": "of:another"})["PREFECT_API_AUTH_STRING"] == OWN
        with access.kept(tmp_path / "home") as file:
            assert file is None
        assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.8", "example.org"])
def test_another_address_is_refused_without_a_password_of_your_own(host, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["--host", host])
    assert ended.value.code == RecipeError.exit_code
    assert f"--host {host}: other machines could reach it" in capsys.readouterr().err
    assert Access.of(host, 4200, {"PREFECT_SERVER_API_AUTH_STRING": OWN}).names == ["*"]


def test_origins_of_your_own_stay():
    access = Access.of("::1", 4200, {"PREFECT_SERVER_API_AUTH_STRING": OWN})
    origins = access.server_settings({})["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"].split(",")
    assert {"http://[::1]:4200", "http://localhost:4200"} <= set(origins)
    own = {"PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "https://prefect.example"}
    assert access.server_settings(own)["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == "https://prefect.example"


def test_a_file_that_was_left_or_planted_is_replaced(tmp_path):
    access = Access.of("127.0.0.1", 4200, {"PREFECT_HOME": str(tmp_path)})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    elsewhere.chmod(0o666)
    (tmp_path / "lstm-music-4200.env").symlink_to(elsewhere)
    with access.kept(tmp_path) as file:
        assert stat.S_IMODE(file.lstat().st_mode) == 0o600
        assert access.credentials in file.read_text()
    assert elsewhere.read_text() == ""
    assert not file.exists()


def test_the_home_of_prefect_is_that_of_its_settings(tmp_path):
    assert prefect_home({"PREFECT_HOME": str(tmp_path)}) == tmp_path
    assert prefect_home({}) == Path.home() / ".prefect"


@pytest.mark.slow
def test_without_the_password_nothing_is_done(served):
    assert ask(served).status_code == 401
    assert ask(served, Authorization="Basic bm90OnRoYXQ=").status_code == 401
    assert ask(served, Authorization=known(served)).status_code == 201


@pytest.mark.slow
@pytest.mark.parametrize("path", ["events/in", "events/out", "logs/out"])
def test_without_the_password_no_event_comes_in_or_goes_out(served, path):
    """A browser lets any page open a WebSocket to any address."""
    url = f"ws://127.0.0.1:{served.port}/api/{path}"
    with connect(url, subprotocols=["prefect"], origin="http://evil.example", proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "token": "lstm-music:guessed"}))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_page_of_another_address_reads_nothing(served, origin):
    answer = ask(served, Origin=origin, Authorization=known(served))
    assert "access-control-allow-origin" not in answer.headers
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    url = f"http://127.0.0.1:{served.port}/api/deployments/filter"
    assert httpx.options(url, headers=preflight, trust_env=False).status_code == 400
    own = f"http://localhost:{served.port}"
    assert ask(served, Origin=own).headers["access-control-allow-origin"] == own


@pytest.mark.slow
@pytest.mark.parametrize("host", ["evil.example", "evil.example:4200", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_a_request_for_another_host_name_is_refused(served, host):
    assert ask(served, Host=host, Authorization=known(served)).status_code == 400
    for path in ("/", "/api/health", "/ui-settings"):
        url = f"http://127.0.0.1:{served.port}{path}"
        assert httpx.get(url, headers={"Host": host}, trust_env=False).status_code == 400


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_browser_gets_in_with_the_password(served, browser):
    page = browser.new_page()
    page.goto(f"http://localhost:{served.port}/deployments")
    page.get_by_placeholder("admin:pass").fill(served.settings["PREFECT_API_AUTH_STRING"])
    page.get_by_role("button", name="Login").click()
    page.get_by_text("train-all").first.wait_for(timeout=30_000)
    page.close()

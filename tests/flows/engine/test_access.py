"""Who may give orders to the server of `make serve`: its password, its names, and the file for your second terminal."""

import stat
from pathlib import Path

import pytest

from flows.engine.access import Access
from flows.engine.serve import main
from flows.engine.server import prefect_home
from lstm_music.errors import RecipeError

OWN = "me:a password of my own"


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

"""Each check of the doctor under the conditions that it is for."""

import os
import shutil
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lstm_music import doctor
from lstm_music.store import Stage, Store


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """A storage with one artifact of one file."""
    store = Store(tmp_path / "storage")
    with store.write(Stage("notes", 1, {})) as writer:
        writer.file("table", "txt").write_text("some notes")
    return tmp_path / "storage"


def test_python_of_another_version_is_a_problem():
    assert doctor.check_python().level == "ok"
    found = doctor.check_python((3, 10))
    assert (found.level, found.advice) == ("problem", "install Python 3.11, 3.12 or 3.13")
    found = doctor.check_python((3, 14))
    assert (found.level, found.advice) == ("warning", "to train, install Python 3.11, 3.12 or 3.13")


def test_packages_are_those_that_are_required():
    found = doctor.check_packages()
    assert found.level == "ok"
    assert "tensorflow" in found.text
    assert doctor.check_packages("no-such-distribution").level == "problem"


def test_a_missing_package_and_one_of_another_version_are_named(monkeypatch):
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: ["nowhere-at-all>=1", "numpy<1", "x; extra == 'test'"])
    found = doctor.check_packages()
    assert found.level == "problem"
    assert found.text.startswith("nowhere-at-all is missing; numpy: expected <1, got ")


@pytest.mark.parametrize(("free", "level"), [(3 << 30, "ok"), (1 << 30, "warning"), (1 << 20, "problem")])
def test_a_full_disk_is_seen_before_the_storage_is_there(monkeypatch, tmp_path, free, level):
    asked = []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: asked.append(path) or usage._replace(free=free))
    found = doctor.check_disk("Disk", tmp_path / "not" / "yet", "free some space")
    assert (found.level, asked) == (level, [tmp_path])
    assert found.advice == ("" if level == "ok" else "free some space")


def test_little_memory_is_a_warning_and_unknown_memory_is_none(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable:  1048576 kB\n")
    found = doctor.check_memory(tmp_path / "meminfo")
    assert found.level == "warning"
    assert found.text.startswith("1.0 GiB available")
    (tmp_path / "meminfo").write_text("MemAvailable: 8388608 kB\n")
    assert doctor.check_memory(tmp_path / "meminfo").level == "ok"
    assert "not known" in doctor.check_memory(tmp_path / "nothing").text


def test_a_machine_without_a_browser_is_warned_of(monkeypatch):
    def none():
        raise doctor.webbrowser.Error

    monkeypatch.setattr(doctor.webbrowser, "get", none)
    assert doctor.check_browser().level == "warning"
    monkeypatch.setattr(doctor.webbrowser, "get", lambda: doctor.webbrowser.GenericBrowser("firefox"))
    assert doctor.check_browser() == doctor.Finding("Browser", "ok", "firefox")


def test_a_soundfont_that_is_missing_or_none_is_a_problem(tmp_path):
    assert doctor.check_soundfont(None).level == "ok"
    assert doctor.check_soundfont(tmp_path / "gone.sf2").level == "problem"
    (tmp_path / "text.sf2").write_text("no sounds")
    assert "--soundfont" in doctor.check_soundfont(tmp_path / "text.sf2").advice


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        is_known = self.headers["Authorization"] == "Basic bWU6c2VjcmV0"  # me:secret
        is_for_anybody = self.path == "/api/health"  # Prefect's server asks for no password there
        self.send_response(200 if is_known or is_for_anybody else 401)
        self.end_headers()
        self.wfile.write({"/api/health": b"true", "/api/admin/version": b'"3.9.1"'}.get(self.path, b"<html>"))

    def log_message(self, *_):
        pass


def test_a_prefect_server_is_asked_for_its_health():
    assert "temporary" in doctor.check_prefect(None).text
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert doctor.check_prefect(f"{url}/api", "me:secret").level == "ok"
        assert "PREFECT_API_AUTH_STRING" in doctor.check_prefect(f"{url}/api").advice
        assert "no Prefect server" in doctor.check_prefect(url, "me:secret").text
        server.shutdown()
    assert "does not answer" in doctor.check_prefect(f"{url}/api").text
    assert "does not answer" in doctor.check_prefect("nonsense").text


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_gpu_is_known_by_its_drivers_command(tmp_path, monkeypatch):
    smi = script(tmp_path / "smi", "echo 'GPU 0: NVIDIA A100 (UUID: 1)'")
    monkeypatch.setattr(doctor, "_version", lambda _: None)
    assert doctor.check_gpu(smi).text == "GPU 0: NVIDIA A100; the package nvidia-cudnn-cu12 is not installed"
    monkeypatch.setattr(doctor, "_version", lambda _: "9")
    assert doctor.check_gpu(smi) == doctor.Finding("GPU", "ok", "GPU 0: NVIDIA A100")
    assert doctor.check_gpu(script(tmp_path / "broken", "exit 9")).level == "warning"
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    assert doctor.check_gpu() == doctor.Finding("GPU", "ok", "none found; training uses the CPU")


def test_a_storage_is_whole_or_the_first_damaged_file_is_named(storage):
    assert doctor.check_storage(str(storage)).level == "ok"
    assert doctor.check_storage(str(storage), full=True).level == "ok"
    assert doctor.check_storage(str(storage / "none")).text.startswith(f"nothing at {storage / 'none'} yet")
    (file,) = storage.glob("notes/*/table-*.txt")
    file.write_text("same notes")
    assert doctor.check_storage(str(storage)).level == "ok"  # of the same size
    found = doctor.check_storage(str(storage), full=True)
    assert (found.level, found.advice) == ("problem", doctor.REPAIR)
    assert str(file) in found.text
    file.write_text("short")
    assert str(file) in doctor.check_storage(str(storage)).text
    (manifest,) = storage.glob("notes/*/manifest.json")
    manifest.write_text("{}")
    assert doctor.check_storage(str(storage)).advice == doctor.REPAIR


def test_a_folder_of_other_files_is_no_storage(tmp_path):
    (tmp_path / "inbox").mkdir()
    assert doctor.check_storage(str(tmp_path)).level == "ok"  # as it comes with the project
    (tmp_path / "letter.txt").write_text("Dear")
    found = doctor.check_storage(str(tmp_path))
    assert (found.level, found.text) == ("warning", f"{tmp_path} holds other files, and no storage")


def test_storage_of_another_version_or_without_the_right_to_write_is_reported(storage, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert doctor.check_storage(str(storage)).level == "warning"
    (storage / "format.json").write_text('{"format": "lstm-music storage", "version": 99}\n')
    assert "version 99" in doctor.check_storage(str(storage)).text


def test_all_checks_have_names_of_their_own(storage):
    found = list(doctor.examine(str(storage), None, None, None))
    assert len({one.check for one in found}) == len(found) >= 10
    assert all(one.advice for one in found if one.level != "ok")

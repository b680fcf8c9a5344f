"""Compiled templates are kept, found again, and done without where nothing can be written."""

import sys

import pytest
from jinja2 import DictLoader, Environment

from lstm_music.rendering.compiled_templates import compiled_templates


@pytest.fixture(autouse=True)
def _python_keeps_what_it_compiles(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def written(folder, text):
    cache = compiled_templates(folder)
    return Environment(loader=DictLoader({"page": text}), bytecode_cache=cache, autoescape=True)


def test_a_template_is_compiled_once(tmp_path, monkeypatch):
    assert written(tmp_path, "{{ a }}!").get_template("page").render(a="<") == "&lt;!"
    assert len([*tmp_path.iterdir()]) == 1
    again = written(tmp_path, "{{ a }}!")
    monkeypatch.setattr(again, "compile", None)
    assert again.get_template("page").render(a=">") == "&gt;!"


def test_another_text_is_compiled_anew(tmp_path):
    written(tmp_path, "one").get_template("page")
    assert written(tmp_path, "two").get_template("page").render() == "two"


@pytest.mark.parametrize("size", [0, 20, -1])
def test_a_file_that_was_cut_is_written_again(tmp_path, size):
    written(tmp_path, "{{ a }}!").get_template("page")
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:size])
    assert written(tmp_path, "{{ a }}!").get_template("page").render(a=1) == "1!"
    assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path, monkeypatch):
    assert compiled_templates(tmp_path / "missing") is None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert compiled_templates(tmp_path) is None


def test_a_full_disk_keeps_no_page_from_being_written(tmp_path):
    environment = written(tmp_path, "{{ a }}!")
    tmp_path.rmdir()
    assert environment.get_template("page").render(a=1) == "1!"

"""The check that nothing in the folder of a deployment hides this project's packages."""

import signal

import pytest

from flows.engine import deploy, serve
from flows.engine.own_packages import INSTALLED, require_own_packages
from lstm_music.errors import RecipeError


def test_an_empty_folder_and_the_checkout_are_fine(tmp_path):
    require_own_packages(tmp_path)
    require_own_packages(INSTALLED)


@pytest.mark.parametrize("name", ["tasks.py", "flows/__init__.py", "lstm_music/__init__.py"])
def test_another_package_of_the_same_name_is_refused(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(RecipeError, match=r"hides the package '\w+' of lstm-music .*; start from another folder$"):
        require_own_packages(tmp_path)


def test_a_folder_of_flows_without_python_in_it_is_fine(tmp_path):
    (tmp_path / "flows").mkdir()
    require_own_packages(tmp_path)


@pytest.mark.parametrize("main", [deploy.main, lambda: serve.main([])], ids=["deploy", "serve"])
def test_neither_serving_nor_deploying_begins_there(tmp_path, monkeypatch, capsys, main):
    (tmp_path / "tasks.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # serve.main sets handlers for its process
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == RecipeError.exit_code
    (line,) = capsys.readouterr().err.splitlines()
    assert "tasks.py: hides the package 'tasks' of lstm-music" in line

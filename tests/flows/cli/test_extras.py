"""An installation without the extra `train`: commands that need it say so first, and others work."""

import pytest

from flows.cli import commands, extras
from flows.cli.display import Display
from flows.cli.starting import StartChoice

CHOICES = (None, None, None)
COMMANDS = {
    "run": lambda storage: commands.run(Display(as_json=False), None, None, storage, CHOICES, StartChoice()),
    "prepare": lambda storage: commands.prepare(Display(as_json=False), None, None, storage, CHOICES),
    "train": lambda storage: commands.train(Display(as_json=False), None, None, storage, CHOICES, StartChoice()),
    "train_one": lambda storage: commands.train_one(Display(as_json=False), None, None, storage, "note", StartChoice()),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_trains_is_refused_before_anything_is_done(command, monkeypatch, tmp_path):
    find_spec = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda module: None if module == "tensorflow" else find_spec(module))
    with pytest.raises(ModuleNotFoundError) as caught:
        COMMANDS[command](str(tmp_path / "storage"))
    assert "the package tensorflow is not installed" in extras.missing_for_training(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_other_modules_that_are_missing_are_errors_as_ever():
    assert extras.missing_for_training(ModuleNotFoundError("No module named 'nowhere'", name="nowhere")) is None
    extras.require_training()  # they are all here

"""The command line inside this process: faster than a program, for commands that start nothing."""

import pytest

from flows.cli import app


@pytest.fixture
def lstm_music_here(monkeypatch, capsys):
    """Run a command; give its exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["lstm-music", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run

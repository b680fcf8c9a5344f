import json
import sys

import pytest
from kill_run import contents
from program import Program

HEAVY = ["prefect", "tensorflow", "pandas", "pyarrow", "music21", "keras"]
PROGRAM = """
import json, sys
from flows.cli.app import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
sys.stdout.write("\\n" + json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""


@pytest.fixture
def imports(tmp_path):
    """Run a command in a Python of its own; give the heavy packages that it imported."""

    def run(*arguments):
        program = Program(tmp_path / "home", [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), *map(str, arguments)])
        out = program.finish()
        assert program.process.returncode == 0, program.errors
        return json.loads(out.splitlines()[-1])

    return run


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["generate", "-h"], ["--version"], []])
def test_help_imports_nothing_heavy(imports, arguments):
    assert imports(*arguments) == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["status", "verify", "evaluate", "train --model note", "watch", "retrain"])
def test_what_only_looks_imports_neither_prefect_nor_tensorflow(imports, tiny, command):
    recipe = [] if command in {"status", "verify"} else ["--recipe", tiny.recipe]
    assert imports(*command.split(), *recipe, "--storage", tiny.storage) == ["pyarrow"]


@pytest.mark.slow
def test_doctor_imports_nothing_heavy(imports, tiny):
    assert imports("doctor", "--storage", tiny.storage) == []


@pytest.mark.slow
def test_a_run_with_nothing_to_do_imports_neither_prefect_nor_tensorflow(imports, tiny):
    assert imports("run", *tiny.arguments, "--storage", tiny.storage) == ["pyarrow"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "missing"),
    [
        pytest.param(
            "generate --num-outputs 1 --num-events 6 --random-seed 5 --audio none --no-sheet-music",
            "nothing",
            marks=pytest.mark.operation,
        ),
        pytest.param("evaluate", "scorecard", marks=pytest.mark.operation),
        ("train --model note", "note"),
    ],
)
def test_what_does_one_thing_does_not_import_prefect(imports, tiny, tmp_path, command, missing):
    storage = tiny.copy(tmp_path, missing)
    found = imports(*command.split(), "--recipe", tiny.recipe, "--storage", storage)
    assert "tensorflow" in found
    assert "prefect" not in found
    assert contents(storage).keys() >= contents(tiny.storage).keys()

import json
import sys

import pytest
from kill_run import contents
from program import Program

from lstm_music.store import Store

HEAVY = ["prefect", "tensorflow", "pandas", "pyarrow", "music21", "keras"]
PROGRAM = """
import json, sys
from flows.cli.app import main
found = []
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
    found.append([name for name in {heavy!r} if name in sys.modules])
sys.stdout.write("\\n" + json.dumps(found))
"""


@pytest.fixture
def imports(tmp_path):
    """Run commands, one after another, in a Python of their own; give the heavy packages that are imported after each."""

    def run(*commands):
        words = json.dumps([[*map(str, command)] for command in commands])
        program = Program(tmp_path / "home", [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), words])
        out = program.finish()
        assert program.process.returncode == 0, program.errors
        return json.loads(out.splitlines()[-1])

    return run


def test_help_imports_nothing_heavy(imports):
    assert imports(["--help"], ["run", "--help"], ["generate", "-h"], ["--version"], []) == [[]] * 5


@pytest.mark.slow
def test_what_only_looks_imports_neither_prefect_nor_tensorflow(imports, tiny):
    recipe, storage = ["--recipe", tiny.recipe], ["--storage", tiny.storage]
    looks = [
        ["status"],
        ["verify"],
        *([*command.split(), *recipe] for command in ("evaluate", "train --model note", "watch", "retrain")),
        ["run", *tiny.arguments],  # with nothing to do
    ]
    doctor, *others = imports(*([*words, *storage] for words in (["doctor"], *looks)))
    assert doctor == []
    assert others == [["pyarrow"]] * len(looks)


@pytest.fixture
def prompt(tmp_path):
    """The start of a piece as MIREX asks for more of it."""
    notes = [{"start": 4 * beat, "pitch": 60 + beat % 5, "duration": 4} for beat in range(16)]
    path = tmp_path / "prompt.json"
    path.write_text(json.dumps({"prompt": notes}))
    return path


@pytest.mark.operation
@pytest.mark.slow
def test_what_makes_music_imports_neither_tensorflow_nor_prefect(imports, tiny, tmp_path, prompt):
    storage = tiny.copy(tmp_path, "nothing")
    piece = min(tiny.music.rglob("*.mid"))
    options = ["--recipe", tiny.recipe, "--storage", storage, "--random-seed", "5"]
    files = ["--num-outputs", "1", "--audio", "none", "--no-sheet-music"]
    found = imports(
        ["generate", *files, "--num-events", "6", *options],
        ["accompany", piece, *files, *options],
        ["rewrite", piece, "--bars", "2", *files, *options],
        ["mirex", prompt, "--output-dir", tmp_path / "answers", "--num-outputs", "1", *options],
    )
    assert [{*heavy} & {"tensorflow", "keras", "prefect"} for heavy in found] == [set()] * 4
    assert len([*Store(storage).refs("music")]) == len([*Store(tiny.storage).refs("music")]) + 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "missing"),
    [
        pytest.param("evaluate", "scorecard", marks=pytest.mark.operation),
        pytest.param("train --model note", "note", marks=pytest.mark.operation),
    ],
)
def test_what_does_one_thing_does_not_import_prefect(imports, tiny, tmp_path, command, missing):
    storage = tiny.copy(tmp_path, missing)
    (found,) = imports([*command.split(), "--recipe", tiny.recipe, "--storage", storage])
    assert "tensorflow" in found
    assert "prefect" not in found
    assert contents(storage).keys() >= contents(tiny.storage).keys()

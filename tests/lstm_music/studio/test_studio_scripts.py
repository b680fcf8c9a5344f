"""The scripts of the composing page by the tools of their language: tests, and types and style where the tools are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / "tests" / "studio_js"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node.js, which runs the page's scripts, is missing"
)


def run(*words):
    done = subprocess.run(["node", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_the_scripts_pass():
    run("--test", *sorted(TOOLS.glob("*.test.mjs")))


@pytest.mark.parametrize(
    "words",
    [
        ("typescript/bin/tsc", "--project", TOOLS),
        ("eslint/bin/eslint.js", "--config", TOOLS / "eslint.config.js", "lstm_music/studio", TOOLS),
        ("prettier/bin/prettier.cjs", "--config", TOOLS / ".prettierrc.json", "--check", "lstm_music/studio/*/*.js"),
    ],
    ids=["types", "style", "format"],
)
def test_types_and_style_of_the_scripts(words):
    tool, *others = words
    program = TOOLS / "node_modules" / tool
    if not program.exists():
        pytest.skip("the tools are not installed: make studio-check")
    run(program, *others)

"""A wheel has all that runs outside the checkout: it is built, listed, installed into a new venv and used there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
BUILT_FROM = ("flows", "tasks", "lstm_music", "recipes")
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "prefect.yaml", "automations.yaml")
ELSEWHERE = {key: value for key, value in os.environ.items() if key != "PYTHONPATH" and not key.startswith("COV")}


def pip(*words):
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], env=ELSEWHERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built offline from a copy of the checkout, so that no earlier build gets into it."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in BUILT_FROM:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source)
    pip("wheel", str(source), "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(made))
    (path,) = made.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def venv(wheel, tmp_path_factory):
    """A new virtual environment with the wheel; it borrows the other libraries, but not this checkout."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Behind the wheel's own packages, and without the .pth files there, of which one leads to this checkout.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip("--python", str(folder / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
    return folder


@pytest.fixture
def use(venv, tmp_path):
    """Run a program of the new environment in an empty folder."""

    def run(*words, **settings):
        program = [str(venv / "bin" / words[0]), *words[1:]]
        home = ELSEWHERE | {"HOME": str(tmp_path)} | settings
        return subprocess.run(program, cwd=tmp_path, env=home, capture_output=True, text=True, check=False)

    return run


def files_of(folder, *patterns):
    return {path.relative_to(ROOT).as_posix() for pattern in patterns for path in (ROOT / folder).rglob(pattern)}


def test_the_wheel_carries_every_file_that_its_packages_read(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    code = {name for folder in ("flows", "tasks", "lstm_music") for name in files_of(folder, "*.py")}
    beside = files_of("lstm_music", "*.jinja", "*.css", "*.js", "*.lstm", "py.typed", "*.pxd")
    recipes = {f"lstm_music/{name}" for name in files_of("recipes", "*.toml")}
    deployments = {"flows/engine/prefect.yaml", "flows/engine/automations.yaml"}
    compiled = {name for name in held if name.endswith((".so", ".pyd"))}  # with Cython and a C compiler
    other = {name for name in held if ".dist-info/" not in name} - compiled
    assert other == code | beside | recipes | deployments
    assert {name.partition(".")[0] for name in compiled} <= {"lstm_music/midi/loops"}
    assert len(beside) > 4
    assert len(recipes) > 4


def test_the_loops_in_use_are_the_compiled_ones(wheel, use):
    """setup.py and the reader agree on the digest of the source, or else the source would be interpreted."""
    compiled = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))]
    if not compiled:
        pytest.skip("there was no C compiler or no Cython")
    shown = use("python", "-c", "from lstm_music.midi.fresh_loops import loops; print(loops.__file__)")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.strip().endswith(compiled[0])


def test_the_command_runs_outside_the_checkout(use):
    shown = use("lstm-music", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "generate" in shown.stdout


def test_recipes_and_templates_are_those_of_the_wheel(use, venv):
    code = (
        "import lstm_music, flows.engine.deploy as deploy; from lstm_music import load_recipe\n"
        "from lstm_music.rendering.index_page import index_page\n"
        "print(lstm_music.__file__, deploy.DEPLOYMENTS, load_recipe('demo').name, '</html>' in index_page([]))"
    )
    shown = use("python", "-c", code)
    assert shown.returncode == 0, shown.stderr
    package, deployments, recipe, has_page = shown.stdout.split()
    assert Path(package).is_relative_to(venv)
    assert Path(deployments).is_relative_to(venv)
    assert Path(deployments).exists()
    assert (recipe, has_page) == ("demo", "True")


def test_a_run_that_is_finished_is_found(use, tiny, tmp_path):
    shown = use("lstm-music", "run", *tiny.arguments, "--storage", str(tiny.copy(tmp_path)))
    assert shown.returncode == 0, shown.stderr
    assert "index.html" in shown.stdout

"""The documents say what is true: the tree, the commands, the recipes, the links and the code in them."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel
from tree import tree, with_tree
from typer.main import get_command

from flows.cli.app import app
from flows.cli.interrupt import INTERRUPTED
from lstm_music import errors
from lstm_music.models.spec import OneModelSpec
from lstm_music.recipe import Recipe, load_recipe, parse_recipe
from lstm_music.recipe_files import RECIPES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
MOST_BYTES = 15_360  # of the README: what a visitor reads on one visit
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def text_of(path):
    return path.read_text(encoding="utf-8")


def section(document, heading):
    """Give the text below a heading, up to the next one of its level."""
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text_of(document), re.MULTILINE | re.DOTALL)[1]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


# --- the tree


def test_the_tree_is_what_the_files_say_of_themselves():
    page = text_of(ROOT / "docs" / "architecture.md")
    assert page == with_tree(page), "run python docs/tree.py --write"


def test_every_module_says_something_of_itself():
    lines = tree().splitlines()
    assert [line for line in lines if len(line.split()) == 1 and not line.endswith("/")] == []


def test_the_readme_is_short():
    assert len(README.read_bytes()) <= MOST_BYTES


# --- commands

COMMANDS = get_command(app).commands


def commands(text):
    """Give the words of each `lstm-music …` in code; with a comment, or another command before or after it, left out."""
    code = [line for block in blocks(text, "sh") for line in block.splitlines()]
    code += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in code:
        words = shlex.split(line, comments=True)
        if "lstm-music" in words:
            yield words[words.index("lstm-music") + 1 :]


def flags(sub_command):
    """Give every option of a sub-command, or of lstm-music itself; the help of some options is hidden."""
    command = COMMANDS[sub_command] if sub_command else get_command(app)
    options = [name for option in command.params for name in (*option.opts, *option.secondary_opts)]
    return {name for name in options if name.startswith("-")} | {"--help", "-h"}


def documented(command):
    """Give the options of a sub-command that its help shows."""
    return {
        name
        for option in COMMANDS[command].params
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--") and not getattr(option, "hidden", False)
    } - {"--help"}


@every_document
def test_every_command_and_flag_in_the_documents_exists(document):
    for words in commands(text_of(document)):
        sub_command = words[0] if words and not words[0].startswith("-") else ""
        assert not sub_command or sub_command in COMMANDS, f"lstm-music {sub_command}: no such command"
        for flag in (word.partition("=")[0] for word in words if word.startswith("-")):
            assert flag in flags(sub_command), f"lstm-music {' '.join(words)}: no {flag}"


def test_the_page_of_commands_has_every_command():
    rows = re.findall(r"^\| `lstm-music ([a-z]+)` \|", text_of(DOCS / "commands.md"), re.MULTILINE)
    assert sorted(rows) == sorted(COMMANDS)
    assert len(rows) >= 8


def test_the_page_of_generate_has_every_option():
    shared = {"--recipe", "--storage"}  # commands.md explains them
    text = text_of(DOCS / "generate.md")
    assert {option for option in documented("generate") - shared if option not in text} == set()


def test_every_option_is_in_some_document():
    text = "".join(text_of(path) for path in DOCUMENTS)
    missing = {f"{command} {option}" for command in COMMANDS for option in documented(command) if option not in text}
    assert missing == set()


def test_the_make_targets_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    used = {name for path in DOCUMENTS for name in re.findall(r"[`\n]make ([a-z-]+)", text_of(path))}
    assert {"demo", "test"} <= used <= targets


def test_the_exit_codes_in_the_documents_are_those_of_the_errors():
    told = {
        int(code) for code in re.findall(r"^\| (\d+) \|", section(DOCS / "commands.md", "For programs"), re.MULTILINE)
    }
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert told == {0, INTERRUPTED} | {error.exit_code for error in classes}


# --- recipes


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_loads_and_has_the_name_of_its_file(path):
    assert load_recipe(path.stem).name == path.stem
    assert load_recipe(str(path)) == load_recipe(path.stem)


def test_every_recipe_in_the_documents_loads():
    found = [block for path in DOCUMENTS for block in blocks(text_of(path), "toml")]
    assert found
    for block in found:
        parse_recipe(tomllib.loads(block), "the recipe in the documents")


def keys_of(model, prefix=""):
    """Give section.key → default for every key of a recipe."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation, f"{name}.")
        elif name == "models":  # a table for each model, by its name
            yield from keys_of(OneModelSpec, "models.NAME.")
        else:
            yield prefix + name, None if field.is_required() else field.get_default()


def as_toml(default):
    """Write a default as a recipe would; one that is the same for each stream as one number."""
    if isinstance(default, Mapping):
        (default,) = set(default.values())
    return json.dumps(default)


def test_the_page_of_recipes_has_every_key_and_its_default():
    told, prefix = {}, ""
    for line in text_of(ROOT / "docs" / "recipes.md").splitlines():
        if heading := re.match(r"## (?:`\[([a-zA-Z.]+)\]`)?", line):
            prefix = f"{heading[1]}." if heading[1] else ""
        elif row := re.match(r"\| `([a-z_]+)` \| (?:`(.*?)`|\u2013) \|", line):
            told[prefix + row[1]] = row[2]
    told = {key: default for key, default in told.items() if key not in {"demo", "default", "seed"}}
    assert told == {key: None if value is None else as_toml(value) for key, value in keys_of(Recipe)}


# --- links and paths


def anchors(path):
    """Give the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_link_leads_to_a_file_and_a_heading(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        path = (document.parent / file).resolve() if file else document
        assert path.is_relative_to(ROOT), target
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


HOSTS = {
    "127.0.0.1",
    "arxiv.org",
    "creativecommons.org",
    "github.com",
    "matplotlib.org",
    "purl.org",
    "semver.org",
    "www.kaggle.com",
    "www.music-ir.org",
    "www.piano-midi.de",
    "www.w3.org",
}
TEXTS = sorted(
    path
    for pattern in ("*.md", "*.toml", "*.txt", "Makefile", ".ci/*", "docs/**/*.*", "recipes/*", "benchmarks/*.py")
    for path in ROOT.glob(pattern)
    if path.suffix not in {".png", ".opus", ".pyc"} and "api" not in path.parts
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_names_a_place_that_only_one_machine_knows(path):
    text = text_of(path)
    assert set(re.findall(r"https?://([^/\s:\"')]+)", text)) <= HOSTS
    assert re.findall(r"(?<![\w.~/])/(?:home|root|Users|tmp|work|mnt|var|opt|srv)/\S*", text) == []
    assert str(ROOT) not in text
    assert "index-url" not in text


# Words and phrases that readers stumble over; LANGUAGE of the project: the field's terms, and plain sentences.
STIFF = (
    r"nats an? event",
    r"in brackets how often",
    r"as likely as the likeliest",
    r"goes? before (?:a|the|what the) recipe",
    r"that cannot be(?! \w)",
    r"is no news",
    r"taken for whole",
    r"asks no network",
    r"\b1 pieces",
    r"\bdealt anew\b",
    r"\btaken in\b|\btakes? in a source\b|\btaking in\b",
    r"\bwish(?:es)?\b",
    r"\bsuspicio",
    r"\bseed segment",
    r"\bin use\b",
    r"\bheard\b",
    r"\bworkbench\b",
)


@every_document
def test_no_document_uses_a_phrase_that_was_replaced(document):
    quoting = {
        "CHANGELOG.md",
        "decisions.md",
        "glossary.md",
        "report.md",
        "upgrading.md",
    }  # former names, and the report's
    text = text_of(document)
    if document.name in quoting:
        text = re.sub("seed segments?|suspicions?", "", text, flags=re.IGNORECASE)
    text = re.sub(r"^```text\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)  # the tree: the words of the modules
    assert [found for pattern in STIFF for found in re.findall(pattern, text, re.IGNORECASE)] == []


def test_no_placeholder_is_left_in_the_documents():
    left = [found for path in DOCUMENTS for found in re.findall(r"\{\{.*?\}\}", text_of(path))]
    assert left == []


# --- Python in the documents

PYTHON = sorted({block for path in DOCUMENTS for block in blocks(text_of(path), "python")})

CHECK = """
import ast, inspect, sys
names = {}
tree = ast.parse(sys.stdin.read())
for node in ast.walk(tree):
    if isinstance(node, ast.Import | ast.ImportFrom):
        exec(compile(ast.Module([node], []), "block", "exec"), names)

def value(node):
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = value(node.value)
        return None if owner is None else getattr(owner, node.attr)
    return None

bound = 0
for node in ast.walk(tree):
    called = value(node.func) if isinstance(node, ast.Call) else None
    if called is not None:
        inspect.signature(called).bind(*node.args, **{word.arg: word.value for word in node.keywords})
        bound += 1
print(bound)
"""


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.strip().splitlines()[-1].strip())
def test_the_python_in_the_documents_imports_and_calls_what_there_is(block, tmp_path):
    """Its imports work, and its calls of imported functions have the arguments that these take."""
    environment = os.environ | {"PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    checked = subprocess.run(
        [sys.executable, "-c", CHECK], input=block, env=environment, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert int(checked.stdout) > 0


def test_debugging_one_task_is_shown_from_the_command_line_and_from_python():
    text = section(DOCS / "troubleshooting.md", "Debug one task")
    assert ["train", "--recipe", "demo", "--model", "note"] in list(commands(text))
    assert any("tasks.training.train_model.fn(" in block for block in blocks(text, "python"))
    assert set(blocks(text, "python")) <= set(PYTHON)

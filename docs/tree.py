"""Print the tree of the project: each file with the first sentence that it says of itself.

`python docs/tree.py --write` puts it into docs/architecture.md, where a test compares the two.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
FOLDERS = ("flows", "tasks", "lstm_music", "recipes", "tests", "benchmarks", "docs", "findings")
WIDTH = 26
PACKAGE = "__init__.py"
INSTALLED = "node_modules"  # where npm puts what `make studio-check` needs, some of it in Python


def sentence(path: Path) -> str:
    """Give what a module's docstring, a page's heading or a file's first comment says, up to the end of its line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        said = ast.get_docstring(ast.parse(text)) or ""
    elif path.suffix == ".md":
        said = text.removeprefix("# ")
    else:
        said = next((line[2:] for line in text.splitlines()[:3] if line.startswith("# ")), "")
    return said.partition("\n")[0].replace("`", "").rstrip(".")


def line(depth: int, name: str, words: str) -> str:
    """Give a line of the tree."""
    return f"{'  ' * depth + name:<{WIDTH}}{words}".rstrip()


def below(folder: Path, depth: int) -> list[str]:
    """Give the lines of a folder: its files, then the folders in it; of tests the folders alone."""
    files = [path for pattern in ("*.py", "*.toml", "*.md", "*.sh") for path in sorted(folder.glob(pattern))]
    shown = [path for path in files if path.name != PACKAGE and folder.parts[len(ROOT.parts)] != "tests"]
    lines = [line(depth, path.name, sentence(path)) for path in shown]
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if any(INSTALLED not in path.parts for path in inner.rglob("*.py")):
            lines += [line(depth, f"{inner.name}/", told_of(inner)), *below(inner, depth + 1)]
    return lines


def told_of(folder: Path) -> str:
    """Give what a package says of itself; a folder that is no package says nothing."""
    return sentence(folder / PACKAGE) if (folder / PACKAGE).exists() else ""


def tree() -> str:
    """Give the whole tree as text."""
    lines = []
    for folder in (ROOT / name for name in FOLDERS if (ROOT / name).is_dir()):
        lines += [line(0, f"{folder.name}/", told_of(folder)), *below(folder, 1)]
    return "\n".join(lines) + "\n"


def with_tree(page: str) -> str:
    """Put the tree into the text of the page, in place of the block of text that it has."""
    return re.sub(r"```text\n.*?```", lambda _: f"```text\n{tree()}```", page, count=1, flags=re.DOTALL)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(with_tree(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(tree())

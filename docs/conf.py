"""The documentation site: `make docs` builds it from docs/*.md, the root's Markdown files and the docstrings of the library."""

import re
import sys
import tomllib
from pathlib import Path
from textwrap import indent

from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring

DOCS = Path(__file__).parent
ROOT = DOCS.parent
LIBRARY = ROOT / "lstm_music"

project = "lstm-music"
author = "the authors of lstm-music"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_nb", "sphinxcontrib.mermaid", "sphinx.ext.apidoc", "sphinx.ext.autodoc"]
exclude_patterns = ["api/modules.rst"]
default_role = "literal"  # docstrings write `names` as Markdown does
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries: this site does not document them
suppress_warnings = ["ref.python"]  # attributes that are called as a built-in type is, such as bytes
nb_execution_mode = "off"  # a test runs the notebook
myst_heading_anchors = 4  # links to headings work as they do on GitHub
myst_fence_as_directive = ["mermaid"]

html_theme = "furo"
html_title = f"lstm-music {release}"
html_show_sourcelink = False
toc_object_entries = False  # the sidebar of a package would have hundreds of lines

# The API reference imports the library. It must not load TensorFlow, so it leaves out the modules that do.
sys.modules["tensorflow"] = sys.modules["keras"] = None
COMPUTING = {
    "models": (
        "architectures",
        "chained",
        "checkpoint",
        "experts",
        "faults",
        "learner",
        "lstm",
        "scoring",
        "training",
        "training_data",
        "warm_start",
        "windowed",
    ),
    "stages/training": ("warm_start",),
}
# What a package re-exports stands at its module.
autodoc_default_options = {"ignore-module-all": True, "exclude-members": "model_config"}
CALLS = [name for name in ("api", "results") if (LIBRARY / f"{name}.py").exists()]  # shown on the page `api` itself
apidoc_modules = [
    {
        "path": str(LIBRARY),
        "destination": "api",
        "module_first": True,
        "exclude_patterns": [
            *(str(LIBRARY / folder / f"{name}.py") for folder, names in COMPUTING.items() for name in names),
            *(str(LIBRARY / f"{name}.py") for name in CALLS),
            str(LIBRARY / "*_child.py"),
        ],
    },
]

# The sidebar. Pages stay plain Markdown, which GitHub shows too, so it stands here and not in a directive of index.md.
PAGES = {
    "Start": ("first_hour", "tutorial", "generate", "studio", "own_music", "recipes"),
    "Run": (
        "commands",
        "operation",
        "containers",
        "upkeep",
        "bundles",
        "storage",
        "scale",
        "troubleshooting",
        "reliability",
        "upgrading",
    ),
    "Understand": ("how_it_works", "results", "report", "glossary"),
    "Develop": ("architecture", "how_to_extend", "contributing", "api", "decisions", "changelog"),
}
# Files that lie where GitHub and package registries look for them, and the pages that show them.
ROOT_FILES = {"CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing", "README.md": "index"}


COLUMNS = re.compile(r"\S {2,}\S")
SECTION = re.compile(r"^(?:Args|Returns|Raises|Yields):$", re.MULTILINE)


def sidebar() -> str:
    """Give the directives that list all pages; the tutorial only where there is one."""
    there = {path.stem for path in DOCS.glob("*.*")}
    lists = {caption: "\n".join(page for page in pages if page in there) for caption, pages in PAGES.items()}
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n" for caption, pages in lists.items()
    )


def read(_app: Sphinx, page: str, source: list[str]) -> None:
    """Change a page on its way in: root files instead of their stubs, links to root files, the sidebar, the API reference."""
    for file, shown_as in ROOT_FILES.items():
        if page == shown_as != "index":
            source[0] = (ROOT / file).read_text(encoding="utf-8").replace("](docs/", "](")
    for file, shown_as in ROOT_FILES.items():
        source[0] = re.sub(rf"\]\((?:\.\./)?{re.escape(file)}(#[^)]*)?\)", rf"]({shown_as}.md\1)", source[0])
    if page == "index":
        source[0] += sidebar()
    if page == "api":
        calls = "".join(f".. automodule:: lstm_music.{name}\n   :members:\n\n" for name in CALLS)
        source[0] += f"\n```{{eval-rst}}\n{calls}```\n\n```{{toctree}}\n:titlesonly:\n\napi/lstm_music\n```\n"


def docstring(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Turn what docstrings have of Markdown and of Google's style (code, columns, Args) into reStructuredText."""
    text = "\n".join(lines)
    text = re.sub(r"```(\w+)\n(.*?)\n```", lambda code: block(code[2], code[1]), text, flags=re.DOTALL)
    paragraphs = text.split("\n\n")
    text = "\n\n".join(block(one) if re.search(r"^\S.*\n", one) and COLUMNS.search(one) else one for one in paragraphs)
    if SECTION.search(text):
        text = str(GoogleDocstring(text))
    lines[:] = text.split("\n")


def signature(  # the arguments are autodoc's
    _app: Sphinx, _what: str, _name: str, object_: object, _options: object, _shown: str | None, _returned: str | None
) -> tuple[str, None] | None:
    """Leave out the signature of a spec: it is a list of all fields, and they stand below it."""
    return ("", None) if isinstance(object_, type) and issubclass(object_, BaseModel) else None


def block(code: str, language: str = "text") -> str:
    """Give a block of code."""
    return f".. code-block:: {language}\n\n{indent(code, '    ')}\n"


def setup(app: Sphinx) -> None:
    """Connect what changes pages and docstrings."""
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", docstring)
    app.connect("autodoc-process-signature", signature)

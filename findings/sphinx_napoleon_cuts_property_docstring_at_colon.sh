#!/usr/bin/env bash
# sphinx.ext.napoleon of Sphinx 9.0.4 reads the first line of a property's docstring as "type: description":
# what stands before a colon in plain prose is taken out of the text and shown as the type.
#
# The docstring: "The rows of the table: newest first." Expected: this sentence. Seen: "newest first." and a type
# "The rows of the table". The same sentence in a method's docstring stays whole.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sphinx==9.0.4
mkdir "$folder/site"
cat > "$folder/site/conf.py" <<'CONF'
import sys

sys.path.insert(0, ".")
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
CONF
cat > "$folder/site/table.py" <<'MODULE'
"""A module with a property and a method that say the same."""


class Table:
    """A table."""

    @property
    def rows(self):
        """The rows of the table: newest first."""
        return []

    def read(self):
        """The rows of the table: newest first."""
        return []
MODULE
printf '.. autoclass:: table.Table\n   :members:\n' > "$folder/site/index.rst"
cd "$folder/site"
"$folder/venv/bin/python" -m sphinx -q -b text . "$folder/out"
cat "$folder/out/index.txt"
"$folder/venv/bin/python" - "$folder/out/index.txt" <<'PYTHON'
import sys

text = " ".join(open(sys.argv[1], encoding="utf-8").read().split())
before, after = text.split("property rows", 1)
whole = "The rows of the table: newest first."
sys.exit(0 if whole in before + text and after.count(whole) == 0 and before.count(whole) == 1 and "newest first." in after else 1)
PYTHON

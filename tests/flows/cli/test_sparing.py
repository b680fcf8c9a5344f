"""Commands that do not need pandas do not import it, and leave it to others."""

import subprocess
import sys

PROGRAM = """
import sys
from flows.cli.sparing import spare_pandas
{before}
spare_pandas()
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

table = pa.table({{"a": [1, 2], "b": ["x", None], "c": np.arange(2)}})
table.filter(pc.equal(table.column("a"), 1)).to_pylist()
print("pandas" in sys.modules)
import pandas
print(pandas.DataFrame({{"a": [1]}}).shape)
{after}
"""


def printed(before="", after=""):
    program = PROGRAM.format(before=before, after=after)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_pyarrow_does_without_pandas_which_others_can_import():
    assert printed() == ["False", "(1, 1)"]


def test_where_pandas_is_imported_already_nothing_changes():
    assert printed("import pandas", "print(table.to_pandas().shape)") == ["True", "(1, 1)", "(2, 3)"]

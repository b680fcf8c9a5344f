"""Keeps pandas out of commands that do not need it: its import costs 0.2 CPU seconds and 60 MiB."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NoPandas(MetaPathFinder):
    """Says that there is no pandas."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not needed here", name=name)
        return None


def spare_pandas() -> None:
    """Let pyarrow do without pandas for the rest of this process, unless pandas is imported already.

    With its first array pyarrow imports pandas, if it is installed, to recognise objects of pandas: it asks once. Afterwards
    pandas can be imported as usual, but pyarrow cannot convert to it.
    """
    import pyarrow as pa

    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)

"""Templates as Jinja compiles them, kept beside the modules that Python compiles: to compile takes a quarter second."""

import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import BytecodeCache
    from jinja2.bccache import Bucket

ENVIRONMENT = 1
"""To be raised with a change of `page_environment`: Jinja looks at the texts of templates and at its own version alone."""

FOLDER = Path(__file__).parent / "__pycache__"


def compiled_templates(folder: Path = FOLDER) -> "BytecodeCache | None":
    """Give the cache of a folder, or None where Python writes none or the folder cannot be written to."""
    if sys.dont_write_bytecode or not os.access(folder, os.W_OK):
        return None
    from jinja2 import FileSystemBytecodeCache

    class Compiled(FileSystemBytecodeCache):
        def load_bytecode(self, bucket: "Bucket") -> None:
            try:
                super().load_bytecode(bucket)
            except (EOFError, pickle.UnpicklingError, OSError):  # a file that a crash cut
                bucket.reset()

        def dump_bytecode(self, bucket: "Bucket") -> None:
            with suppress(OSError):  # the template is compiled, and will be again
                super().dump_bytecode(bucket)

    return Compiled(str(folder), f"jinja-{ENVIRONMENT}-%s.cache")

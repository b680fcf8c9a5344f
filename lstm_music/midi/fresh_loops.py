"""The loops over events, compiled only if what was compiled is the source as it is now.

Python prefers a compiled file to the source beside it, however old it is: after a change of the source, or of the branch, the
reader would do what it did before. So the compiled file carries the digest of its source.
"""

import logging
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from lstm_music.midi import loops

SOURCE = Path(__file__).with_name("loops.py")
DIGEST_DIGITS = 15  # of hexadecimal digits: they fit into 64 bits, which C and Cython have
_LOG = logging.getLogger(__name__)


def source_digest() -> int:
    """Return the digest of the source and its types, as setup.py gives it to the compiler."""
    content = SOURCE.read_bytes() + SOURCE.with_suffix(".pxd").read_bytes()
    return int(sha256(content).hexdigest()[:DIGEST_DIGITS], 16)


def interpret_if_stale(module: ModuleType) -> None:
    """Replace the contents of a compiled module by those of the source, and say so, if it was compiled from another source."""
    if module.__file__ == str(SOURCE) or getattr(module, "DIGEST", 0) == source_digest():
        return
    _LOG.warning(
        "%s was compiled from another loops.py, so the source is interpreted, which is five times slower; run `make install`",
        module.__file__,
    )
    module.__file__ = str(SOURCE)
    exec(compile(SOURCE.read_bytes(), SOURCE, "exec"), vars(module))  # noqa: S102 - our own file, which is not compiled


interpret_if_stale(loops)

__all__ = ["loops"]

"""The build: a wheel also carries the files at the top of the checkout that its packages read, and one compiled module.

`lstm_music.midi.loops` is compiled where Cython and a C compiler are at hand. Without them, or if compiling fails, the same
file is interpreted: MIDI files are read about five times slower, echoes are found about three times slower, and nothing else
changes.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

CARRIED = {
    "recipes/*.toml": "lstm_music/recipes",
    "prefect.yaml": "flows/engine",
    "automations.yaml": "flows/engine",
}
"""Files of the checkout → their folder in the wheel. An editable install reads them in the checkout."""

LOOPS = Path("lstm_music/midi/loops.py")


class BuildWithCarried(build_py):
    """Copies the packages as usual, then the files above."""

    def run(self) -> None:
        """Build; an editable install needs no copies."""
        super().run()
        if self.editable_mode:
            return
        for pattern, folder in CARRIED.items():
            target = Path(self.build_lib) / folder
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path().glob(pattern)):
                shutil.copy(path, target)


def source_digest() -> str:
    """Return the number by which a compiled module is known to be that of its source: see lstm_music/midi/fresh_loops.py."""
    content = LOOPS.read_bytes() + LOOPS.with_suffix(".pxd").read_bytes()
    return f"0x{hashlib.sha256(content).hexdigest()[:15]}LL"


def compiled() -> list[Extension]:
    """Describe the module to compile; none without Cython, or if it cannot translate the module."""
    try:
        from Cython.Build import cythonize

        source = Extension("lstm_music.midi.loops", [str(LOOPS)], define_macros=[("LOOPS_DIGEST", source_digest())])
        extensions = cythonize([source], build_dir="build")
    except Exception as error:  # noqa: BLE001 (whatever goes wrong, the module works without)
        sys.stderr.write(f"lstm_music.midi.loops is not compiled: {error}\n")
        return []
    for extension in extensions:
        extension.optional = True  # set here, because cythonize makes new extensions without it
    return extensions


setup(cmdclass={"build_py": BuildWithCarried}, ext_modules=compiled())

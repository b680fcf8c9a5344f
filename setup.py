"""The build: a wheel also carries the files at the top of the checkout that its packages read."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = {
    "recipes/*.toml": "lstm_music/recipes",
    "prefect.yaml": "flows/engine",
    "automations.yaml": "flows/engine",
}
"""Files of the checkout → their folder in the wheel. An editable install reads them in the checkout."""


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


setup(cmdclass={"build_py": BuildWithCarried})

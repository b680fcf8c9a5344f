"""The bundles that come with this package: small models that make music at once."""

import os
from importlib import resources
from pathlib import Path

from lstm_music.errors import BundleError

_FOLDER = "bundles"
_EXTENSION = ".lstm"


def shipped_bundles() -> dict[str, Path]:
    """Return the files of these bundles by name."""
    folder = Path(str(resources.files("lstm_music"))) / _FOLDER
    return {path.stem: path for path in sorted(folder.glob(f"*{_EXTENSION}"))}


def find_bundle(text: Path) -> Path:
    """Return the file of a bundle, given by its path or by the name of one that comes with this package.

    A file of yours comes before a bundle of its name, a folder does not. Raises BundleError where there is none of these.
    """
    known = shipped_bundles()
    is_there, is_file = os.path.exists(text), os.path.isfile(text)  # noqa: PTH110, PTH113 - Path's raise for long names
    if text.name and (is_file or (is_there and str(text) not in known)):  # an empty text is the working folder
        return text
    if str(text) in known:
        return known[str(text)]
    got = f"'{text}'" if text.name else "no file's name"
    raise BundleError(f"expected a bundle's file, or the name of one that comes along ({', '.join(known)}), got {got}")

"""The bundles that come with this package: small models that make music at once."""

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

    Raises BundleError where it is neither.
    """
    known = shipped_bundles()
    if text.exists():
        return text
    if str(text) in known:
        return known[str(text)]
    raise BundleError(
        f"--model: expected a bundle's file, or the name of one that comes along ({', '.join(known)}), got '{text}'"
    )

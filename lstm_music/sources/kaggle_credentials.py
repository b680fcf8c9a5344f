"""Where Kaggle's package looks for credentials: only the places, never their content."""

import os
import tempfile
from pathlib import Path


def where_credentials_are() -> str | None:
    """Name the place of the credentials that Kaggle's package uses, in its order of search; None if there are none."""
    home = Path("~/.kaggle").expanduser()
    places = {
        "KAGGLE_API_TOKEN": bool(os.environ.get("KAGGLE_API_TOKEN")),
        "~/.kaggle/access_token": any((home / name).is_file() for name in ("access_token", "access_token.txt")),
        "KAGGLE_USERNAME and KAGGLE_KEY": bool(os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")),
        "kaggle.json": any((folder / "kaggle.json").is_file() for folder in _folders()),
        "~/.kaggle/credentials.json": (home / "credentials.json").is_file(),
    }
    return next((place for place, there in places.items() if there), None)


def make_no_folder() -> None:
    """Give Kaggle's package a temporary folder if the user has none: it would create one in their home."""
    if not os.environ.get("KAGGLE_CONFIG_DIR") and not any(folder.is_dir() for folder in _folders()):
        os.environ["KAGGLE_CONFIG_DIR"] = tempfile.mkdtemp()


def _folders() -> list[Path]:
    """The folders that may have a kaggle.json."""
    home = Path("~").expanduser()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    own = os.environ.get("KAGGLE_CONFIG_DIR")
    return [*([Path(own)] if own else []), home / ".kaggle", settings / "kaggle"]

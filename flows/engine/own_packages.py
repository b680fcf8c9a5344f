"""The check that a folder, in which flows will run, hides none of this project's packages."""

from pathlib import Path

from lstm_music.errors import RecipeError

PACKAGES = ("flows", "tasks", "lstm_music")
INSTALLED = Path(__file__).parents[2]


def require_own_packages(folder: Path) -> None:
    """Raise RecipeError for a folder with other packages or modules of these names.

    A worker runs flows in the folder that they were deployed from, and Python looks there first.
    """
    if folder.resolve() == INSTALLED.resolve():
        return
    for name in PACKAGES:
        for path in (folder / name / "__init__.py", folder / f"{name}.py"):
            if path.exists():
                raise RecipeError(
                    f"{path}: hides the package {name!r} of lstm-music from the worker, which runs flows in this folder; "
                    "start from another folder"
                )

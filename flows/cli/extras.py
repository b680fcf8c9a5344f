"""The packages that only the pipeline needs: a package that plays is installed without them."""

from importlib.util import find_spec

TRAINING = ("prefect", "sqlalchemy", "tensorflow", "keras", "kaggle", "pandas", "yaml", "scipy", "anyio", "httpx")
"""Modules of the extra `train`, and those that Prefect brings."""


def require_training() -> None:
    """Raise ModuleNotFoundError if a package of the extra is missing, for a command that needs them, before it does anything."""
    for module in TRAINING:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def missing_for_training(error: ModuleNotFoundError) -> str | None:
    """Say in a sentence what to install where a module of the pipeline is missing; None for another module."""
    module = (error.name or "").partition(".")[0]
    if module not in TRAINING:
        return None
    return (
        f"the package {module} is not installed: this installation makes music with trained models; "
        "to read music and to train, run `pip install '.[train]'` in the project's folder"
    )

"""The packages that only the pipeline needs: a package that plays is installed without them."""

TRAINING = ("prefect", "sqlalchemy", "tensorflow", "keras", "kaggle", "pandas", "yaml", "scipy", "anyio", "httpx")
"""Modules of the extra `train`, and those that Prefect brings."""


def missing_for_training(error: ModuleNotFoundError) -> str | None:
    """Say in a sentence what to install where a module of the pipeline is missing; None for another module."""
    module = (error.name or "").partition(".")[0]
    if module not in TRAINING:
        return None
    return (
        f"the package {module} is not installed: this installation makes music with trained models; "
        "to read music and to train, run `pip install '.[train]'` in the project's folder"
    )

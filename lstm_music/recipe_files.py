"""Where the recipes lie that come with the project, and their names; light enough for the options of the command line."""

from pathlib import Path

_IN_A_WHEEL = Path(__file__).with_name("recipes")
RECIPES = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else Path(__file__).parents[1] / "recipes"


def recipe_names() -> list[str]:
    """List the recipes that come with the project, in the order of the alphabet."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))

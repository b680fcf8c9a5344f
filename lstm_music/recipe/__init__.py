"""The recipe: everything that decides what is learnt and how, composed of the specs that lie beside their users."""

from lstm_music.recipe.reading import load_recipe, parse_recipe
from lstm_music.recipe.runner import RunnerName, RunnerSpec
from lstm_music.recipe.spec import Content, PromotionSpec, Recipe
from lstm_music.recipe.start import StartSpec
from lstm_music.recipe_files import RECIPES

__all__ = [
    "RECIPES",
    "Content",
    "PromotionSpec",
    "Recipe",
    "RunnerName",
    "RunnerSpec",
    "StartSpec",
    "load_recipe",
    "parse_recipe",
]

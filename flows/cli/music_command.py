"""`lstm-music evaluate --music`: generated music against held-out music."""

from typing import Any

from flows.cli.choosing import choose_recipe
from flows.cli.display import Display
from flows.cli.training import trained_models
from flows.cli.words import counted
from lstm_music.errors import RecipeError
from lstm_music.evaluation.music_table import music_tables
from lstm_music.stages.current import name_in
from lstm_music.stages.data import prepare as preparing
from lstm_music.stages.music.overrides import Options, as_option, settings_of
from lstm_music.stages.music.quality import FEWEST_EXCERPTS, NUM_OUTPUTS, measure_quality, read_quality
from lstm_music.store import ArtifactRef, Store


def evaluate_music(display: Display, recipe_name: str | None, storage: str, split: str, options: Options) -> None:
    """Generate with the models of the dataset that was prepared last, and compare with held-out music of the same places."""
    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted", "prepared")
    given = {"num_outputs": NUM_OUTPUTS, **{name: value for name, value in options.items() if value is not None}}
    if given["num_outputs"] < FEWEST_EXCERPTS:
        raise RecipeError(f"--num-outputs: expected {FEWEST_EXCERPTS} or more with --music, got {given['num_outputs']}")
    name = name_in(store, recipe, recipe_name or recipe.name)
    settings = settings_of(recipe, name, given)
    dataset = preparing.last_prepared(store, recipe.name).dataset
    trained = trained_models(store, recipe, dataset)
    pieces = counted(settings.spec.num_outputs, "generated piece")
    with store.session():
        with display.generating(f"Comparing {pieces} with held-out music of the {split} split") as (on_stage, _):
            ref = measure_quality(store, dataset, trained, settings.spec, settings.random_seed, split, on_stage)
        display.result(_music_card(display, store, ref))


def refuse_without_music(options: Options) -> None:
    """Raise RecipeError for an option that only the comparison of music has."""
    for name, value in options.items():
        if value is not None:
            raise RecipeError(f"{as_option(name)}: goes with --music only; add --music, or leave it out")


def _music_card(display: Display, store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Show a music card and its warnings; return it for `--json`."""
    card = read_quality(store, ref)
    for number, shown in enumerate(music_tables(card)):
        texts = 2 if number == 1 else 1
        display.table(shown.title, list(shown.columns), [list(row) for row in shown.rows], texts=texts)
    for warning in card["warnings"]:
        display.log(f"Warning: {warning}")
    display.log(f"Made {store.open(ref).file('card.json')}")
    return card

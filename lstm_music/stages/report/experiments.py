"""The report's experiments: its four architectures, each under its own way of splitting and under ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lstm_music.encoding.splits import SplitSpec
from lstm_music.errors import RecipeError
from lstm_music.recipe import Recipe

RECIPE = "seed"
BY_PIECE, RANDOM_WINDOWS = "by_piece", "random_windows"
PROTOCOLS: Mapping[str, SplitSpec] = {
    # 80 to 20 at random, and then 20 % of the 80 to validate: what `train_test_split` and `validation_split` did.
    RANDOM_WINDOWS: SplitSpec(by="random_windows", validation=0.16, test=0.2),
    BY_PIECE: SplitSpec(),
}
REPORTED_ARCHITECTURES = ("three_streams", "notes_only", "dual_head", "multi_label")
"""The report's architectures, in the order of training: its final one comes first."""


@dataclass(frozen=True)
class Experiment:
    """One architecture under one protocol, as a recipe with a name of its own."""

    architecture: str
    protocol: str
    recipe: Recipe


def plan_experiments(
    recipe: Recipe, architectures: Sequence[str] = (), protocols: Sequence[str] = (), budget: int | None = None
) -> list[Experiment]:
    """Give the experiments of some architectures and protocols (default: all), with at most `budget` epochs per model.

    Raises RecipeError for an unknown architecture or protocol.
    """
    for names, known in ((architectures, REPORTED_ARCHITECTURES), (protocols, tuple(PROTOCOLS))):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise RecipeError(f"reproduce: expected one or more of {', '.join(known)}, got {unknown[0]!r}")
    epochs = recipe.training.epochs if budget is None else min(budget, recipe.training.epochs)
    return [
        Experiment(
            architecture,
            protocol,
            recipe.model_copy(
                update={
                    "name": f"{recipe.name}-{architecture}-{protocol}",
                    "model": recipe.model.model_copy(update={"architecture": architecture}),
                    "split": split,
                    "training": recipe.training.model_copy(update={"epochs": epochs}),
                }
            ),
        )
        for architecture in REPORTED_ARCHITECTURES
        if architecture in (architectures or REPORTED_ARCHITECTURES)
        for protocol, split in PROTOCOLS.items()
        if protocol in (protocols or PROTOCOLS)
    ]

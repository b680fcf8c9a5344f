"""Small models with weights drawn by chance, of everything that the page's engine can do."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from band_music import band_piece
from small_music import small_collection, tiny_recipe, write_folder
from studio_equal import Trained

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.streams import ALL_STREAMS, PART
from lstm_music.inference.model import inference_model
from lstm_music.models.columns import Columns
from lstm_music.models.inputs import ChainedInputs
from lstm_music.models.spec import ModelSpec
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training.trained import columns_of
from lstm_music.store import Store

EXPERTS = ["piece", "ngrams"]
CALM = "chords of notes, without experts"
"""The models with the smallest weights: at temperature 0 they repeat themselves."""

PARTS = "parts"

RECIPES = {
    CALM: tiny_recipe(model={"units": 8, "controls": ["density", "polyphony"]}),
    "notes, with everything": tiny_recipe(
        events={"chords": "per_note"},
        model={"units": 10, "layers": 2, "experts": EXPERTS, "controls": [*CONTROLS]},
    ),
    PARTS: tiny_recipe(
        events={"chords": "per_note", "parts": "families"},
        model={"units": 9, "streams": [*ALL_STREAMS], "experts": EXPERTS, "controls": ["density", "mean_pitch"]},
    ),
}


def drawn(name: str, folder: Path) -> Trained:
    """Prepare small pieces for a recipe of `RECIPES`, and draw the weights of its models."""
    recipe = RECIPES[name]
    has_parts = PART in recipe.model.streams
    pieces = {f"{number:02d}.mid": band_piece(number) for number in range(8)} if has_parts else small_collection()
    store = Store(folder / "storage")
    source = write_folder(folder / "music", pieces)
    dataset = load_dataset(store, prepare(store, recipe, ingest(store, recipe, str(source))).dataset)
    columns = columns_of(dataset, recipe.windows)
    spec = recipe.model
    weights = [dict(_weights(spec, columns, stream, 0.1 if name == CALM else 0.6)) for stream in spec.streams]
    models = [inference_model(spec, stream, columns, own) for stream, own in zip(spec.streams, weights, strict=True)]
    return Trained(store, dataset, models, weights)


def _weights(spec: ModelSpec, columns: Columns, stream: str, scale: float) -> Iterator[tuple[str, np.ndarray]]:
    inputs, units = ChainedInputs(spec, stream, columns), spec.units
    rng = np.random.default_rng([*stream.encode()])
    shapes = {}
    for layer in range(1, spec.layers + 1):
        rows = inputs.kernel_rows if layer == 1 else units
        shapes |= {f"lstm_{layer}/kernel": (rows, 4 * units), f"lstm_{layer}/recurrent_kernel": (units, 4 * units)}
        shapes[f"lstm_{layer}/bias"] = (4 * units,)
    shapes |= {"head/kernel": (units, columns.sizes[stream]), "head/bias": (columns.sizes[stream],)}
    if inputs.experts:
        levels = sum(one.levels for one in inputs.experts)
        shapes |= {"experts/gate/kernel": (units, levels), "experts/gate/bias": (levels,)}
    for name, shape in shapes.items():
        yield name, rng.normal(0, scale, shape).astype(np.float32)

"""The architectures that a recipe may name.

An architecture gives the probability of the next value of each stream that it predicts, given the past. To add one, write a
class with the methods of `EventModel`, and name it in `ARCHITECTURES`, and in `MODELS` and `ModelSpec.architecture` of
`models/spec.py`: the tests iterate over the names.
"""

from typing import Any

import numpy as np

from lstm_music.models.chained import ChainedLSTM
from lstm_music.models.columns import Columns
from lstm_music.models.event_model import EventModel
from lstm_music.models.spec import ModelSpec, streams_of
from lstm_music.models.windowed import DualHead, MultiLabel, WindowedLSTM

ARCHITECTURES: dict[str, Any] = {
    "chained_lstm": ChainedLSTM,
    "three_streams": WindowedLSTM,
    "notes_only": WindowedLSTM,
    "dual_head": DualHead,
    "multi_label": MultiLabel,
}


def build_model(spec: ModelSpec, model: str, columns: Columns, random_seed: int) -> EventModel:
    """Build the model of that name; its initial weights follow from the random seed and its first stream's place in the chain."""
    predicts = streams_of(model)
    place = columns.streams.index(predicts[0])
    seed = int(np.random.SeedSequence([random_seed, place]).generate_state(1)[0] >> 4)
    built: EventModel = ARCHITECTURES[spec.architecture](spec, predicts, columns, seed)
    return built

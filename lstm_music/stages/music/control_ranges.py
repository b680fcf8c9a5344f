"""What the bars of the training pieces are like, so that nothing is asked of models that they never met."""

import numpy as np

from lstm_music.encoding.controls import POLYPHONY_STEPS
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.splits import SPLITS
from lstm_music.stages.data.dataset import Dataset

RANGES = "control_ranges"
"""The fact of the dataset of a bundle that holds the ranges."""

PIECES = 200
"""So many training pieces say what bars are like."""

USUAL = (0.02, 0.98)
"""The quantiles between which a bar is usual."""

_LEFT_OUT = {"density": (4, 12), "polyphony": (0, 1), "mean_pitch": (4, 4)}


def control_ranges(dataset: Dataset) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest usual value of each control that is a number, as a person asks for it.

    A density is in notes a bar, a polyphony in notes at once, in halves, and a mean pitch a MIDI number. A bundle that does not
    hold the ranges has some bars of held-out pieces, whose ranges are made wider by what excerpts leave out.
    """
    if RANGES in dataset.artifact.facts:
        return {name: (low, high) for name, (low, high) in dataset.artifact.facts[RANGES].items()}
    columns, spans = list(dataset.sizes), next((dataset.spans[split] for split in SPLITS if dataset.spans[split]), ())
    values_of = {
        "density": lambda ids: ids,
        "polyphony": lambda ids: np.rint((ids - 1) / POLYPHONY_STEPS * 2) / 2,
        "mean_pitch": lambda ids: ids - 1,
    }
    known = [name for name in values_of if name in dataset.knowledge.controls]
    if not known or not spans:
        return {}
    tokens = np.concatenate([dataset.tokens[span.start : span.stop] for span in spans[:PIECES]])
    places = tokens[:, [columns.index(name) for name in PLACES]]
    begins = ~places.any(1) & (dataset.offset_quarters[tokens[:, columns.index("offset")]] > 0)
    found = {}
    for name in known:
        ids = tokens[begins, columns.index(name)].astype(np.int64)
        values = values_of[name](ids[ids > 0])
        if len(values):
            low, high = np.quantile(values, USUAL, method="nearest").tolist()
            fewer, more = _LEFT_OUT[name] if dataset.is_bundled else (0, 0)
            found[name] = (low - fewer, high + more)
    return found

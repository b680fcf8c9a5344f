"""The faults of the report's second and third architecture: offsets out of order, and offsets classified as notes."""

import numpy as np

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.encoding.windows import Targets, Tokens, next_event_batches
from lstm_music.models.backend import compiled
from lstm_music.models.event_model import EventModel
from lstm_music.models.scoring import WINDOWS_AT_ONCE
from lstm_music.models.spec import WITH_KNOWN_FAULTS


def faults(model: EventModel, tokens: Tokens, targets: Targets) -> dict[str, float]:
    """Measure the faults of an architecture on some targets, by name; empty for an architecture without known faults."""
    if model.spec.architecture not in WITH_KNOWN_FAULTS:
        return {}
    measure = {"dual_head": _regression_faults, "multi_label": _label_faults}[model.spec.architecture]
    return measure(model, tokens, targets)


def _regression_faults(model: EventModel, tokens: Tokens, targets: Targets) -> dict[str, float]:
    """Measure how often the next event comes before the present one, and the mean error of the offset."""
    column = model.predicts.index("offset")
    quarters = _outputs(model, tokens, targets)[column][:, 0]
    ids = tokens[targets.places, STREAMS.index("offset")]
    known = ids != UNKNOWN  # the length of an unknown value is not kept
    error = np.abs(quarters - model.columns.offset_quarters[ids])[known]
    return {
        "negative offsets": float((quarters < 0).mean()),
        "mean absolute error of the offset in quarters": float(error.mean()),
    }


def _label_faults(model: EventModel, tokens: Tokens, targets: Targets) -> dict[str, float]:
    """Measure how often the two most probable labels are of one kind, not a note and an offset."""
    outputs = _outputs(model, tokens, targets)
    streams = np.concatenate([np.full(output.shape[1] - SPECIAL_IDS, i) for i, output in enumerate(outputs)])
    labels = np.concatenate([output[:, SPECIAL_IDS:] for output in outputs], axis=1)
    likeliest = streams[np.argpartition(-labels, 1, axis=1)[:, :2]]
    on = (labels > 0).sum(1)
    return {
        "two likeliest labels of one kind": float((likeliest[:, 0] == likeliest[:, 1]).mean()),
        "no label above one half": float((on == 0).mean()),
    }


def _outputs(model: EventModel, tokens: Tokens, targets: Targets) -> list[np.ndarray]:
    """Give the outputs of each head for each target, float32 [targets, …] per head."""
    run = compiled(model.outputs)
    plan = next_event_batches(tokens, targets.places, length=model.columns.window, batch_size=WINDOWS_AT_ONCE)
    batches = [[head.numpy()[0] for head in run(model.rows(batch.previous, batch.current))] for batch in plan]
    return [np.concatenate(heads)[: len(targets.places)] for heads in zip(*batches, strict=True)]

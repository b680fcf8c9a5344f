"""A little training data, and untrained models of each architecture."""

import numpy as np
import pytest
from model_columns import COLUMNS, GRID, SHAPES, SIZES, WINDOW

from lstm_music.encoding.echoes import echo_tokens
from lstm_music.encoding.places import place_tokens
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import PieceSpan, Targets, WindowSpec
from lstm_music.models.spec import ModelSpec

LENGTHS = (30, 11, 45, 20, 9, 33)  # of pieces, in events; the last two are held out


@pytest.fixture(scope="session")
def tokens() -> np.ndarray:
    """Tokens [events, columns] of all pieces: runs of notes with a rhythm, so that there is something to learn."""
    rng = np.random.default_rng(11)
    events = np.arange(sum(LENGTHS))
    notes = SPECIAL_IDS + 6 + (events * 2 + rng.integers(0, 2, len(events))) % 24
    streams = np.stack([SPECIAL_IDS + events % 4, notes, SPECIAL_IDS + (events // 2) % 3], axis=1)
    echoes = [echo_tokens(piece, SHAPES) for piece in np.split(streams, np.cumsum(LENGTHS)[:-1])]
    places = place_tokens(events * 2 % 12, GRID)
    return np.concatenate([streams, places, np.concatenate(echoes)], axis=1).astype(np.uint16)


@pytest.fixture(scope="session")
def spans() -> tuple[PieceSpan, ...]:
    stops = np.cumsum(LENGTHS).tolist()
    return tuple(PieceSpan(str(stop), stop - length, stop, -2, 2) for stop, length in zip(stops, LENGTHS, strict=True))


@pytest.fixture(scope="session")
def build(tensorflow):
    """Build an untrained model by its name; the bias of a head is not zero, so that no two ids are equally likely."""
    from lstm_music.models.architectures import build_model

    def make(name, random_seed=5, **spec):
        model = build_model(ModelSpec(**{"units": 8, **spec}), name, COLUMNS, random_seed)
        for head in getattr(model, "heads", None) or [model.head]:
            bias = np.random.default_rng(random_seed).normal(0, 0.5, head.units)
            head.bias.assign(bias.astype(np.float32))
        return model

    return make


@pytest.fixture(scope="session")
def data(tensorflow, tokens, spans):
    """What a training reads, in which a note moves by as many ids as semitones."""
    from lstm_music.models.training_data import TrainingData

    window = WindowSpec(length=WINDOW, transpose_from=-2, transpose_to=2)
    table = [
        [*range(SPECIAL_IDS), *np.clip(np.arange(SPECIAL_IDS, SIZES["note"]) + shift, SPECIAL_IDS, SIZES["note"] - 1)]
        for shift in window.shifts
    ]
    return TrainingData(
        tokens=tokens,
        train=Targets.of(spans[:4]),
        validation=Targets.of(spans[4:]),
        columns=COLUMNS,
        log_unknown={"offset": 2.0, "note": 0.0, "duration": 3.0},
        transposition=np.array(table),
        window=window,
    )

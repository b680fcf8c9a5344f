"""A collection that grows by a part: vocabularies, the weights that a warm start keeps, and a promotion on the new pieces."""

from dataclasses import replace

import numpy as np
import pytest
from band_music import band_piece
from small_music import tiny_recipe, write_folder

from lstm_music.encoding.echoes import ECHOED
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.midi.general_midi import DRUMS
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training.piece_scores import nats_of_pieces
from lstm_music.stages.training.promotion import promote, promoted_models, warm_starts
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import load_model
from lstm_music.store import Store

SHORT = {"epochs": 1, "warm_epochs": 1, "learning_rate": 1e-7, "batch_size": 64}
RECIPE = tiny_recipe(
    events={"parts": "families"},
    model={"experts": ["piece", "ngrams"]},
    training=SHORT,
    split={"validation": 0.3, "test": 0.1},
    promotion={"tolerance": 99},
)
FLUTE = 73


def without(piece, family):
    """Leave out the notes of a family of programs."""
    return replace(piece, notes=piece.notes[piece.notes["is_drum"] | (piece.notes["program"] // 8 != family)])


def with_flute(piece):
    notes = piece.notes.copy()
    notes["program"][notes["track"] == 2] = FLUTE
    return replace(piece, notes=notes)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


@pytest.fixture
def datasets(store, tmp_path):
    """A dataset without strings, and one with more pieces, which have strings and a flute."""
    first = {f"{number:02d}.mid": without(band_piece(number), 5) for number in range(6)}
    later = {f"{number:02d}.mid": with_flute(band_piece(number)) for number in range(6, 14)}
    found = []
    for music in (first, {**first, **later}):
        inputs = ingest(store, RECIPE, str(write_folder(tmp_path / f"music {len(music)}", music)))
        found.append(load_dataset(store, prepare(store, RECIPE, inputs).dataset))
    return found


@pytest.mark.operation
@pytest.mark.slow
def test_a_new_part_grows_the_vocabulary_and_what_was_learnt_stays(store, datasets, publish):
    before, now = datasets
    parts = [dataset.vocabularies["part"].values for dataset in datasets]
    assert parts == [("piano", "bass", DRUMS), ("piano", "bass", "strings", "pipe", DRUMS)]
    old = publish(store, RECIPE, before.ref)
    card = evaluate(store, RECIPE, before.ref, old)
    assert promote(store, RECIPE, Promoted(before.ref, old, card)).outcome == "promoted"
    starts = warm_starts(store, RECIPE, now.ref)
    assert starts == old
    new = {name: train_model(store, RECIPE, now.ref, name, start=start) for name, start in starts.items()}

    ids = [[SPECIAL_IDS + values.index(part) for part in parts[0]] for values in parts]
    for name in new:
        models = [load_model(store, one[name], dataset) for one, dataset in ((old, before), (new, now))]
        kernels = [model.stack[0].cell.recurrent_kernel.numpy() for model in models]
        np.testing.assert_allclose(*kernels, atol=1e-4)
        rows = [rows_of(model, dataset, "part", own) for model, dataset, own in zip(models, datasets, ids, strict=True)]
        assert len(rows[0]) == len(rows[1]) > 1  # the part itself, and its echoes
        for one, other in zip(*rows, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
    heads = [load_model(store, one["part"], dataset).head for one, dataset in ((old, before), (new, now))]
    kept = [head.kernel.numpy()[:, own] for head, own in zip(heads, ids, strict=True)]
    np.testing.assert_allclose(*kept, atol=1e-4)

    decision = promote(store, RECIPE, Promoted(now.ref, new, evaluate(store, RECIPE, now.ref, new)))
    assert decision.outcome == "promoted"
    assert promoted_models(store, "tiny").models == new
    for nll, dataset, models in ((decision.old_nll, before, old), (decision.new_nll, now, new)):
        nats = nats_of_pieces(store, dataset, models, now, RECIPE.first_target)
        assert len(nats) == len(now.spans["validation"])
        assert nll == pytest.approx(nats.sum() / np.sum(now.targets("validation", 0).lengths), rel=1e-4)


def rows_of(model, dataset, stream, ids):
    """The rows of a model's first kernel for some values of a stream, in each of the columns that has them."""
    sizes = [dataset.sizes[field] for field in model.fields]
    firsts = np.cumsum([0, *sizes[:-1]])
    kernel = model.stack[0].cell.kernel.numpy()
    return [
        kernel[first + np.array(ids)]
        for field, first in zip(model.fields, firsts, strict=True)
        if ECHOED.get(field, field) == stream
    ]

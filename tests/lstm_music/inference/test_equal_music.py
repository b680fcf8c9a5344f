"""Music is made by the models that were trained: TensorFlow, asked afterwards, finds each event as likely as numpy did."""

import numpy as np
import pytest
from band_music import band_piece
from inferred import inferred
from small_music import small_piece, tiny_recipe, write_folder

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.streams import STREAMS, VELOCITY
from lstm_music.encoding.windows import PieceSpan, Targets
from lstm_music.generation.loop import Made
from lstm_music.generation.spec import GenerationSpec
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music import candidates, ready
from lstm_music.stages.music.candidates import go_on
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.training.trained import columns_of, load_model
from lstm_music.store import Store

EXPERTS = ["piece", "ngrams"]
UNMOVED = {"transpose_from": 0, "transpose_to": 0}
UNTRAINED = {
    "experts, velocity and two layers": {
        "model": {"experts": EXPERTS, "streams": [*STREAMS, VELOCITY], "layers": 2},
    },
    "parts": {"events": {"parts": "families"}, "model": {"experts": EXPERTS}},
    "controls": {"model": {"controls": [*CONTROLS]}},
    "a window": {"model": {"architecture": "three_streams"}, "windows": UNMOVED},
    "two heads": {"model": {"architecture": "dual_head"}, "windows": UNMOVED},
}
ASKED = {"bars": 6, "density": 9, "key": "G major"}


@pytest.fixture
def kept(monkeypatch) -> list[tuple[np.ndarray, Made]]:
    """Keep what the loop makes last, each output with its prompt."""
    found, make = [], candidates.generate_tokens

    def make_and_keep(models, grammar, spec, prompts, *others):
        made = make(models, grammar, spec, prompts, *others)
        assert not prompts.before.any(), "a prompt begins its piece"
        found[:] = [(prompts.tokens[:, number], one) for number, one in enumerate(made)]
        return made

    monkeypatch.setattr(candidates, "generate_tokens", make_and_keep)
    return found


def music(store, dataset, models, recipe, **settings) -> None:
    """Go on from the start of a held-out piece, or from nothing, with much chance."""
    segment = choose_prompts(store, dataset, recipe.generation, 1, None)[0].segment
    usual = {
        "num_outputs": 6,
        "num_events": 50,
        "min_events": 40,
        "prompt": f"{segment.name}:0",
        "prompt_events": 16,
        "top_p": 1,
        "temperature": 1.2,
    }
    spec = GenerationSpec.model_validate({**usual, **settings})
    go_on(store, dataset, models, spec, 1, choose_prompts(store, dataset, spec, 1, None))


def scored(model, kept, known) -> np.ndarray:
    """The nats of all new events by a model of TensorFlow, all its streams added up."""
    from lstm_music.models.scoring import make_scorer

    pieces = [np.concatenate([prompt, one.tokens]) for prompt, one in kept]
    stops = np.cumsum([len(piece) for piece in pieces]).tolist()
    spans = [PieceSpan("", stop - len(piece), stop) for piece, stop in zip(pieces, stops, strict=True)]
    scorer = make_scorer(model, np.concatenate(pieces).astype(np.uint32), known)
    found = scorer(Targets.of(spans, first=len(kept[0][0])))
    return -sum(predicted.log_probabilities.astype(np.float64) for predicted in found.values())


def assert_equal_music(models, kept, *, known=()) -> None:
    """Nats that differ by so little are probabilities that differ by this share."""
    found = np.concatenate([one.nats for _, one in kept])
    wanted = sum(scored(model, kept, known) for model in models)
    assert len(found) > 200
    assert np.ptp(wanted) > 1
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


@pytest.mark.operation
@pytest.mark.parametrize("prompt", [{}, {"prompt": "none"}], ids=["a piece", "nothing"])
def test_trained_models_find_their_music_as_likely_as_it_was(made, trained, kept, prompt):
    music(made.store, made.dataset, trained, made.recipe, **prompt)
    assert_equal_music([load_model(made.store, ref, made.dataset) for ref in trained.values()], kept)


@pytest.fixture(scope="module")
def untrained(tensorflow, tmp_path_factory):
    """Prepare some pieces by a recipe, and build its models, whose guesses differ much from moment to moment."""
    from lstm_music.models.architectures import build_model

    def build(tables):
        root, recipe = tmp_path_factory.mktemp("untrained"), tiny_recipe(generation={"prompt_events": 16}, **tables)
        piece = band_piece if "events" in tables else small_piece
        folder = write_folder(root / "music", {f"piece {number}.mid": piece(number) for number in range(6)})
        store = Store(root / "storage")
        dataset = load_dataset(store, prepare(store, recipe, ingest(store, recipe, str(folder))).dataset)
        columns, rng = columns_of(dataset, recipe.windows), np.random.default_rng(4)
        models = {name: build_model(recipe.model, name, columns, 3) for name in recipe.model.models}
        for model in models.values():
            for weight in model.trainable_variables:
                weight.assign(rng.normal(0, 0.6, weight.shape).astype(np.float32))
        return store, dataset, models, recipe

    return build


@pytest.mark.operation
@pytest.mark.parametrize("case", UNTRAINED)
def test_all_that_models_may_read_is_the_same_when_it_is_scored(untrained, kept, monkeypatch, case):
    store, dataset, models, recipe = untrained(UNTRAINED[case])
    monkeypatch.setattr(ready, "load_inference_model", lambda _store, name, _dataset: inferred(models[name]))
    music(store, dataset, {name: name for name in models}, recipe)
    assert_equal_music(models.values(), kept)


@pytest.mark.operation
def test_what_is_asked_leads_the_music_and_its_nats_are_without_it(untrained, kept, monkeypatch):
    """But for the number of bars until the end, which needs no guidance."""
    store, dataset, models, recipe = untrained(UNTRAINED["controls"])
    monkeypatch.setattr(ready, "load_inference_model", lambda _store, name, _dataset: inferred(models[name]))
    music(store, dataset, {name: name for name in models}, recipe, **ASKED)
    assert {*np.flatnonzero(np.concatenate([one.tokens for _, one in kept]).any(0)).tolist()} >= {
        column for name, column in models["note"].columns.controls.items() if name in ("ending", "key", "density")
    }
    assert_equal_music(models.values(), kept, known=("ending",))

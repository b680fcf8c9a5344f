"""The page's engine makes the same music as numpy's, event for event, from the same random numbers."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from studio_equal import Case, Trained, cases_of, compare
from studio_music import CALM, PARTS, RECIPES, drawn

from lstm_music.generation.spec import GenerationSpec
from lstm_music.stages.music.lengths import ended
from lstm_music.stages.music.ready import make_ready

EVENTS = 150

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node.js, which runs the page's engine, is missing"
)


@pytest.fixture(scope="module", params=RECIPES)
def trained(request, tmp_path_factory):
    return request.param, drawn(request.param, tmp_path_factory.mktemp("studio"))


def cases(name, trained: Trained) -> list[Case]:
    spec = RECIPES[name].generation
    if name == PARTS:
        spec = GenerationSpec.model_validate(spec.model_dump() | {"avoid_parallels": True})
    return [one for one in cases_of(trained, spec, EVENTS) if "every" not in one.name or name.startswith("notes")]


def ended_by_python(models, one):
    """What Python makes of the last bar of the same music."""
    case, length = one.case, int(one.case.ending.lengths[0]) if one.case.ending else 0
    if not length:
        return one.tokens.tolist()
    grammar = make_ready(models.store, models.dataset, {}, case.spec, [case.prompt]).grammar
    streams = len(models.dataset.streams)
    return ended(grammar, one.numpy, case.prompt, length).tokens[:, :streams].tolist()


def test_all_events_are_the_same_and_their_probabilities_too(trained):
    name, models = trained
    results = compare(models, cases(name, models))
    assert len(results) >= 7
    for one in results:
        assert one.same == len(one.numpy.tokens) == len(one.tokens), one.case.name
        assert one.farthest < 1e-9, one.case.name
        assert one.loops_left == one.numpy.loops_left, one.case.name
        assert one.ended == ended_by_python(models, one), one.case.name
    assert any(one.ended != one.tokens.tolist() for one in results)
    assert any(len(one.numpy.tokens) == EVENTS for one in results)
    if name == CALM:
        assert any(one.loops_left for one in results)


def test_other_weights_or_another_seed_make_other_music(trained):
    """So the test above can fail."""
    _, models = trained
    case = cases(*trained)[0]
    (usual,) = compare(models, [case])
    (other,) = compare(models, [replace(case, random_seed=case.random_seed + 1)])
    assert usual.same == len(usual.numpy.tokens)
    assert usual.tokens.shape != other.tokens.shape or (usual.tokens != other.tokens).any()
    changed = [{**own, "head/bias": own["head/bias"][::-1]} for own in models.weights]
    (wrong,) = compare(replace(models, weights=changed), [case])
    assert wrong.same < len(wrong.numpy.tokens)
    assert np.isfinite(wrong.nats).all()

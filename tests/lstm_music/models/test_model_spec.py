"""What each architecture trains."""

from typing import get_args

import pytest
from pydantic import ValidationError

from lstm_music.encoding.streams import STREAMS, VELOCITY
from lstm_music.models.spec import MODELS, WINDOWED, ModelSpec, TrainingSpec, streams_of

WITH_VELOCITY = (*STREAMS, VELOCITY)

ARCHITECTURES = get_args(ModelSpec.model_fields["architecture"].annotation)


@pytest.mark.parametrize(
    ("architecture", "models", "streams", "is_windowed"),
    [
        ("chained_lstm", ("offset", "note", "duration"), ("offset", "note", "duration"), False),
        ("three_streams", ("offset", "note", "duration"), ("offset", "note", "duration"), True),
        ("notes_only", ("note",), ("note",), True),
        ("dual_head", ("offset+note",), ("offset", "note"), True),
        ("multi_label", ("offset+note",), ("offset", "note"), True),
    ],
)
def test_an_architecture_has_its_models_and_streams(architecture, models, streams, is_windowed):
    spec = ModelSpec(architecture=architecture)
    assert (spec.models, spec.predicted, spec.is_windowed) == (models, streams, is_windowed)


def test_a_chain_may_have_the_velocity_behind_the_others():
    assert ModelSpec(streams=WITH_VELOCITY).models == ModelSpec(streams=WITH_VELOCITY).predicted == WITH_VELOCITY


@pytest.mark.parametrize("streams", [(), ("note",), STREAMS[::-1], ("velocity", *STREAMS), (*STREAMS, "loudness")])
def test_other_streams_are_refused(streams):
    right = r"expected \['offset', 'note', 'duration'\], optionally with 'part' and 'velocity' at the end"
    with pytest.raises(ValidationError, match=right):
        ModelSpec(streams=streams)


@pytest.mark.parametrize("architecture", sorted(WINDOWED))
def test_the_architectures_of_the_report_know_no_velocity(architecture):
    with pytest.raises(ValidationError, match=f"streams: the architecture '{architecture}' has no velocity"):
        ModelSpec(architecture=architecture, streams=WITH_VELOCITY)


def test_every_architecture_that_a_recipe_may_name_has_models_of_known_streams():
    assert set(MODELS) == set(ARCHITECTURES)
    assert set(ARCHITECTURES) > WINDOWED
    for architecture in ARCHITECTURES:
        streams = ModelSpec(architecture=architecture).predicted
        assert streams == tuple(stream for stream in STREAMS if stream in streams)


def test_the_name_of_a_model_tells_its_streams():
    assert streams_of("note") == ("note",)
    assert streams_of("offset+note") == ("offset", "note")


@pytest.mark.parametrize("architecture", sorted(WINDOWED))
def test_the_architectures_of_the_report_have_one_layer(architecture):
    with pytest.raises(ValidationError, match=f"layers: expected 1 for the architecture '{architecture}', got 2"):
        ModelSpec(architecture=architecture, layers=2)
    assert ModelSpec(architecture="chained_lstm", layers=2).layers == 2


@pytest.mark.parametrize(
    ("most_events", "events", "epochs"),
    [(0, 10**9, 12), (1000, 100, 10), (1000, 1, 12), (1000, 400, 2), (1000, 10**9, 1)],
)
def test_a_larger_collection_has_fewer_epochs_where_the_recipe_says_so(most_events, events, epochs):
    assert TrainingSpec(most_events=most_events).epochs_of(events) == epochs


@pytest.mark.parametrize(("least_events", "events", "passes"), [(0, 7, 1), (7, 7, 1), (8, 7, 2), (100, 7, 15)])
def test_a_smaller_collection_is_gone_through_several_times_an_epoch(least_events, events, passes):
    spec = TrainingSpec(least_events=least_events)
    assert spec.passes_of(events) == passes
    assert spec.epochs_of(events) == 12
    assert spec.model_copy(update={"most_events": 4 * events * passes}).epochs_of(events) == 4

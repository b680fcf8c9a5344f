"""Models that were published without a training, for tests of what is done with models."""

import pytest
from eager import eagerly

from lstm_music.stages.training.train import train_model


@pytest.fixture(scope="session")
def publish_untrained(tensorflow):
    """Publish the untrained models of a recipe for a dataset, as a training of one epoch would; give their references."""
    from lstm_music.models import training
    from lstm_music.models.architectures import build_model
    from lstm_music.models.checkpoint import EpochScore
    from lstm_music.models.scoring import make_scorer, score_held_out

    def untrained(data, name, model_spec, _spec, random_seed, **_options):
        model = build_model(model_spec, name, data.columns, random_seed)
        scorer, streams = make_scorer(model, data.tokens), data.columns.streams
        held_out = score_held_out(scorer, data.validation, data.tokens, streams, data.log_unknown)
        accuracy = dict.fromkeys(model.predicts, 0.25)
        return model, [EpochScore(0, 9.0, held_out.nll, accuracy, accuracy)]

    def models(store, recipe, dataset_ref, names=()):
        with pytest.MonkeyPatch.context() as patch, eagerly():
            patch.setattr(training, "train", untrained)
            return {name: train_model(store, recipe, dataset_ref, name) for name in names or recipe.model.models}

    return models


@pytest.fixture
def publish(publish_untrained, uncompiled):
    """Publish untrained models, for a test in which nothing is compiled."""
    return publish_untrained

"""Training: the best weights are kept, nothing random but what the seed says, and nothing published that went wrong."""

import dataclasses

import numpy as np
import pytest
from model_columns import COLUMNS

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.windows import Targets
from lstm_music.errors import NotEnoughMusicError, TrainingError
from lstm_music.models.spec import ModelSpec, TrainingSpec

MODEL = ModelSpec(units=8, dropout=0.25, hidden_inputs=0.1)
SPEC = TrainingSpec(epochs=4, patience=9, batch_size=4, learning_rate=0.02, warmup_steps=5)


@pytest.fixture(scope="module")
def run(data):
    """Train the model of a stream; give it, the scores of its epochs, and all that was reported."""
    from lstm_music.models.training import train

    def train_one(stream="note", spec=SPEC, model=MODEL, seed=1, **options):
        reports = []
        options.setdefault("report", reports.append)
        trained, history = train(options.pop("data", data), stream, model, spec, seed, **options)
        return trained, history, reports

    train_one.data = data
    return train_one


@pytest.fixture(scope="module")
def finished(run):
    """A training without a break."""
    return run()


def weights_of(model):
    return [weight.numpy() for weight in model.weights]


def assert_same_weights(one, other):
    assert all(np.array_equal(*pair) for pair in zip(weights_of(one), weights_of(other), strict=True))


@pytest.fixture
def loop(monkeypatch, run):
    """Train without computing: each step adds 1 to the first weight; losses and held-out scores are those of `use`."""
    import tensorflow as tf

    from lstm_music.models import learner, training
    from lstm_music.models.scoring import HeldOut

    def use(scores, losses=()):
        scores_left, losses_left = iter(scores), iter(losses)

        def step_maker(self, *, has_experts):
            def step(*_arrays):
                self.model.weights[0].assign_add(tf.ones_like(self.model.weights[0]))
                return next(losses_left, 1.5), np.ones(1)

            return step

        monkeypatch.setattr(learner.Learner, "_compile", step_maker)
        monkeypatch.setattr(training, "make_scorer", lambda *_: lambda _targets: {})
        monkeypatch.setattr(training, "score_held_out", lambda *_: HeldOut(next(scores_left), {}))

    return use


def test_training_learns(finished):
    _, history, _ = finished
    assert [score.epoch for score in history] == [0, 1, 2, 3]
    assert history[0].held_out > history[-1].held_out + 0.05
    assert history[0].loss > history[-1].loss + 0.05


@pytest.mark.parametrize("layers", [1, pytest.param(2, marks=pytest.mark.operation)])
def test_the_way_of_a_gpu_trains_alike(run, monkeypatch, layers):
    """Keras's own layer, and no XLA; here both run on the CPU, and only rounding differs."""
    from lstm_music.models import backend, lstm

    spec, model = SPEC.model_copy(update={"epochs": 2}), MODEL.model_copy(update={"layers": layers})
    on_cpu, wanted, _ = run(spec=spec, model=model)
    for module in (backend, lstm):
        monkeypatch.setattr(module, "has_gpu", lambda: True)
    on_gpu, found, _ = run(spec=spec, model=model)
    assert [layer.stock for layer in on_gpu.stack] == [True] * layers
    for one, other in zip(found, wanted, strict=True):
        assert (one.loss, one.held_out) == pytest.approx((other.loss, other.held_out), rel=1e-4)
    for one, other in zip(weights_of(on_gpu), weights_of(on_cpu), strict=True):
        np.testing.assert_allclose(one, other, atol=5e-3)


def test_the_model_that_is_given_has_the_best_score_of_the_history(finished, data):
    from lstm_music.models.scoring import make_scorer, score_held_out

    model, history, _ = finished
    scorer = make_scorer(model, data.tokens)
    found = score_held_out(scorer, data.validation, data.tokens, STREAMS, data.log_unknown)
    assert found.nll == pytest.approx(min(score.held_out for score in history), rel=1e-6)


def stopped_at(run, checkpoint, epoch, step, **options):
    """Train up to a step, and stop there as a kill would: nothing is cleaned up."""

    def stop(progress):
        if (progress.epoch, progress.step) == (epoch, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=checkpoint, report=stop, **options)


def test_a_training_that_was_stopped_after_an_epoch_goes_on_to_the_weights_of_one_that_was_not(run, finished, tmp_path):
    """Bit for bit: so the same seed gives the same weights twice in one process."""
    checkpoint = tmp_path / "checkpoints" / "note.npz"
    stopped_at(run, checkpoint, 2, finished[2][0].steps)
    model, history, reports = run(checkpoint=checkpoint)
    assert {report.epoch for report in reports} == {3, 4}
    assert history == finished[1]
    assert_same_weights(model, finished[0])
    done, history, reports = run(checkpoint=checkpoint)
    assert (len(history), reports) == (4, [])
    assert_same_weights(done, model)


# with ends of pieces among its targets, and without
@pytest.mark.operation
@pytest.mark.parametrize("stream", ["offset", "note"])
def test_a_training_that_was_stopped_at_any_step_goes_on_to_the_same_weights(run, tmp_path, monkeypatch, stream):
    """Twice, at random steps; only what was left is done again."""
    from lstm_music.models import training

    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    whole, wanted, reports = run(stream)
    told, checkpoint = [(report.epoch, report.step) for report in reports], tmp_path / "model.npz"
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    chosen = sorted(np.random.default_rng(STREAMS.index(stream)).choice(len(told), 2, replace=False))
    for place in chosen:
        stopped_at(run, checkpoint, *told[place], stream=stream)
    model, history, reports = run(stream, checkpoint=checkpoint)
    assert [(report.epoch, report.step) for report in reports] == told[chosen[-1] + 1 :]
    assert history == wanted
    assert_same_weights(model, whole)


@pytest.mark.operation
def test_a_model_of_windows_goes_on_inside_an_epoch_with_all_that_it_keeps(run, data, tmp_path, monkeypatch):
    """The second architecture keeps a running variance, which is no weight that is trained."""
    from lstm_music.models import training

    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    targets = {side: Targets.of(getattr(data, side).spans, data.window.length) for side in ("train", "validation")}
    asked = {
        "stream": "offset+note",
        "spec": SPEC.model_copy(update={"epochs": 2}),
        "model": MODEL.model_copy(update={"architecture": "dual_head"}),
        "data": dataclasses.replace(data, **targets),
    }
    whole, wanted, reports = run(**asked)
    assert reports[0].steps > 5
    checkpoint = tmp_path / "model.npz"
    for epoch in (1, 2):
        stopped_at(run, checkpoint, epoch, 5, **asked)
    model, history, _ = run(**asked, checkpoint=checkpoint)
    assert history == wanted
    assert float(model.variance.numpy()) != 1.0
    assert_same_weights(model, whole)


def test_what_an_epoch_gave_before_a_stop_counts(run, loop, tmp_path, monkeypatch):
    """The loss of an epoch is that of all its steps, whoever did them."""
    from lstm_music.models import training

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    spec, checkpoint = SPEC.model_copy(update={"epochs": 1}), tmp_path / "note.npz"
    loop([], [8.0, 16.0])
    stopped_at(run, checkpoint, 1, 2, spec=spec)
    loop([3.0], [32.0, *[0.0] * 99])
    _, (score,), _ = run(spec=spec, checkpoint=checkpoint)
    targets = sum(span.events for span in run.data.train.spans)
    assert score.loss == pytest.approx((8 + 16 + 32) / targets)


def test_a_checkpoint_that_is_damaged_is_passed_over(run, loop, tmp_path):
    checkpoint = tmp_path / "note.npz"
    checkpoint.write_bytes(b"damaged")
    loop([3.0, 2.0])
    _, history, _ = run(spec=SPEC.model_copy(update={"epochs": 2}), checkpoint=checkpoint)
    assert [score.held_out for score in history] == [3.0, 2.0]


def test_the_weights_of_the_best_epoch_are_kept_and_patience_ends(run, loop, build):
    loop([5.0, 3.0, 4.0, 3.0, 9.0])
    spec = SPEC.model_copy(update={"epochs": 8, "patience": 2})
    model, history, reports = run(spec=spec)
    assert [score.held_out for score in history] == [5.0, 3.0, 4.0, 3.0]
    steps = reports[0].steps
    kept, untrained = model.weights[0].numpy(), build("note", random_seed=1).weights[0].numpy()
    np.testing.assert_allclose(kept - untrained, 2 * steps, atol=1e-4)


NO_BETTER = [9.0] * 5
"""The held-out scores of the mixtures."""


@pytest.fixture
def earlier(build):
    """Give a model of other weights, as the start of a training."""
    from lstm_music.models.warm_start import EarlierModel, Moved

    model = build("note", random_seed=8)
    moved = {column: Moved.unchanged(size) for column, size in COLUMNS.sizes.items()}
    return EarlierModel({weight.path: weight.numpy() for weight in model.weights}, moved)


@pytest.mark.parametrize(("scores", "best"), [([3.0, 4.0, 3.0], -1), ([3.0, 4.0, 2.9], 1)])
def test_the_earlier_model_is_scored_and_may_be_the_best(run, loop, earlier, scores, best):
    loop([*scores, *NO_BETTER])
    model, history, reports = run(spec=SPEC.model_copy(update={"epochs": 2}), earlier=earlier)
    assert [(score.epoch, score.held_out) for score in history] == [(-1, scores[0]), (0, scores[1]), (1, scores[2])]
    assert (history[0].loss, history[0].accuracy) == (None, {})
    assert reports[-1].history == tuple(history)
    steps = 0 if best < 0 else 2 * reports[0].steps
    first = model.weights[0]
    np.testing.assert_allclose(first.numpy() - earlier.weights[first.path], steps, atol=1e-4)


def test_an_epoch_goes_through_few_pieces_several_times(run, loop):
    events = run.data.train.events
    loop([3.0] * 99)
    asked = SPEC.model_copy(update={"epochs": 2})
    once, enough, more = (
        run(spec=asked.model_copy(update={"least_events": least}))[2] for least in (0, events, 3 * events - 1)
    )
    assert enough[0].steps == once[0].steps
    assert 2 * once[0].steps < more[0].steps <= 3 * once[0].steps
    assert more[-1].epoch == 2


@pytest.mark.parametrize(
    ("scores", "share", "steps"),
    [
        ([3.0, 2.5, 2.75, 2.6, 2.25, 2.3, 2.5, 2.0], 0.75, 0.25),
        ([2.0, 5.0, 4.0, 1.9, 1.8, *NO_BETTER[2:]], 0.2, 2 * 0.8),
    ],
)
def test_a_mixture_of_the_start_with_trained_weights_may_be_the_best(run, loop, earlier, scores, share, steps):
    """It is one with the best epoch, or with the last one where none is better than the start."""
    loop(scores)
    model, history, reports = run(spec=SPEC.model_copy(update={"epochs": 2}), earlier=earlier)
    best = history[-1]
    assert (best.epoch, best.held_out, best.loss, best.start_share) == (2, min(scores), None, share)
    assert [score.start_share for score in history[:-1]] == [0, 0, 0]
    assert "start_share" in best.to_json()
    assert "start_share" not in history[0].to_json()
    first = model.weights[0]
    np.testing.assert_allclose(first.numpy() - earlier.weights[first.path], steps * reports[0].steps, atol=1e-4)


def test_patience_counts_from_the_best_epoch_and_not_from_the_earlier_model(run, loop, earlier):
    loop([2.0, 5.0, 4.0, 3.0, 3.5, 3.25, *NO_BETTER])
    _, history, _ = run(spec=SPEC.model_copy(update={"epochs": 8, "patience": 2}), earlier=earlier)
    assert [score.epoch for score in history] == [-1, 0, 1, 2, 3, 4]


def test_a_killed_training_keeps_the_score_of_its_start(run, loop, earlier, tmp_path):
    loop([2.0, 5.0, 4.0, 3.0, *NO_BETTER])
    whole, wanted, _ = run(spec=SPEC.model_copy(update={"epochs": 3}), earlier=earlier)
    loop([2.0, 5.0, float("nan")])
    with pytest.raises(TrainingError):
        run(spec=SPEC.model_copy(update={"epochs": 3}), earlier=earlier, checkpoint=tmp_path / "note.npz")
    loop([4.0, 3.0, *NO_BETTER])
    model, history, _ = run(
        spec=SPEC.model_copy(update={"epochs": 3}), earlier=earlier, checkpoint=tmp_path / "note.npz"
    )
    assert history == wanted
    assert_same_weights(model, whole)


def test_where_nothing_is_left_to_learn_training_ends(run, loop):
    loop([5.0, 0.0009, 0.0008])
    _, history, _ = run()
    assert [score.held_out for score in history] == [5.0, 0.0009]


def test_a_score_that_is_no_number_ends_training(run, loop, tmp_path):
    loop([5.0, float("nan")])
    with pytest.raises(TrainingError, match=r"note model: the held-out NLL is nan in epoch 2, .* published nothing"):
        run()


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_training(run, loop, tmp_path, loss):
    loop([5.0], [1.0, 2.0, loss])
    with pytest.raises(TrainingError, match=f"the loss is {loss} in epoch 1, .* training.learning_rate below 0.02"):
        run(checkpoint=tmp_path / "note.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("side", "counts"), [("train", "0 and 2"), ("validation", "4 and 0")])
def test_a_side_without_music_is_not_enough(run, data, side, counts):
    with pytest.raises(NotEnoughMusicError, match=f"long enough, got {counts}; add"):
        run(data=dataclasses.replace(data, **{side: Targets.of(())}))


def test_less_than_a_window_is_not_enough(run, data):
    long = data.window.model_copy(update={"length": 107})  # the training pieces have 106 events
    with pytest.raises(NotEnoughMusicError, match="at least 107 events, the length of one window, got 106 in all"):
        run(data=dataclasses.replace(data, window=long))


def test_the_learning_rate_rises_over_the_warm_up_and_falls_to_nothing(run, loop, monkeypatch):
    loop([3.0] * 3)
    from lstm_music.models.learner import Learner

    rates = []
    step = Learner.step

    def watched(self, batch, rate, rng, **options):
        rates.append(rate)
        return step(self, batch, rate, rng, **options)

    monkeypatch.setattr(Learner, "step", watched)
    spec = SPEC.model_copy(update={"warmup_steps": 4, "epochs": 3})
    run("duration", spec)
    assert rates[0] == pytest.approx(0.02 / 4)
    assert max(rates) < 0.02
    assert np.argmax(rates) == 3
    assert np.all(np.diff(rates[3:]) < 0)
    assert 0 <= rates[-1] < 0.002


def test_progress_is_told_as_json_with_what_is_left(run, loop, monkeypatch):
    loop([3.0, 4.0])
    from lstm_music.models import training

    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    _, history, reports = run("offset", SPEC.model_copy(update={"epochs": 2}))
    first, last = reports[0].to_json(), reports[-1].to_json()
    assert (first["model"], first["epoch"], first["epochs"], first["step"]) == ("offset", 1, 2, 1)
    assert (first["held_out"], first["best"], first["seconds_left"]) == (None, None, None)
    assert reports[1].seconds_left > 0
    assert (last["epoch"], last["step"]) == (2, last["steps"])
    assert (last["held_out"], last["best"], last["loss"]) == (4.0, 3.0, pytest.approx(history[-1].loss))
    assert (first["scored_epochs"], last["scored_epochs"]) == (0, 2)
    assert last["seconds_left"] == 0
    steps = [report.step for report in reports if report.epoch == 1]
    assert steps == [*range(1, last["steps"] + 1)]


def test_with_nothing_hidden_dropped_or_moved_the_loss_is_what_the_model_scores(run, data, uncompiled):
    from lstm_music.models import training

    whole = dataclasses.replace(
        data,
        window=data.window.model_copy(update={"length": 41, "transpose_from": 0, "transpose_to": 0}),
        train=Targets.of([dataclasses.replace(span, lowest_shift=0, highest_shift=0) for span in data.train.spans[:2]]),
        transposition=data.transposition[2:3],
    )
    uncut = next(seed for seed in range(999) if len(training.epoch_windows(whole.train.spans, 41, seed, 0).piece) == 2)
    spec = TrainingSpec(epochs=1, batch_size=2, learning_rate=1e-9, warmup_steps=0)
    trained, history, _ = run("offset", spec, ModelSpec(units=8, dropout=0, hidden_inputs=0), uncut, data=whole)
    scores = training.make_scorer(trained, data.tokens)(whole.train)["offset"]
    logs = np.concatenate([scores.log_probabilities, scores.end_log_probabilities])
    assert history[0].loss == pytest.approx(-logs.mean(), rel=1e-4)

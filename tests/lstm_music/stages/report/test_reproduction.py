"""The report of the experiments: every number is that of a card or a history, and nothing leaky goes without the word."""

import json

import pytest
from small_music import tiny_recipe

from lstm_music.rendering.curves import learning_curves
from lstm_music.rendering.report_page import COLUMNS, report_html, table
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music.candidates import make_music, picture, read_music
from lstm_music.stages.report.experiments import plan_experiments
from lstm_music.stages.report.reproduction import plan_outcomes, read_report, write_report
from lstm_music.stages.training.scorecard import evaluate, read_card
from lstm_music.store import Store

RECIPE = tiny_recipe(
    name="seed",
    events={"reading": "music21-5", "chords": "normal_order", "quarter_length_divisors": [4, 3]},
    windows={"length": 8, "transpose_from": 0, "transpose_to": 0},
    model={"architecture": "three_streams", "units": 8, "hidden_inputs": 0.0},
    training={"epochs": 1, "schedule": "constant"},
    generation={"num_outputs": 1, "num_events": 12, "min_events": 6, "prompt_events": 8},
)


@pytest.fixture(scope="module")
def storage(made, tmp_path_factory):
    return made.copy(tmp_path_factory.mktemp("reproduction") / "storage")


@pytest.fixture
def outcomes(storage, publish):
    """What comes of all experiments, with untrained models that say that they were right a quarter of the time."""

    experiments = plan_experiments(RECIPE, ["three_streams", "dual_head"])
    planned = plan_outcomes(storage.store, experiments, storage.prepared.inputs)
    for one in planned:
        recipe = one.experiment.recipe
        assert prepare(storage.store, recipe, storage.prepared.inputs).dataset == one.dataset
        assert publish(storage.store, recipe, one.dataset) == one.models
        assert evaluate(storage.store, recipe, one.dataset, one.models) == one.scorecard
        assert make_music(storage.store, one.dataset, one.models, recipe.generation, recipe.random_seed) == one.music
    return planned


def test_the_report_has_the_numbers_of_the_cards_and_pictures_of_each_experiment(storage, outcomes):
    ref = write_report(storage.store, outcomes)
    artifact, findings = storage.store.open(ref), read_report(storage.store, ref)
    assert [(found["architecture"], found["protocol"]) for found in findings] == [
        ("three_streams", "random_windows"),
        ("three_streams", "by_piece"),
        ("dual_head", "random_windows"),
        ("dual_head", "by_piece"),
    ]
    for outcome, found in zip(outcomes, findings, strict=True):
        card = read_card(storage.store, outcome.scorecard)
        assert ("leaky" in found["split"]) == (found["protocol"] == "random_windows")
        for stream in found["streams"]:
            name = stream["stream"]
            for split, scores in card["splits"].items():
                assert stream[split]["accuracy"] == scores["streams"][name]["accuracy"]
                assert stream[split]["lookup"] == scores["lookup"][name]
                assert set(stream[split]["baselines"]) == set(scores["baselines"])
        name = f"{found['architecture']}-{found['protocol']}"
        assert artifact.file(f"curves-{name}.svg").read_text().startswith("<?xml")
        music = read_music(storage.store, outcome.music)[0]
        assert artifact.file(f"music-{name}.svg").read_text() == picture(music)
        assert artifact.file(f"music-{name}.mid").read_bytes() == music.midi
        assert f"](curves-{name}.svg)" in artifact.file("report.md").read_text()
        assert f'src="music-{name}.svg"' in artifact.file("report.html").read_text()
    assert set(findings[2]["faults"]) == {"negative offsets", "mean absolute error of the offset in quarters"}
    assert findings[0]["faults"] == {}
    assert write_report(storage.store, outcomes) == ref


def test_a_row_has_what_was_reported_and_the_word_leaky(storage, outcomes):
    rows = table(read_report(storage.store, write_report(storage.store, outcomes)))
    assert {len(row) for row in rows} == {len(COLUMNS)}
    by_place = {(row[0], row[1], row[2]): row for row in rows}
    leaky, ours = (by_place["three_streams", split, "note"] for split in ("random windows, leaky", "by piece"))
    assert leaky[3] == ours[3] == "63.0 % (57.4 %)"
    assert leaky[5] == ours[5] == "25.0 %"
    assert by_place["dual_head", "by piece", "note"][3] == "poor"
    assert leaky[-1] == "1, best 1"


def test_the_same_experiments_give_the_same_bytes(storage, outcomes, tmp_path):
    first = write_report(storage.store, outcomes)
    files = {path.name: path.read_bytes() for path in storage.store.open(first).files()}
    copy = Store(storage.copy(tmp_path / "again").store.root)
    (copy.root / first.kind / first.key / "manifest.json").unlink()
    assert {path.name: path.read_bytes() for path in copy.open(write_report(copy, outcomes)).files()} == files


def test_curves_have_a_line_for_training_and_one_for_validation_of_each_stream():
    history = [{"epoch": epoch, "accuracy": {"note": 0.1}, "held_out_accuracy": {"note": 0.2}} for epoch in range(3)]
    svg = learning_curves({"note": history}, "notes <alone>")
    assert "note, training" in svg
    assert "note, validation" in svg
    assert "notes &lt;alone&gt;" in svg
    assert learning_curves({"note": history}, "notes <alone>") == svg


def test_the_page_escapes_what_it_shows():
    found = {"title": "<script>", "said": "<b>", "faults": {}, "architecture": "a", "protocol": "b", "streams": []}
    found["missing"] = ["<i>.mid"]
    page = report_html(json.loads(json.dumps([found])))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "1 of its files were not there (&lt;i&gt;.mid)" in page

"""Learning curves: drawn once, found again, and copied to the name under which a person looks."""

import xml.etree.ElementTree as ET

from lstm_music.rendering.curves import COLOURS, Panel, loss_curves
from lstm_music.stages.training.curves import curves_of_card, curves_of_model, panels_of
from lstm_music.stages.training.scorecard import models_of_card, read_card

SVG = "{http://www.w3.org/2000/svg}"
HISTORY = [{"epoch": 0, "loss": 3.0, "held_out": 2.5}, {"epoch": 1, "loss": 2.0, "held_out": 2.75}]


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_panel_shows_both_losses_the_best_epoch_and_the_baselines():
    svg = loss_curves(
        [[Panel("notes <alone>", "note", HISTORY, {"majority": 4.0, "ngram_joint": 2.25})]], "Training of x"
    )
    assert {
        *("notes <alone>", "Training of x", "training loss", "held-out NLL"),
        *("best: epoch 1, 2.500", "majority, 4.000", "ngram_joint, 2.250", "epoch", "nats per event"),
    } <= set(texts(svg))
    assert (
        loss_curves(
            [[Panel("notes <alone>", "note", HISTORY, {"majority": 4.0, "ngram_joint": 2.25})]], "Training of x"
        )
        == svg
    )


def test_the_start_of_a_training_is_epoch_0_and_has_no_training_loss():
    start = {"epoch": -1, "loss": None, "held_out": 2.25}
    svg = loss_curves([[Panel("tuned", "note", [start, *HISTORY])]], "")
    assert "best: epoch 0, 2.250" in texts(svg)
    curves = [line for line in ET.fromstring(svg).iter(f"{SVG}path") if COLOURS["note"] in line.get("style", "")]
    points = {
        "dasharray" in line.get("style"): line.get("d").count("L") + 1 for line in curves if line.get("clip-path")
    }
    assert points == {True: 2, False: 3}  # the training loss is dashed
    mixture = {"epoch": 2, "loss": None, "held_out": 2.0, "start_share": 0.2}
    assert "best: 20% of the start, 2.000" in texts(loss_curves([[Panel("", "note", [*HISTORY, mixture])]], ""))


def test_rows_of_other_lengths_leave_places_empty():
    panel = Panel("a", "velocity", HISTORY)
    assert texts(loss_curves([[panel, panel], [panel]], "two")).count("held-out NLL") == 3


def test_the_curves_of_a_card_have_its_models_and_baselines(made, evaluated, tmp_path):
    store = made.copy(tmp_path / "storage").store
    card = read_card(store, evaluated.scorecard)
    models = models_of_card(store, evaluated.scorecard)
    assert list(models.items()) == list(evaluated.models.items())
    panels = panels_of(store, models, card)
    assert [panel.model for panel in panels] == ["offset", "note", "duration"]
    expected = card["splits"]["validation"]["baselines"]["majority"]["streams"]["note"]["nll"]
    assert panels[1].baselines["majority"] == expected
    path = curves_of_card(store, "tiny", evaluated.scorecard)
    assert path == store.root / "curves" / "tiny.svg"
    (ref,) = store.refs("curves")
    assert path.read_bytes() == store.open(ref).file("curves.svg").read_bytes()
    assert f"majority, {expected:.3f}" in texts(path.read_text())
    written = path.stat().st_mtime_ns
    assert curves_of_card(store, "tiny", evaluated.scorecard) == path
    assert path.stat().st_mtime_ns == written


def test_the_newest_training_takes_the_name_of_the_recipe(made, trained, tmp_path):
    store = made.copy(tmp_path / "storage").store
    path = curves_of_model(store, "tiny", "note", trained["note"])
    assert path.name == "tiny.note.svg"
    before = path.read_bytes()
    assert curves_of_model(store, "tiny", "note", trained["offset"]) == path
    assert path.read_bytes() != before
    assert len(list(store.refs("curves"))) == 2
    assert not store.verify().bad

"""`lstm-music evaluate --music` on the tiny run."""

import json

import pytest

from flows.cli import app, music_command
from lstm_music.stages.music import quality

pytestmark = pytest.mark.slow

SENTENCE = "the validation split has "


def test_too_few_held_out_pieces_are_one_sentence(tiny, lstm_music_here):
    found = lstm_music_here("evaluate", "--music", "--recipe", tiny.recipe, "--storage", tiny.storage)
    assert found.code == 5
    assert found.sentence.startswith(f"lstm-music: {SENTENCE}")
    assert "the comparison needs 8 from 4; train on more music" in found.sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--split", "test"], "--split: goes with --music only; add --music, or leave it out"),
        (["--top-p", "0.9"], "--top-p: goes with --music only; add --music, or leave it out"),
        (["--music", "--num-outputs", "7"], "--num-outputs: expected 8 or more with --music, got 7"),
        (["--music", "--temperature", "hot"], "--temperature: expected one number, or offset=0.9,"),
    ],
)
def test_options_that_do_not_fit_are_refused(tiny, lstm_music_here, arguments, sentence):
    found = lstm_music_here("evaluate", "--recipe", tiny.recipe, "--storage", tiny.storage, *arguments)
    assert found.code == 2
    assert found.errors.startswith(f"lstm-music: {sentence}")


def test_the_card_is_shown_and_said_to_programs(tiny, tmp_path, monkeypatch, capsys):
    """On the training pieces, for the tiny recipe holds out one piece for each split."""

    def of_training(store, dataset, models, spec, random_seed, split, on_stage):
        assert split == "validation"
        return quality.measure_quality(store, dataset, models, spec, random_seed, "train", on_stage)

    monkeypatch.setattr(music_command, "measure_quality", of_training)
    storage = tiny.copy(tmp_path, "nothing")

    def say(*arguments):
        named = ["--recipe", str(tiny.recipe), "--storage", str(storage), "--num-outputs", "8"]
        monkeypatch.setattr("sys.argv", ["lstm-music", "evaluate", "--music", *named, *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        assert not ended.value.code
        return capsys.readouterr()

    shown = say()
    assert "Loading the models and generating 8 pieces of 24 events …" in shown.out
    for words in ("recognised by a classifier", "Frechet distance", "bars that return", "melody: ", "held-out"):
        assert words in shown.out
    card = json.loads(say("--json").out.splitlines()[-1])
    assert (card["excerpts"], card["events"], card["warnings"]) == (8, 24, [])
    assert card["settings"]["temperature"]["note"] == 0.95
    assert f"{card['classifier']['accuracy']:.0%} (" in shown.out

"""Options under their former names."""

from flows.cli.renamed import RENAMED, with_new_names


def test_former_names_are_replaced_and_said(capsys):
    words = ["generate", "--seed-midi", "a.mid", "--seed-segment=none", "--num-outputs", "2"]
    assert with_new_names(words) == ["generate", "--prompt-midi", "a.mid", "--prompt=none", "--num-outputs", "2"]
    assert capsys.readouterr().err.splitlines() == [
        f"lstm-music: {name} is now {RENAMED[name]}; the old name works for one more release"
        for name in ("--seed-midi", "--seed-segment")
    ]


def test_other_commands_and_words_stay(capsys):
    assert with_new_names(["train", "--seed-midi"]) == ["train", "--seed-midi"]
    assert capsys.readouterr().err == ""

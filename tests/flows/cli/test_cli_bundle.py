"""Bundles on the command line: no storage is needed, refusals are one sentence, and nothing is left behind."""

import json
import zipfile
from pathlib import Path

import pytest
from bundle_files import small_bundle, tampered
from program import COMMAND, Program
from tiny_music import piece

from lstm_music.stages.music import reference
from lstm_music.store import Store

QUIET = ["--num-outputs", "2", "--num-events", "8", "--audio", "none", "--no-sheet-music"]


def test_a_bundle_that_is_none_is_refused_by_every_command(lstm_music_here, tmp_path):
    bundle, home = small_bundle(tmp_path), tmp_path / "home"
    damaged, more = tmp_path / "damaged.lstm", ("model/" + "11" * 32 + "/history.json", b"{}")
    damaged.write_bytes(bundle.read_bytes()[:-7])
    full = tampered(bundle, tmp_path / "full.lstm", lambda members: [*members, more])
    for path, said in ((damaged, "was cut or changed"), (full, "too many"), (bundle, "do not fit together")):
        for words in (["import", path], ["generate", "--model", path, "--output-dir", tmp_path / "music"]):
            found = lstm_music_here(*words)
            assert found.code == 10
            assert said in found.errors.splitlines()[-1]
            assert "Traceback" not in found.errors
    assert list(home.iterdir()) == []
    assert not (tmp_path / "music").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output-dir", "music", "--like", "3"], "--model: excludes --like"),
        (["--output-dir", "music", "--variation", "0.5"], "--model: excludes --variation"),
        (["--output-dir", "music", "--recipe", "demo"], "so it excludes --recipe"),
    ],
)
def test_what_needs_a_storage_is_refused_with_a_bundle(lstm_music_here, tmp_path, words, said):
    found = lstm_music_here("generate", "--model", small_bundle(tmp_path), *words)
    assert found.code == 2
    assert said in found.sentence
    assert list((tmp_path / "home").iterdir()) == []


def test_a_result_is_no_prompt_of_a_bundle(lstm_music_here):
    found = lstm_music_here("generate", "--model", "bach", "--prompt", "latest/1")
    assert found.code == 2
    assert "--model: excludes --prompt latest/1" in found.sentence


@pytest.mark.parametrize("words", [["accompany"], ["rewrite", "--bars", "2"], ["mirex"]])
def test_what_takes_a_file_takes_a_bundle_or_a_storage_and_not_both(lstm_music_here, tmp_path, words):
    verb, *own = words
    found = lstm_music_here(verb, "any.mid", *own, "--model", small_bundle(tmp_path), "--storage", "mine")
    assert found.code == 2
    assert "so it excludes --storage" in found.sentence


@pytest.mark.operation
def test_a_file_is_gone_on_from_with_the_bundle_that_comes_along(lstm_music_here, tmp_path):
    home = tmp_path / "home"
    (home / "mine.mid").write_bytes(piece(1))
    notes = [{"start": start, "pitch": 60 + start % 5, "duration": 4} for start in range(16, 80, 4)]
    (home / "prompt.json").write_text(json.dumps({"prompt": notes}))
    few = ["--model", "bach", "--num-outputs", "1", "--best-of", "1"]
    form = ["--audio", "none", "--no-sheet-music"]
    assert lstm_music_here("rewrite", "mine.mid", "--bars", "2", *few, *form).code == 0
    assert lstm_music_here("accompany", "mine.mid", *few, *form, "--output-dir", "with it").code == 0
    found = lstm_music_here("mirex", "prompt.json", *few, "--json")
    assert found.code == 0, found.errors
    said = json.loads(found.out.splitlines()[-1])
    assert [Path(sample).is_absolute() for sample in said["samples"]] == [False]
    assert not {"page", "directory"} & {*said}
    assert said["command"].startswith("lstm-music mirex prompt.json --model bach ")
    assert not any("--storage" in said[line] for line in ("command", "command_for_more"))
    assert {path.name for path in home.iterdir()} == {"mine.mid", "prompt.json", "bach_1", "with it", "prompt_samples"}


@pytest.mark.operation
@pytest.mark.slow
def test_a_bundle_needs_no_storage_and_leaves_nothing_but_its_music(tiny, lstm_music_here, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "MOST_EXCERPTS", 2)
    bundle, music, home = tmp_path / "tiny.lstm", tmp_path / "music", tmp_path / "of its own"
    said = json.loads(
        lstm_music_here("export", "tiny", "-o", bundle, "--storage", tiny.copy(tmp_path), "--json").out.splitlines()[-1]
    )
    assert said["bundle"] == str(bundle)
    with zipfile.ZipFile(bundle) as archive:
        assert {*archive.namelist()} == {"bundle.json", *said["members"]}
    assert lstm_music_here("import", bundle, "--storage", tmp_path / "other").code == 0
    assert Store(tmp_path / "other").recipes() == ["tiny"]
    program = Program(home, [COMMAND, "generate", "--model", str(bundle), *QUIET, "--output-dir", str(music)])
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    assert "not searched" in out
    assert f"--model {bundle} --output-dir {music}_" in out
    assert {path.name for path in music.iterdir()} >= {"index.html", "result_001.mid", "result_002.mid"}
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["stderr"]


def test_the_bundle_that_comes_along_makes_music_in_a_new_folder(lstm_music_here, tmp_path):
    for number in (1, 2):
        found = lstm_music_here("generate", "--model", "bach", *QUIET)
        assert found.code == 0, found.errors
        assert (tmp_path / "home" / f"bach_{number}" / "result_002.mid").is_file()
        assert f"Made 2 pieces in bach_{number}: MIDI" in found.out
    first, second = ((tmp_path / "home" / f"bach_{number}" / "result_001.mid").read_bytes() for number in (1, 2))
    assert first == second


def test_a_bundle_that_is_not_there_is_named_with_those_that_come_along(lstm_music_here):
    found = lstm_music_here("generate", "--model", "bahc")
    assert found.code == 10
    assert found.sentence.endswith("the name of one that comes along (bach), got 'bahc'")


@pytest.mark.parametrize("text", ["", "."])
def test_the_working_folder_is_no_bundle(lstm_music_here, text):
    found = lstm_music_here("generate", "--model", text)
    assert found.code == 10
    assert found.sentence.endswith("(bach), got no file's name")


def test_a_name_that_no_file_can_have_is_refused_in_one_sentence(lstm_music_here):
    found = lstm_music_here("generate", "--model", "a" * 300)
    assert found.code == 10
    assert "expected a bundle's file" in found.sentence


def test_the_bundle_that_comes_along_is_imported_by_its_name_and_the_advice_names_the_storage(
    lstm_music_here, tmp_path
):
    (tmp_path / "home" / "bach").mkdir()  # a folder of that name is no bundle
    found = lstm_music_here("import", "bach", "--name", "other", "--storage", "my music")
    assert found.code == 0, found.errors
    assert "`lstm-music generate --recipe other --storage 'my music'`" in found.out + found.errors
    assert Store(tmp_path / "home" / "my music").recipes() == ["other"]


def test_music_that_cannot_be_made_leaves_no_folder(lstm_music_here, tmp_path):
    (tmp_path / "home" / "mine").mkdir()
    for words in ([], ["--output-dir", "new"], ["--output-dir", "mine"]):
        found = lstm_music_here("generate", "--model", "bach", *QUIET, "--prompt", "nobody", *words)
        assert found.code == 3
        assert "'nobody'" in found.sentence
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["mine"]

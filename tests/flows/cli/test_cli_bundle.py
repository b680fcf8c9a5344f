"""Bundles on the command line: the same music at home and elsewhere, refusals in one sentence, and nothing left behind."""

import json
import zipfile

import pytest
from bundle_files import small_bundle, tampered
from kill_run import contents

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
        ([], "--model: needs --output-dir FOLDER"),
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


@pytest.mark.slow
def test_music_is_the_same_at_home_and_elsewhere(tiny, lstm_music, tmp_path):
    """Export and import find no TensorFlow and no Prefect; see `test_cli_imports` for what else does not."""
    storage, home = tiny.copy(tmp_path), tmp_path / "home"
    made = lstm_music("export", "tiny", "-o", tmp_path / "tiny.lstm", "--storage", storage, "--json")
    said = json.loads(made.out)
    assert said["bundle"] == str(tmp_path / "tiny.lstm")
    with zipfile.ZipFile(said["bundle"]) as archive:
        assert {*archive.namelist()} == {"bundle.json", *said["members"]}
    before = contents(home)
    alone = lstm_music("generate", "--model", tmp_path / "tiny.lstm", *QUIET, "--output-dir", tmp_path / "alone")
    assert alone.code == 0, alone.errors
    assert "not searched" in alone.out
    assert contents(home) == before  # no storage, nothing else
    assert lstm_music("import", tmp_path / "tiny.lstm", "--storage", tmp_path / "other").code == 0
    assert Store(tmp_path / "other").recipes() == ["tiny"]
    words = ["--recipe", "tiny", "--storage", tmp_path / "other"]
    assert lstm_music("generate", *words, *QUIET, "--output-dir", tmp_path / "imported").code == 0
    results = [sorted((tmp_path / name).glob("result_*.mid")) for name in ("alone", "imported")]
    assert [path.read_bytes() for path in results[0]] == [path.read_bytes() for path in results[1]]
    assert len(results[0]) == 2

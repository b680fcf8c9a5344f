import json
from pathlib import Path

import pytest
from tiny_music import piece, write_pieces, write_recipe

from lstm_music.store import Store

DEMO = ("--recipe", "demo")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write_recipe(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["sing"], 2, "sing: unknown command. See `lstm-music --help`"),
        (["generat"], 2, "generat: unknown command. Did you mean generate? See `lstm-music --help`"),
        (
            ["run", "--strage", "x"],
            2,
            "--strage: unknown option. Did you mean --storage? See `lstm-music run --help`",
        ),
        (["generate", "x"], 2, "x: unexpected argument. See `lstm-music generate --help`"),
        (["generate", "--json=3"], 2, "--json: expected no value. See `lstm-music generate --help`"),
        (["generate", "--recipe"], 2, "--recipe: expected a value. See `lstm-music generate --help`"),
        (
            ["run", "--runner", "snails"],
            2,
            "--runner: expected threads, processes or dask, got 'snails'. See `lstm-music run --help`",
        ),
        (
            ["generate", "--num-events", "0"],
            2,
            "--num-events: expected at least 1, got '0'. See `lstm-music generate --help`",
        ),
        (["generate", *DEMO, "--temperature", "hot"], 2, "--temperature: expected one number, or"),
        (["run", "--recipe", "nobody"], 2, "recipe 'nobody': not found; expected one of choir, default, demo"),
        (["train", *DEMO, "--model", "rhythm"], 2, "--model: expected offset, note or duration, got 'rhythm'"),
        (["evaluate"], 6, "no recipe is trained yet; run `lstm-music run --recipe demo`"),
        (["evaluate", *DEMO], 6, "nothing was prepared for recipe 'demo' yet; begin with `lstm-music prepare"),
        (["train"], 6, "no recipe is prepared yet; run `lstm-music prepare --recipe demo`"),
        (["generate"], 6, "no recipe is trained yet; run `lstm-music run --recipe demo`, or `lstm-music import bach`"),
        (["generate", *DEMO], 6, "recipe 'demo' is not trained yet; run `lstm-music run --recipe demo`"),
        (["generate", *DEMO, "--prompt-midi", "gone.mid"], 3, "gone.mid: cannot be read"),
        (["generate", *DEMO, "--prompt-midi", "gone.doc"], 3, "gone.doc: not a music file by its extension"),
        (["generate", *DEMO, "--prompt-midi", "a.mid", "--composer", "bach"], 2, "excludes --prompt and --composer"),
        (["generate", *DEMO, "--min-p", "note=2"], 2, "--min-p: expected less than 1, got 2.0"),
        (["generate", *DEMO, "--max-repeats", "1"], 2, "--max-repeats: expected 2 or more, or 0 for no limit"),
        (["generate", *DEMO, "--audio", "wav"], 2, "lstm-music: --audio: expected ogg or mp3, got 'wav'"),
        (["generate", *DEMO, "--soundfont", "gone.sf2"], 3, "soundfont gone.sf2: No such file or directory"),
        (["accompany", *DEMO], 2, "MELODY: expected a value. See `lstm-music accompany --help`"),
        (["accompany", "gone.mid", *DEMO], 3, "gone.mid: cannot be read"),
        (["rewrite", *DEMO, "--bars", "2"], 2, "FILE: expected a value. See `lstm-music rewrite --help`"),
        (["rewrite", "a.mid", *DEMO], 2, "--bars: expected a value. See `lstm-music rewrite --help`"),
        (["rewrite", "gone.mid", "--bars", "2", *DEMO], 3, "gone.mid: cannot be read"),
        (
            ["rewrite", "a.mid", "--bars", "12-9", *DEMO],
            2,
            "--bars: expected the first and the last bar, such as 1-8; ",
        ),
        (["verify"], 6, "no storage lies here"),
        (["export"], 6, "no storage lies here"),
        (["import"], 2, "FILE: expected a value. See `lstm-music import --help`"),
        (
            ["import", "gone.lstm"],
            10,
            "expected a bundle's file, or the name of one that comes along (bach), got 'gone.lstm'",
        ),
        (["import", "/etc/passwd"], 10, "expected a bundle, got another kind of file"),
        (["generate", "--model", "gone.lstm"], 2, "--model: names a bundle, which has its own recipe and storage"),
        (["generate", "--model", "gone.lstm", *DEMO], 2, "so it excludes --recipe"),
        (["run", "--start-from", "demo"], 6, "recipe 'demo' is not trained yet"),
        (["train", "--start-from", "demo", "--warm-start"], 2, "--start-from: excludes --warm-start"),
        (["run", "--compare-from-nothing"], 2, "--compare-from-nothing: needs --start-from"),
        (["train", "--no-compare-from-nothing"], 2, "--compare-from-nothing: needs --start-from"),
        (["run", "--start-from", "/etc/passwd"], 10, "expected a bundle, got another kind of file"),
        (["run", "--source", "gone", "--start-from", "/etc/passwd"], 3, "source 'gone': not found"),
        (["run", "--source", ""], 3, "source '': not found; expected 'corpus'"),
        (["ingest", "--source", "ftp://x/y"], 3, "source ftp://x/y: "),
        (["ingest", "--source", "foo://x"], 3, "source foo://x: expected a folder or s3://bucket/prefix"),
        (
            ["generate", *DEMO, "--output-dir", "s3://b/p"],
            2,
            "--output-dir: expected a folder of this machine, got 's3://b/p'",
        ),
        (["generate", *DEMO, "--output-dir", ""], 2, "--output-dir: expected a folder of this machine, got ''"),
        (["generate", *DEMO, "--prompt-midi", "/"], 3, "expected a music file, got a folder"),
        (["generate", *DEMO, "--audio", "none,ogg"], 2, "--audio: expected ogg or mp3, got 'none'"),
        (["generate", *DEMO, "--max-quarters", "1e99"], 2, "--max-quarters: expected at most 10,000"),
        (["generate", "--recipe", "/etc/passwd"], 2, "is no .toml file; expected one of choir"),
        (["compare"], 2, "RECIPE...: expected a value. See `lstm-music compare --help`"),
        (
            ["ingest", "--source", "kaggle:foo"],
            3,
            "source: expected kaggle:OWNER/NAME, ",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_makes_nothing(lstm_music_here, tmp_path, arguments, code, sentence):
    storage = tmp_path / "storage"
    found = lstm_music_here(
        *arguments,
        *([] if arguments[0] in {"sing", "generat"} or arguments[-1] == "--recipe" else ["--storage", storage]),
    )
    assert found.code == code
    assert found.sentence.startswith("lstm-music: ")
    assert sentence in found.sentence
    assert not storage.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('name = "a"\n[windows]\nlenght = 9\n', "windows.lenght: unknown key. Did you mean 'length'?"),
        ('name = "a"\n[windows]\nlength = 1\n', "windows.length: "),
        ('name = "a"\n[models.offset]\ndroput = 0.5\n', "models.offset.droput: unknown key. Did you mean 'dropout'?"),
        (
            'name = "a"\n[models.rhythm]\ndropout = 0.5\n',
            "models.rhythm: unknown model; expected offset, note or duration",
        ),
        ("name = [\n", "cannot be read as TOML"),
        ("", "name: this key is missing"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(lstm_music_here, tmp_path, text, sentence):
    (tmp_path / "wrong.toml").write_text(text)
    found = lstm_music_here("run", "--recipe", tmp_path / "wrong.toml", "--storage", tmp_path / "storage")
    assert found.code == 2
    assert "wrong.toml" in found.sentence
    assert sentence in found.sentence
    assert not (tmp_path / "storage").exists()


@pytest.mark.parametrize(
    ("command", "place", "code", "sentence"),
    [
        (
            "run",
            "missing",
            3,
            "not found; expected 'corpus', 'kaggle', the path of a folder, a zip or a music file, or a URL",
        ),
        ("run", "empty", 5, "is empty; give a folder or zip with"),
        ("run", "text.zip", 3, "text.zip"),
        ("prepare", "empty", 5, "is empty; give a folder or zip with"),
        ("prepare", "damaged", 5, "none of the 3 inputs holds music that can be read (empty.mid: "),
    ],
)
def test_a_source_without_music_is_one_sentence(lstm_music_here, tmp_path, recipe, command, place, code, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "empty.mid").write_bytes(b"")
    (tmp_path / "damaged" / "text.mid").write_bytes(b"la la la")
    (tmp_path / "damaged" / "truncated.mid").write_bytes(piece(0)[:20])
    storage = tmp_path / "storage"
    found = lstm_music_here(command, "--recipe", recipe, "--source", tmp_path / place, "--storage", storage)
    assert found.code == code
    assert found.errors.startswith("lstm-music: ")
    assert sentence in found.sentence
    assert list(Store(storage).refs("notes")) == []
    assert Store(storage).recipes() == []
    assert Store(storage).verify().bad == []


@pytest.mark.parametrize("place", ["a file", "below a file", "/proc/storage"])
def test_storage_that_cannot_be_is_one_sentence(lstm_music_here, tmp_path, recipe, place):
    (tmp_path / "file").write_text("mine")
    storage = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "storage"}.get(place, place)
    music = write_pieces(tmp_path / "music", range(1))
    found = lstm_music_here("prepare", "--recipe", recipe, "--source", music, "--storage", storage)
    assert found.code == 6
    assert str(storage) in found.sentence
    assert (tmp_path / "file").read_text() == "mine"


def test_storage_of_another_version_is_one_sentence(lstm_music_here, tmp_path, recipe):
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "format.json").write_text('{"format": "lstm-music storage", "version": 99}\n')
    for command in (["status"], ["verify"], ["evaluate", "--recipe", recipe]):
        found = lstm_music_here(*command, "--storage", tmp_path / "storage")
        assert found.code == 6
        assert "expected a storage of version 1, got version 99; give another folder with --storage" in found.sentence


def test_one_piece_alone_is_prepared_but_not_trained_on(lstm_music, tmp_path, recipe):
    music, storage = write_pieces(tmp_path / "music", range(1)), tmp_path / "storage"
    arguments = ["--recipe", recipe, "--source", music, "--storage", storage]
    prepared = lstm_music("prepare", *arguments, "--json")
    assert prepared.code == 0
    assert json.loads(prepared.out)["pieces"] == 1
    assert json.loads(prepared.out)["windows"]["validation"] == 0
    found = lstm_music("train", "--model", "note", *arguments)
    assert found.code == 5
    assert "training needs at least 1 training piece and 1 validation piece" in found.sentence
    assert list(Store(storage).refs("model")) == []
    assert lstm_music("evaluate", "--recipe", recipe, "--storage", storage).code == 8


@pytest.mark.slow
def test_too_little_music_for_three_models_is_one_sentence(lstm_music, tmp_path, recipe, users_server):
    music, storage = write_pieces(tmp_path / "music", range(1)), tmp_path / "storage"
    found = lstm_music("run", "--recipe", recipe, "--source", music, "--storage", storage, **users_server)
    assert found.code == 5
    assert "training needs at least 1 training piece and 1 validation piece" in found.sentence
    assert not (storage / "model").exists()
    assert not (storage / "checkpoints").exists()


def test_a_server_that_is_away_is_one_sentence(lstm_music, tmp_path, recipe):
    music, storage = write_pieces(tmp_path / "music"), tmp_path / "storage"
    found = lstm_music(
        "run", "--recipe", recipe, "--source", music, "--storage", storage, PREFECT_API_URL="http://127.0.0.1:9/api"
    )
    assert found.code == 1
    assert "no Prefect server answers at http://127.0.0.1:9/api" in found.sentence
    assert Store(storage).verify().bad == []


def test_every_input_is_accounted_for_and_shown(lstm_music, tmp_path, recipe):
    music = write_pieces(tmp_path / "music", range(3))
    (music / "copy.mid").write_bytes(piece(1))
    (music / "empty.mid").write_bytes(b"")
    (music / "bell\x07.mid").write_bytes(b"text")
    (music / "read me.txt").write_text("no music")
    found = lstm_music("prepare", "--recipe", recipe, "--source", music, "--storage", tmp_path / "storage", "--json")
    assert found.code == 0
    counts = json.loads(found.out.splitlines()[-1])
    assert [counts[name] for name in ("pieces", "duplicates", "rejected")] == [3, 1, 2]
    assert "empty.mid" in found.errors
    assert "is empty" in found.errors
    assert "\x07" not in found.errors


def test_help_is_for_whoever_says_nothing(lstm_music):
    said = lstm_music()
    assert (said.code, said.errors) == (0, "")
    assert said.out == lstm_music("--help").out

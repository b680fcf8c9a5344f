"""The whole pipeline with its storage in a bucket of a real server."""

import json
import shutil
import time
from pathlib import Path

import pytest
from kill_run import contents
from program import COMMAND, Program

from lstm_music.store import Store

pytestmark = pytest.mark.slow

SOON_SECONDS = 120.0


@pytest.fixture
def settings(s3, tmp_path):
    return {**s3.settings, "LSTM_MUSIC_CACHE": str(tmp_path / "cache")}


def stored(s3, url, folder: Path):
    """What has to be the same in two storages, by copying the bucket to a folder, where it is storage, too."""
    for key, data in s3.contents(url).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    assert Store(folder).verify().bad == []
    # The lease of a process that ended while the server was away stays until it is too old.
    return {place: data for place, data in contents(folder).items() if not place.startswith(".leases/")}


def result_of(result) -> dict:
    assert result.code == 0, result.errors
    return json.loads(result.out.splitlines()[-1])


def begin(s3, tiny, tmp_path, *without: str) -> str:
    """Give the URL of a bucket that holds what a run made, but for some artifacts."""
    url = s3.new_bucket()
    folder = tiny.copy(tmp_path / "begun", *without)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and not file.relative_to(folder).as_posix().startswith("."):
            s3.put(f"{url}/{file.relative_to(folder).as_posix()}", file.read_bytes())
    return url


@pytest.mark.parametrize("from_nothing", [False, True])
@pytest.mark.operation  # a minute; the store and the sources have tests of their own against the server
def test_a_run_in_a_bucket_makes_what_it_makes_in_a_folder_and_every_command_works_there(
    s3, tiny, lstm_music, tmp_path, settings, from_nothing
):
    url = (
        s3.new_bucket() if from_nothing else begin(s3, tiny, tmp_path, "events", "duration", "scorecard", "generations")
    )
    arguments = [*tiny.arguments, "--storage", url, "--runner", "processes", "--json"]
    made = result_of(lstm_music("run", *arguments, **settings))
    assert stored(s3, url, tmp_path / "copy") == contents(tiny.storage)
    objects = {key: data for key, data in s3.contents(url).items() if key != "generations/index.html"}
    again = lstm_music("run", *arguments, PREFECT_API_URL="http://127.0.0.1:9", **settings)
    assert result_of(again) == made
    assert objects.items() <= s3.contents(url).items()
    assert Path(made["generate"]["page"]).exists()

    settings["LSTM_MUSIC_CACHE"] = str(tmp_path / "another machine")
    status = result_of(lstm_music("status", "--storage", url, "--json", **settings))
    assert (status["storage"], status["artifacts"]["model"], status["unfinished_trainings"]) == (url, 3, [])
    verified = result_of(lstm_music("verify", "--storage", url, "--json", **settings))
    assert (verified["artifacts"], verified["bad"]) == (sum(status["artifacts"].values()), [])
    music = ["generate", "--recipe", tiny.recipe, "--storage", url, "--json"]
    result_of(lstm_music(*music, "--random-seed", "5", "--output-dir", tmp_path / "music", **settings))
    assert len(list((tmp_path / "music").glob("result_*.mid"))) == 2
    assert len(list((tmp_path / "another machine").glob("*/generations/*"))) == 2  # this one, and the index of all

    weights = next(key for key in objects if key.endswith(".weights.h5"))
    s3.put(f"{url}/{weights}", b"spoilt")
    damaged = lstm_music("verify", "--storage", url, "--json", **settings)
    assert damaged.code == 6
    assert f"{url}/{weights}" in damaged.errors.splitlines()[-1]
    shutil.rmtree(settings["LSTM_MUSIC_CACHE"])
    refused = lstm_music(*music, "--random-seed", "6", **settings)
    assert refused.code == 6
    assert f"{url}/{weights}: 6 bytes instead of" in refused.errors.splitlines()[-1]


@pytest.mark.operation  # the store meets such a server in its own tests
def test_a_server_that_goes_away_in_the_middle_is_one_sentence_and_the_next_run_ends_the_work(
    s3, tiny, lstm_music, tmp_path, settings
):
    url = s3.new_bucket()
    arguments = ["train", "--model", "duration", *tiny.arguments, "--storage", url]
    run = Program(tmp_path / "cut", [COMMAND, *arguments], {**settings, "AWS_MAX_ATTEMPTS": "1"})
    begun = tmp_path / "cut" / "stderr"
    end = time.monotonic() + SOON_SECONDS
    while not list((tmp_path / "cache").glob("*/checkpoints/*")) and time.monotonic() < end:
        time.sleep(0.02)
    s3.go_away()
    try:
        run.finish()
    finally:
        s3.come_back()
    assert run.process.returncode == 6, begun.read_text()
    assert "Traceback" not in run.errors
    sentence = run.errors.splitlines()[-1]
    assert sentence.startswith(f"lstm-music: {url}/")
    assert sentence.endswith("finished work is kept, so run the same command again later")
    assert "Could not connect" in sentence
    kinds = {ref.split("/")[0] for ref in s3.contents(url)}
    assert "dataset" in kinds
    assert "model" not in kinds
    finished = lstm_music(*arguments, **settings)
    assert finished.code == 0, finished.errors
    made = stored(s3, url, tmp_path / "copy")
    assert any(place.startswith("model/") for place in made)
    whole = contents(tiny.storage)
    assert {place: whole.get(place) for place in made.keys() - {"current.json"}} == {
        place: data for place, data in made.items() if place != "current.json"
    }

"""Storage in a bucket of a real server: the same protocol, other machines, and everything that may go wrong."""

import os
import pickle
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import store_processes
from store_processes import STAGE, all_sorts, write_artifact

from lstm_music.errors import CorruptArtifactError, MissingArtifactError, StorageError, StorageVersionError
from lstm_music.store import BadFile, Stage, Store

NOT_COMPARED = {"provenance.json", ".lock", ".current-lock", ".links-lock"}


@pytest.fixture
def url(s3, machine):
    return s3.new_bucket()


def start(*command, **options):
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, store_processes.__file__, *command], env=paths, **options)


def assert_whole(s3, url):
    """No file is spoilt, and none but those of a manifest lies beside it."""
    store = Store(url)
    assert store.verify().bad == []
    keys = set(s3.contents(url))
    for artifact in store.artifacts():
        at = f"{artifact.ref.kind}/{artifact.ref.key}/"
        named = {entry["file"] for entry in artifact.manifest["files"].values()}
        assert {key.removeprefix(at) for key in keys if key.startswith(at)} == named | {
            "manifest.json",
            "provenance.json",
        }


def test_a_bucket_holds_what_a_folder_holds_under_the_same_names(s3, url, tmp_path):
    all_sorts(url)
    all_sorts(str(tmp_path / "storage"))
    paths = [path for path in (tmp_path / "storage").rglob("*") if path.is_file() and not path.is_symlink()]
    folder = {path.relative_to(tmp_path / "storage").as_posix(): path.read_bytes() for path in paths}
    bucket = s3.contents(url)
    assert {key for key in bucket if key.endswith("provenance.json")}
    assert {key: bucket[key] for key in bucket if key.rpartition("/")[2] not in NOT_COMPARED} == {
        key: folder[key] for key in folder if key.rpartition("/")[2] not in NOT_COMPARED
    }


def test_what_one_machine_made_another_reads_and_checks(s3, url, machine):
    all_sorts(url)
    cache = machine("second")
    store = Store(url)
    assert not cache.exists()  # nothing is fetched before it is needed
    assert (store.exists(), list(store.refs()), store.recipes()) == (True, [STAGE.ref], ["demo"])
    assert not cache.exists()
    paths = store.open(STAGE.ref).files("notes")
    assert [path.read_bytes() for path in paths] == [b"music" * number for number in (1, 2, 3)]
    assert all(path.is_relative_to(cache) for path in paths)
    assert store.open(STAGE.ref).provenance["python"]
    (sha256,) = (key.rpartition("/")[2] for key in s3.contents(url) if key.startswith("blobs/"))
    assert store.get_blob(sha256) == b"a blob"
    assert pickle.loads(pickle.dumps(store)).has(STAGE.ref)


def test_nothing_is_created_until_something_is_written(s3, url, machine):
    store = Store(url)
    assert (store.exists(), store.has(STAGE.ref), list(store.refs()), store.current("demo")) == (False, False, [], None)
    assert store.verify().files == 0
    with pytest.raises(MissingArtifactError, match=f"{url}/notes/.*: no finished artifact there"):
        store.open(STAGE.ref)
    with pytest.raises(MissingArtifactError, match="missing; ingest its source again"):
        store.get_blob("0" * 64)
    assert s3.contents(url) == {}
    assert not machine("first").exists()


def test_a_file_that_is_spoilt_or_lost_on_this_machine_is_fetched_again(url):
    all_sorts(url)
    artifact = Store(url).open(STAGE.ref)
    first, second, third = artifact.files("notes")
    first.write_bytes(b"MUSIC")
    second.unlink()
    third.write_bytes(b"")
    assert [path.read_bytes() for path in artifact.files("notes")] == [b"music" * number for number in (1, 2, 3)]


def test_a_blob_that_is_spoilt_on_this_machine_is_fetched_again(url):
    store = Store(url)
    sha256 = store.put_blob(b"a blob")
    path = store.root / "blobs" / sha256[:2] / sha256
    path.write_bytes(b"A BLOB")
    assert store.get_blob(sha256) == b"a blob"
    assert path.read_bytes() == b"a blob"


def test_a_file_that_is_spoilt_in_the_bucket_is_named_by_verify_and_refused_where_it_is_fetched(s3, url, machine):
    all_sorts(url)
    named, data = next((key, data) for key, data in s3.contents(url).items() if "notes-1" in key)
    s3.put(f"{url}/{named}", data.upper())
    reason = "its bytes are not those that were written (another SHA-256)"
    assert Store(url).verify().bad == [BadFile(f"{url}/{named}", reason)]
    assert Store(url).open(STAGE.ref).file("notes-1").read_bytes() == data  # this machine has the right bytes
    machine("second")
    with pytest.raises(CorruptArtifactError, match=f"^{url}/{named}: its bytes .*; delete the folder {url}/notes/"):
        Store(url).open(STAGE.ref).file("notes-1")


def test_every_spoilt_file_in_the_bucket_is_named(s3, url):
    all_sorts(url)
    for key, data in s3.contents(url).items():
        if key != "format.json":
            s3.put(f"{url}/{key}", bytes([data[0] ^ 1, *data[1:]]))
            assert [bad.path for bad in Store(url).verify().bad] == [f"{url}/{key}"]
            s3.put(f"{url}/{key}", data)
    assert Store(url).verify().bad == []


def test_the_first_of_two_writers_wins_and_both_go_on(s3, url):
    first, second = Store(url), Store(url)
    with second.write(STAGE) as late:
        late.file("pieces", "bin").write_bytes(b"late")
        with first.write(STAGE) as early:
            early.file("pieces", "bin").write_bytes(b"early")
    assert second.open(STAGE.ref).file("pieces").read_bytes() == b"early"
    assert_whole(s3, url)


@pytest.mark.parametrize("own", ["same", *(pytest.param(own, marks=pytest.mark.operation) for own in ("own", "plain"))])
def test_two_processes_that_write_the_same_at_once_both_succeed(s3, url, own):
    processes = [start("race", url, own, stdin=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        with process:
            pass
    assert [process.returncode for process in processes] == [0, 0]
    store = Store(url)
    assert len(list(store.refs("notes"))) == 20
    assert [store.current(f"{own}-{process.pid}") for process in processes] == [{"number": 19}] * 2
    assert_whole(s3, url)


def test_no_change_of_what_is_in_use_is_lost(url):
    barrier = threading.Barrier(4)

    def change(number):
        store = Store(url)
        barrier.wait()
        store.set_current(f"recipe-{number}", {"number": number})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    assert Store(url).recipes() == [f"recipe-{number}" for number in range(4)]


@pytest.mark.operation
def test_killed_at_any_time_a_bucket_is_whole_and_the_work_goes_on(s3, url):
    times = random.Random(2)
    for _ in range(4):
        with start("write_for_ever", url, stdout=subprocess.PIPE) as process:
            assert process.stdout.read(1) == b"."
            time.sleep(times.random())
            process.kill()
        assert Store(url).verify().bad == []
    assert list(Store(url).refs())
    with Store(url).session() as swept:
        assert swept >= 0
    assert list((Store(url).root / ".partial").iterdir()) == []


def test_a_store_that_does_not_keep_to_the_condition_is_refused(s3, machine):
    careless = s3.new_bucket("careless")
    with pytest.raises(StorageError, match="ignores the condition If-None-Match"):
        Store(careless).put_blob(b"a")


def test_a_store_that_asks_to_try_again_is_asked_again(s3, machine):
    busy = s3.new_bucket("busy")
    all_sorts(busy)
    assert Store(busy).has(STAGE.ref)


def test_a_bucket_of_another_version_is_refused(s3, url):
    s3.put(f"{url}/format.json", b'{"format": "lstm-music storage", "version": 2}')
    with pytest.raises(StorageVersionError, match=f"{url}/format.json: expected a storage of version 1, got version 2"):
        Store(url)


@pytest.mark.operation  # waits for the attempts of the client
def test_a_server_that_is_away_is_one_sentence_and_the_work_goes_on_when_it_is_back(s3, url, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # so that it is not asked for half a minute
    store = Store(url)
    write_artifact(store, STAGE, b"music")
    other = Stage("notes", 1, {"pieces": 4})
    s3.go_away()
    try:
        for call in (lambda: Store(url), lambda: store.has(STAGE.ref), lambda: list(store.refs("notes"))):
            with pytest.raises(StorageError, match=f"^{url}/.*Could not connect .*run the same command again"):
                call()
        with pytest.raises(StorageError, match="Could not connect"):
            write_artifact(store, other, b"more")
    finally:
        s3.come_back()
    assert not store.has(other.ref)
    write_artifact(store, other, b"more")
    assert_whole(s3, url)


def test_a_bucket_that_is_not_there_is_said_when_it_is_written_to(machine):
    store = Store("s3://no-such-bucket/storage")
    assert not store.exists()
    with pytest.raises(StorageError, match=r"cannot be written .*bucket.*; create the bucket first"):
        store.put_blob(b"a")


def test_missing_credentials_are_said(url):
    look = "from lstm_music.store import Store; import sys; Store(sys.argv[1])"
    without = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    without |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": os.devnull, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", look, url], env=without, capture_output=True, text=True, check=False)
    assert "access denied (Unable to locate credentials); give credentials" in done.stderr


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("memory://storage", "exists in one process"),
        ("jupyter://host/", "jupyter:// cannot be used here"),
        ("generic://x", "generic:// cannot be used here"),
        ("nonsense://storage", "got the unknown protocol"),
        ("s3://key:secret@bucket/storage", "expected an address without credentials"),
        (
            "https://host/music/?token=secret",
            r"^https://host/…: expected an address without '\?' and '#', .*; leave them out$",
        ),
        ("HTTP://host/music#secret", "may hold credentials that would end up in logs"),
        ("abfs://container/music?sig=secret", "may hold credentials that would end up in logs"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_secrets(address, sentence):
    with pytest.raises(StorageError, match=sentence) as raised:
        Store(address)
    assert "secret" not in str(raised.value)


def test_a_file_url_is_a_folder(tmp_path):
    Store((tmp_path / "of mine").as_uri()).put_blob(b"a")
    assert (tmp_path / "of mine" / "format.json").exists()


def test_what_is_kept_of_a_training_is_seen_elsewhere_once_it_is_shared(s3, url, machine, tmp_path):
    store = Store(url)
    store.put_blob(b"a")
    path = store.training_file("key.npz")
    path.parent.mkdir()
    path.write_bytes(b"state")
    assert store.training_files() == []
    store.share_training_file("key.npz")
    machine("second")
    other = Store(url)
    assert other.training_files() == ["key.npz"]
    assert other.copy_training_file("key.npz", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"state"
    other.drop_training_file("key.npz")
    assert not store.copy_training_file("key.npz", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert store.training_files() == []
    assert other.verify().bad == []


def test_a_key_may_hold_what_marks_a_query_elsewhere(s3, url):
    store = Store(f"{url}/what?#1")
    sha256 = store.put_blob(b"a")
    assert f"what?#1/blobs/{sha256[:2]}/{sha256}" in s3.contents(url)
    assert Store(store.where).verify().bad == []

import errno
import hashlib
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstm_music.errors import CorruptArtifactError, MissingArtifactError, StorageError, StorageVersionError
from lstm_music.store import Stage, Store, blobs, files
from lstm_music.store.folder import Folder


def test_a_store_creates_nothing_until_it_is_written_to(tmp_path, stage):
    store = Store(tmp_path / "storage")
    assert not store.has(stage.ref)
    assert list(store.artifacts()) == []
    assert store.current("demo") is None
    assert store.verify().files == 0
    assert list(tmp_path.iterdir()) == []


def test_a_store_travels_to_other_processes(store, artifact):
    assert pickle.loads(pickle.dumps(store)).has(artifact.ref)


def test_its_address_is_the_same_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store("music").address == Store(tmp_path / "music").address == str(tmp_path / "music")
    assert Store(f"file://{tmp_path}/music").address == str(tmp_path / "music")


def test_a_store_in_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="storage: expected a folder, got the file"):
        Store(tmp_path / "file")


def test_a_folder_that_holds_other_things_can_become_a_store(tmp_path):
    (tmp_path / "README.md").touch()
    assert Store(tmp_path).put_blob(b"a")
    assert list(Store(tmp_path).artifacts()) == []


def test_a_store_of_another_version_is_refused(store):
    store.put_blob(b"a")
    (store.root / "format.json").write_text('{"format": "lstm-music storage", "version": 2}')
    with pytest.raises(StorageVersionError, match=r"format\.json: expected a storage of version 1, got version 2;"):
        Store(store.root)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b'{"version": "x"}'])
def test_a_store_whose_version_cannot_be_read_is_refused(store, data):
    store.put_blob(b"a")
    (store.root / "format.json").write_bytes(data)
    with pytest.raises(CorruptArtifactError, match=r"format\.json: damaged; expected"):
        Store(store.root)


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Not a directory; give the storage a writable folder"):
        Store(tmp_path / "file" / "storage").put_blob(b"a")


def test_a_version_that_may_not_be_read_is_said_in_one_sentence(store):
    (store.root / "format.json").mkdir(parents=True)
    with pytest.raises(StorageError, match="Is a directory"):
        Store(store.root)


def test_artifacts_come_by_kind_and_key(store):
    stages = [Stage(kind, 1, {"n": n}) for kind in ("notes", "events") for n in range(3)]
    for stage in stages:
        with store.write(stage):
            pass
    store.put_blob(b"a")
    assert [artifact.ref for artifact in store.artifacts()] == sorted(stage.ref for stage in stages)
    assert [artifact.ref.kind for artifact in store.artifacts("events")] == ["events"] * 3
    assert list(store.artifacts("blobs")) == []
    assert list(store.artifacts("absent")) == []


def test_an_artifact_without_a_manifest_does_not_exist(store, artifact):
    (artifact.folder / "manifest.json").unlink()
    assert not store.has(artifact.ref)
    assert list(store.artifacts()) == []
    with pytest.raises(MissingArtifactError):
        store.open(artifact.ref)


@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)) * 1000], ids=len)
def test_a_blob_comes_back(store, data):
    sha256 = store.put_blob(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert store.get_blob(sha256) == data
    assert (store.root / "blobs" / sha256[:2] / sha256).read_bytes() == data


def test_a_blob_is_written_once(store):
    path = store.root / "blobs" / "ca" / store.put_blob(b"a")
    before = path.stat().st_ino
    store.put_blob(b"a")
    assert path.stat().st_ino == before


def test_many_blobs_are_all_there_at_the_end(store):
    contents = [b"%d" % (number % 150) for number in range(300)]
    with store.blobs() as put:
        names = [put(data) for data in contents]
    assert [store.get_blob(name) for name in names] == contents
    assert list((store.root / ".partial").iterdir()) == []


def test_the_folders_of_many_blobs_are_synced_once_when_all_are_written(store, monkeypatch):
    contents = [b"%d" % number for number in range(300)]
    synced = {}

    def sync(path):
        synced.setdefault(path, []).append(len(list((store.root / "blobs").glob("*/*"))))

    monkeypatch.setattr(files, "sync", sync)
    with store.blobs() as put:
        for data in contents:
            put(data)
    folders = [*(store.root / "blobs").iterdir()]
    assert [synced[folder] for folder in folders] == [[300]] * len(folders)


def test_a_blob_among_many_that_cannot_be_written_is_told(store):
    store.root.mkdir(exist_ok=True)
    (store.root / "blobs").write_bytes(b"a file, where a folder has to be")
    with pytest.raises(StorageError, match="storage"), store.blobs() as put:
        put(b"a")


class GatedPool(ThreadPoolExecutor):
    """Threads whose writes wait for a gate, which opens when the pool is told to end."""

    gate = threading.Event()

    def submit(self, write, *arguments):
        return super().submit(lambda: (self.gate.wait(), write(*arguments))[1])

    def shutdown(self, wait=True, *, cancel_futures=False):
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        self.gate.set()
        super().shutdown(wait=wait)


@pytest.fixture
def gate(monkeypatch):
    GatedPool.gate = threading.Event()
    monkeypatch.setattr(blobs, "ThreadPoolExecutor", GatedPool)
    return GatedPool.gate


def test_no_more_than_so_many_bytes_wait_to_be_written(store, gate, monkeypatch):
    monkeypatch.setattr(blobs, "MOST_PENDING_BYTES", 10)
    written = []
    monkeypatch.setattr(blobs, "write", lambda _backend, _sha256, data, _folder: written.append(len(data)))
    monkeypatch.setattr(Folder, "settle", lambda _self, _folders: None)  # where nothing was written
    opens = threading.Timer(0.2, gate.set)
    opens.start()
    with store.blobs() as put:
        for number in range(1, 20):
            put(b"four")
            assert 4 * number - sum(written) <= 10
        put(b"larger than all that may wait")
    assert len(written) == 20
    opens.join()


def test_who_leaves_by_an_error_does_not_wait_for_writes_that_have_not_begun(store, gate):
    def contents():
        yield from (b"%d" % number for number in range(20))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.blobs() as put:
        list(map(put, contents()))
    assert len(list((store.root / "blobs").glob("*/*"))) <= blobs.WRITERS
    assert list((store.root / ".partial").iterdir()) == []


def test_an_error_of_whoever_reads_the_bytes_stays_what_it_is(store):
    def contents():
        yield b"a"
        raise PermissionError(errno.EACCES, "Permission denied", str(store.root / "inbox" / "a.mid"))

    with pytest.raises(PermissionError, match="Permission denied"), store.blobs() as put:
        list(map(put, contents()))


def test_a_single_blob_starts_no_thread(store, monkeypatch):
    monkeypatch.setattr(blobs, "ThreadPoolExecutor", None)
    assert store.get_blob(store.put_blob(b"a")) == b"a"


def test_a_spoilt_blob_is_refused_and_mended_when_it_is_put_again(store):
    sha256 = store.put_blob(b"a")
    (store.root / "blobs" / "ca" / sha256).write_bytes(b"b")
    with pytest.raises(CorruptArtifactError, match="ingest its source again"):
        store.get_blob(sha256)
    store.put_blob(b"a")
    assert store.get_blob(sha256) == b"a"


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "0" * 63])
def test_a_blob_that_was_never_kept_is_missing(store, name):
    with pytest.raises(MissingArtifactError):
        store.get_blob(name)


def test_a_blob_that_cannot_be_read_is_refused(store):
    (store.root / "blobs" / "00" / ("0" * 64)).mkdir(parents=True)
    with pytest.raises(CorruptArtifactError, match="cannot be read"):
        store.get_blob("0" * 64)


def test_current_keeps_what_other_recipes_use(store):
    store.set_current("demo", {"model": "a"})
    store.set_current("default", {"model": "b"})
    store.set_current("demo", {"model": "c"})
    assert store.current("demo") == {"model": "c"}
    assert store.current("default") == {"model": "b"}
    assert store.current("seed") is None


def test_a_spoilt_current_is_refused_and_never_written_over(store):
    store.set_current("demo", {"model": "a"})
    path = store.root / "current.json"
    path.write_text(path.read_text().replace('"a"', '"b"'))
    for call in (lambda: store.current("demo"), lambda: store.set_current("seed", {})):
        with pytest.raises(CorruptArtifactError, match=r"current\.json: .*; run `lstm-music repair`"):
            call()
    assert '"b"' in path.read_text()


def test_what_current_cannot_hold_leaves_it_as_it_was(store):
    store.set_current("demo", {"model": "a"})
    with pytest.raises(StorageError):
        store.set_current("demo", {"loss": float("nan")})
    assert store.current("demo") == {"model": "a"}


def test_reading_changes_nothing(store, artifact):
    sha256 = store.put_blob(b"a")
    store.set_current("demo", {})
    before = {path: path.stat().st_mtime_ns for path in [store.root, *store.root.rglob("*")]}
    reader = Store(store.root)
    assert reader.open(artifact.ref).file("pieces").read_bytes() == b"pieces"
    assert (reader.get_blob(sha256), reader.current("demo"), reader.verify().bad) == (b"a", {}, [])
    assert {path: path.stat().st_mtime_ns for path in [store.root, *store.root.rglob("*")]} == before

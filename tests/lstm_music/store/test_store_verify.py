import pytest

from lstm_music.errors import CorruptArtifactError, StorageError
from lstm_music.store import BadFile, Store, VerifyReport
from lstm_music.store import folder as folder_module


@pytest.fixture
def full_store(store, artifact):
    """A store with one of everything."""
    store.put_blob(b"raw bytes of a piece")
    store.set_current("demo", {"model": artifact.ref.to_json()})
    return store


def data_files(root):
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))


def test_a_whole_store_has_nothing_bad(full_store):
    # three files, a manifest, a provenance, a blob and current.json
    assert full_store.verify() == VerifyReport(artifacts=1, files=7, bad=[])


def test_progress_counts_up_to_all_files(full_store):
    told = []
    full_store.verify(lambda done, total: told.append((done, total)))
    assert told == [(done, 7) for done in range(1, 8)]


def test_any_flipped_bit_is_named(full_store):
    paths = data_files(full_store.root)
    assert len(paths) == 8
    for path in paths:
        data = path.read_bytes()
        for position in range(0, len(data), 1 + len(data) // 60):
            flipped = bytearray(data)
            flipped[position] ^= 1 << position % 8
            path.write_bytes(flipped)
            if path.name == "format.json":
                with pytest.raises(StorageError, match=f"^{path}: "):
                    Store(full_store.root)
            else:
                assert [bad.path for bad in full_store.verify().bad] == [path]
        path.write_bytes(data)
    assert full_store.verify().bad == []


def test_files_are_read_again_even_if_this_process_read_them_before(full_store, artifact, monkeypatch):
    artifact.files()
    fresh = []
    real = folder_module.fault
    monkeypatch.setattr(folder_module, "fault", lambda *args, **how: fresh.append(how["fresh"]) or real(*args, **how))
    full_store.verify()
    assert fresh == [True] * 3


def test_every_lost_file_is_named(full_store, artifact):
    for path in artifact.folder.iterdir():
        if path.name != "manifest.json":
            path.unlink()
    bad = full_store.verify().bad
    assert {file.path.name.partition("-")[0] for file in bad} == {"notes", "pieces", "provenance.json"}
    assert all(file.reason.startswith(("missing", "cannot be read (No such file")) for file in bad)


def test_a_bad_manifest_is_the_one_thing_said_of_its_artifact(full_store, artifact):
    (artifact.folder / "manifest.json").write_bytes(b"{}")
    artifact.file("pieces").unlink()
    report = full_store.verify()
    assert report.bad == [
        BadFile(
            artifact.folder / "manifest.json",
            f"its 2 bytes are not those that were written; delete the folder {artifact.folder} and run again",
        )
    ]


def test_an_unfinished_artifact_is_not_bad(full_store, artifact):
    (artifact.folder / "manifest.json").unlink()
    assert full_store.verify() == VerifyReport(artifacts=0, files=2, bad=[])


@pytest.mark.parametrize("name", ["ab/stranger", "00/" + "ab" * 32])
def test_what_is_no_blob_among_the_blobs_is_bad(full_store, name):
    path = full_store.root / "blobs" / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert full_store.verify().bad == [
        BadFile(path, "not a blob: expected a SHA-256 as name, in the folder of its first two digits")
    ]


def test_a_blob_that_cannot_be_read_is_bad(full_store):
    path = full_store.root / "blobs" / "00" / ("0" * 64)
    path.mkdir(parents=True)
    assert full_store.verify().bad == [BadFile(path, "cannot be read (Is a directory)")]


def test_another_file_of_the_storage_is_no_current_file(full_store, artifact):
    full_store.set_current("demo", {"prepared": {}})
    (full_store.root / "current.json").write_bytes((artifact.folder / "provenance.json").read_bytes())
    (bad,) = full_store.verify().bad
    assert bad.reason == "is another file of the storage"
    with pytest.raises(
        CorruptArtifactError, match="expected the facts of recipes, found other content; run `lstm-music"
    ):
        full_store.current("demo")

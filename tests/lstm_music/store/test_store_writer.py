import hashlib
import json
from pathlib import Path

import pytest

from lstm_music.errors import StorageError
from lstm_music.store import Stage


def folder_of(store, stage):
    return store.root / stage.kind / stage.ref.key


def everything(store):
    """What lies in storage beside its lock and the file that tells its version."""
    own = {".lock", ".partial", "format.json"}
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*")} - own


def test_files_are_named_by_their_digest(artifact):
    digest = hashlib.sha256(b"pieces").hexdigest()
    assert (artifact.folder / f"pieces-{digest[:16]}.parquet").read_bytes() == b"pieces"
    entry = artifact.manifest["files"]["pieces.parquet"]
    assert entry == {"name": "pieces", "file": f"pieces-{digest[:16]}.parquet", "sha256": digest, "bytes": 6}


def test_nothing_but_the_artifact_is_left(store, artifact):
    inside = {path.name for path in artifact.folder.iterdir()}
    assert len(inside) == 5
    assert {"manifest.json", "provenance.json"} < inside
    assert everything(store) == {"notes", f"notes/{artifact.ref.key}"} | {
        f"notes/{artifact.ref.key}/{name}" for name in inside
    }


def test_an_extension_may_have_dots(store, stage):
    with store.write(stage) as writer:
        path = writer.file("model", "weights.h5")
        assert path.name == "model.weights.h5"
        path.touch()
    assert store.open(stage.ref).file("model").name == "model-e3b0c44298fc1c14.weights.h5"


def test_plain_names_stay_plain(store):
    stage = Stage("music", 1, {}, plain_names=True)
    with store.write(stage) as writer:
        writer.file("piece-1", "mid").write_bytes(b"midi")
    assert store.open(stage.ref).file("piece-1") == folder_of(store, stage) / "piece-1.mid"


def test_the_manifest_is_the_same_bytes_every_time_and_tells_no_time_or_place(store, stage, tmp_path):
    manifests = []
    for root in ("one", "two"):
        other = type(store)(tmp_path / root)
        with other.write(stage) as writer:
            for name in ("a", "b") if root == "one" else ("b", "a"):
                writer.file(name, "bin").write_bytes(name.encode())
                writer.counts[name] = 1
        manifests.append((folder_of(other, stage) / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]
    assert set(json.loads(manifests[0])) == {
        "kind", "format_version", "spec", "inputs", "libraries", "files", "counts", "facts", "sha256",
    }  # fmt: skip


def test_time_and_platform_stand_in_the_provenance(artifact):
    provenance = json.loads((artifact.folder / "provenance.json").read_bytes())
    assert set(provenance) == {"started", "duration_seconds", "python", "platform", "code", "artifact", "sha256"}
    assert provenance["duration_seconds"] >= 0


def write_and(store, stage, act):
    """Write an artifact of one file and call `act` with its writer before the end."""
    with store.write(stage) as writer:
        writer.file("notes", "bin").write_bytes(b"half")
        act(writer)


def raising(error):
    def act(_writer):
        raise error

    return act


def fill_the_disk(_writer):
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"more")


@pytest.mark.parametrize(
    ("act", "error", "sentence"),
    [
        (raising(ValueError("of the caller")), ValueError, "of the caller"),
        (raising(KeyboardInterrupt("of the user")), KeyboardInterrupt, "of the user"),
        (
            lambda writer: writer.file("more", "bin"),
            StorageError,
            r"the file more\.bin was requested and never written",
        ),
        (lambda writer: writer.counts.update(notes=float("nan")), StorageError, "expected text, finite numbers"),
        (lambda writer: writer.facts.update(notes={1, 2}), StorageError, "expected text, finite numbers"),
        (fill_the_disk, StorageError, "No space left on device; give the storage"),
    ],
    ids=["error", "interrupt", "unwritten file", "nan", "set", "full disk"],
)
def test_on_an_exception_nothing_is_left(store, stage, act, error, sentence):
    with pytest.raises(error, match=sentence):
        write_and(store, stage, act)
    assert everything(store) == set()
    assert not store.has(stage.ref)


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        *[(name, "mid") for name in ("", "../a", "a/b", ".a", "a\x00", "a\n", "a" * 151, "é")],
        *[("a", extension) for extension in ("", "../mid", ".mid", "mid\n", "a/b")],
    ],
)
def test_a_name_that_is_no_safe_file_name_is_refused(store, stage, name, extension):
    with store.write(stage) as writer, pytest.raises(StorageError, match="file name: expected letters"):
        writer.file(name, extension)


@pytest.mark.parametrize(
    ("name", "extension"), [("a", "b.c"), ("a.b", "c"), ("manifest", "json"), ("provenance", "json")]
)
def test_a_name_that_is_taken_is_refused(store, stage, name, extension):
    with store.write(stage) as writer:
        writer.file("a", "b.c").touch()
        with pytest.raises(StorageError, match="is taken; give each file"):
            writer.file(name, extension)


def test_who_comes_second_leaves_what_is_there(store, stage, artifact):
    before = {path: path.read_bytes() for path in artifact.folder.iterdir()}
    with store.write(stage) as writer:
        writer.file("notes", "bin").write_bytes(b"other bytes")
    assert {path: path.read_bytes() for path in artifact.folder.iterdir()} == before


def test_who_is_overtaken_while_committing_leaves_what_is_there(store, stage, monkeypatch):
    with store.write(stage) as slow:
        slow.file("notes", "bin").write_bytes(b"slow")
        slow.file("same", "bin").write_bytes(b"same")
        real = slow._provenance

        def overtaken():
            monkeypatch.undo()
            with store.write(stage) as fast:
                fast.file("notes", "bin").write_bytes(b"fast")
                fast.file("same", "bin").write_bytes(b"same")
            return real()

        monkeypatch.setattr(slow, "_provenance", overtaken)
    artifact = store.open(stage.ref)
    assert [path.read_bytes() for path in artifact.files()] == [b"fast", b"same"]
    assert len(list(artifact.folder.iterdir())) == 4
    assert store.verify().bad == []

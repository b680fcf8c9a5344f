"""A folder that somebody holds alone: who uses it is named, and the holder's own writes go on."""

import os
import threading

import pytest

from lstm_music.errors import StorageError
from lstm_music.store import Store


def test_whoever_uses_the_store_is_named(store):
    with store.session(), pytest.raises(StorageError, match=rf"in use by .*process {os.getpid()}\); wait until"):  # noqa: SIM117
        with Store(store.root).alone():
            pass


def test_waiting_for_others_ends_when_they_end(store):
    held, waiting, order = threading.Event(), threading.Event(), []

    def use():
        with Store(store.root).session():
            held.set()
            waiting.wait(10)
            order.append("session")

    user = threading.Thread(target=use)
    user.start()
    assert held.wait(10)
    waiting.set()
    with store.alone(wait=True):
        order.append("alone")
    user.join()
    assert order == ["session", "alone"]


def test_an_artifact_goes_with_its_manifest_first(store, artifact, monkeypatch):
    from lstm_music.store import files

    seen = []
    real = files.remove
    monkeypatch.setattr(files, "remove", lambda path: (seen.append((path, store.has(artifact.ref))), real(path)))
    with store.alone():
        store.remove(f"{artifact.ref.kind}/{artifact.ref.key}")
        sha256 = store.put_blob(b"raw bytes")
        store.remove(f"blobs/{sha256[:2]}/{sha256}")
    assert seen == [(artifact.folder, False)]
    assert not artifact.folder.exists()
    assert store.entries().keys() == {"format.json"}
    with store.session():  # others may come again
        pass


def test_nothing_is_removed_beside_others(store, artifact):
    with pytest.raises(AssertionError):
        store.remove(f"{artifact.ref.kind}/{artifact.ref.key}")


def test_what_a_killed_process_left_is_swept(store):
    left = store.root / ".partial" / "left"
    with store.alone():
        pass
    left.mkdir()
    with store.alone():
        assert not left.exists()

"""Links for people: relative, replaced in one step, never over what is not a link, and harmless to the store."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lstm_music.store import Stage, Store, locks


@pytest.fixture
def keys(store, artifact):
    return artifact.file_keys()


def link(store, **targets):
    store.link("latest", lambda: {f"{name}.parquet": keys for name, keys in targets.items()})


def test_the_keys_of_an_artifact_are_those_of_its_files(store, artifact):
    assert [store.root / key for key in artifact.file_keys()] == artifact.files()
    assert artifact.file_keys("pieces") == [artifact.file("pieces").relative_to(store.root).as_posix()]


def test_a_link_leads_to_a_file_also_after_the_storage_was_moved(store, artifact, tmp_path):
    link(store, pieces=artifact.file_keys("pieces"))
    path = store.root / "latest" / "pieces.parquet"
    assert path.is_symlink()
    assert path.read_bytes() == b"pieces"
    (tmp_path / "elsewhere").mkdir()
    moved = store.root.rename(tmp_path / "elsewhere" / "moved")
    assert (moved / "latest" / "pieces.parquet").read_bytes() == b"pieces"


def test_several_files_are_a_folder_of_links_that_is_replaced_in_one_step(store, artifact, keys):
    shards = artifact.file_keys("notes")
    path = store.root / "latest" / "notes.parquet"
    link(store, notes=shards)
    assert [one.read_bytes() for one in sorted(path.iterdir())] == [b"first shard", b"second shard"]
    link(store, notes=shards[:1])
    assert path.read_bytes() == b"first shard"
    assert os.listdir(store.root / "latest" / ".parts") == []  # noqa: PTH208  with what is hidden
    link(store, notes=shards)
    link(store, notes=keys)
    assert len(list(path.iterdir())) == 3
    assert len(os.listdir(store.root / "latest" / ".parts")) == 1  # noqa: PTH208


def test_what_is_no_link_stays_and_a_link_to_what_is_gone_goes(store, artifact):
    folder = store.root / "latest"
    folder.mkdir()
    (folder / "pieces.parquet").write_text("mine")
    (folder / "favourite").symlink_to("../notes")
    (folder / "gone").symlink_to("nowhere")
    (folder / "disk").symlink_to("/not/mounted/now")
    link(store, pieces=artifact.file_keys("pieces"))
    assert (folder / "pieces.parquet").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == [".links-lock", "disk", "favourite", "pieces.parquet"]


def test_links_are_no_artifacts_and_nobody_trips_over_them(store, artifact):
    kind, key = artifact.ref.kind, artifact.ref.key
    store.link(kind, lambda: {"latest": [f"{kind}/{key}"], "2026-11-28_demo_1": [f"{kind}/{key}"]})
    link(store, pieces=artifact.file_keys("pieces"))
    assert list(store.refs()) == [artifact.ref]
    assert store.verify() == Store(store.root).verify()
    assert (store.verify().artifacts, store.verify().bad) == (1, [])
    with store.session() as swept:
        assert swept == 0
    assert store.linked(f"{kind}/latest", f"{kind}/{key}") == store.root / kind / "latest"
    assert store.linked(f"{kind}/other", f"{kind}/{key}") is None


def test_a_file_system_without_links_has_none_and_says_nothing(store, artifact, monkeypatch):
    def refused(self: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(self))

    monkeypatch.setattr(Path, "symlink_to", refused)
    link(store, pieces=artifact.file_keys("pieces"), notes=artifact.file_keys("notes"))
    assert store.linked("latest/pieces.parquet", artifact.file_keys("pieces")[0]) is None
    assert [path.name for path in (store.root / "latest").iterdir()] == [".links-lock"]


def test_a_link_that_is_right_is_not_made_again(store, artifact):
    link(store, pieces=artifact.file_keys("pieces"))
    before = os.lstat(store.root / "latest" / "pieces.parquet")
    link(store, pieces=artifact.file_keys("pieces"))
    assert os.lstat(store.root / "latest" / "pieces.parquet") == before


def test_threads_that_link_at_once_leave_the_state_that_was_there_last(store):
    stages = [Stage("notes", 1, {"number": number}) for number in range(8)]
    for stage in stages:
        with store.write(stage) as writer:
            writer.file("pieces", "parquet").write_bytes(stage.ref.key.encode())
    state, barrier = [], threading.Barrier(8)

    def work(stage):
        barrier.wait()
        with locks.exclusive(store.root / "state"):
            state.append(stage.ref)
        store.link("latest", lambda: {"pieces.parquet": store.open(state[-1]).file_keys("pieces")})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, stages))
    assert (store.root / "latest" / "pieces.parquet").read_text() == state[-1].key

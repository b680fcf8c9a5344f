"""A storage of an earlier version is converted step by step, and one that nothing converts is refused in one sentence."""

import pytest

from lstm_music.errors import StorageVersionError
from lstm_music.store import Store, versions
from lstm_music.store.versions import conversions, format_of, migrate


@pytest.fixture
def old(store):
    """A storage of two versions before."""
    store.put_blob(b"bytes")
    (store.root / "format.json").write_bytes(format_of(-1))
    return store.root


def test_an_older_storage_is_pointed_to_migrate_and_a_newer_one_is_not(old):
    with pytest.raises(StorageVersionError, match=r"got version -1; convert it with `lstm-music migrate`"):
        Store(old)
    (old / "format.json").write_bytes(format_of(99))
    with pytest.raises(StorageVersionError, match=r"got version 99; give another folder"):
        Store(old)
    with pytest.raises(StorageVersionError, match=r"expected a storage of version 1, got version 99; use the release"):
        conversions(old)


def test_a_version_without_a_converter_is_refused_and_left(old):
    with pytest.raises(StorageVersionError, match="got version -1; use the release of this project that wrote it"):
        migrate(old)
    assert (old / "format.json").read_bytes() == format_of(-1)


def test_one_version_after_another_is_converted_and_a_kill_goes_on_from_there(old, monkeypatch):
    done = []

    def convert(name):
        def converter(backend, folder):
            assert backend.holds("format.json")
            assert folder.is_dir()
            if name in fails:
                raise InterruptedError
            done.append(name)

        return converter

    fails = {"second"}
    monkeypatch.setattr(versions, "CONVERTERS", {-1: convert("first"), 0: convert("second")})
    assert conversions(old) == [-1, 0]
    with pytest.raises(InterruptedError):
        migrate(old)
    assert (old / "format.json").read_bytes() == format_of(0)
    fails.clear()
    assert migrate(old) == [0]
    assert done == ["first", "second"]
    assert Store(old).is_begun()
    assert migrate(old) == []

"""Leases in a bucket: who may be there with whom, and what becomes of leases whose processes are gone or asleep."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstm_music.errors import StorageError
from lstm_music.store import Store, leases
from lstm_music.store.files import Entry
from lstm_music.store.leases import FOLDER, LIFE_SECONDS, RENEW_SECONDS, Leases


class Objects:
    """A bucket whose clock a test sets; the clocks of machines go with it."""

    def __init__(self):
        self.now = 1000.0
        self.found = {}
        self.after_put = lambda: None

    def put(self, key, data):
        self.found[key] = (data, self.now)
        self.after_put()

    def listed(self, key):
        return {name: Entry(len(data), when) for name, (data, when) in self.found.items() if name.startswith(key)}

    def read(self, key):
        return self.found[key][0]

    def remove(self, key):
        self.found.pop(key, None)

    def shown(self, key):
        return f"s3://bucket/{key}"


@pytest.fixture
def bucket(monkeypatch):
    objects = Objects()
    monkeypatch.setattr(leases, "_now", lambda: objects.now)
    return objects


def test_sessions_share_a_bucket_and_leave_nothing(bucket):
    with Leases(bucket).session(), Leases(bucket).session():
        assert len(bucket.found) == 2
    assert bucket.found == {}


def test_nobody_has_a_bucket_alone_beside_a_session(bucket):
    with (
        Leases(bucket).session(),
        pytest.raises(StorageError, match=r"in use by .*\(process \d+ on .*\); wait until they end, or give --wait"),
        Leases(bucket).alone(wait=False),
    ):
        pass
    with Leases(bucket).alone(wait=False), pytest.raises(StorageError), Leases(bucket).alone(wait=False):
        pass
    assert bucket.found == {}


def test_a_session_that_begins_while_somebody_begins_to_be_alone_is_seen(bucket):
    """The two write at the same moment: each sees the other, and the one that does not wait gives up."""
    session = Leases(bucket).session()

    def begin_session():
        bucket.after_put = lambda: None
        bucket.put(f"{FOLDER}/session-other.json", b"{}")

    bucket.after_put = begin_session
    with pytest.raises(StorageError), Leases(bucket).alone(wait=False):
        pass
    with session:
        assert len(bucket.found) == 2


def test_a_session_waits_for_the_one_that_is_alone(bucket, monkeypatch):
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.01)
    order, waits = [], threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with Leases(bucket).alone(wait=False):
            bucket.after_put = waits.set

            def session():
                with Leases(bucket).session():
                    order.append("session")

            running = pool.submit(session)
            assert waits.wait(10)
            order.append("alone")
        running.result(10)
    assert order == ["alone", "session"]


def test_the_lease_of_a_killed_process_is_passed_over_and_removed(bucket):
    bucket.put(f"{FOLDER}/session-killed.json", b"{}")
    bucket.now += LIFE_SECONDS - 1
    with pytest.raises(StorageError), Leases(bucket).alone(wait=False):
        pass
    bucket.now += 2
    with Leases(bucket).alone(wait=False):
        assert f"{FOLDER}/session-killed.json" not in bucket.found


def test_a_process_that_slept_for_too_long_writes_no_more(bucket):
    own = Leases(bucket)
    with own.session():
        own.require_alive()
        bucket.now += LIFE_SECONDS - RENEW_SECONDS + 1
        with pytest.raises(StorageError, match="was away for longer than its lease"):
            own.require_alive()
        own._held[0].renew()  # too late: others may have been alone meanwhile
        with pytest.raises(StorageError):
            own.require_alive()
    with own.session():
        own.require_alive()


def test_a_renewed_lease_lives_on(bucket):
    own = Leases(bucket)
    with own.session():
        for _ in range(10):
            bucket.now += RENEW_SECONDS
            own._held[0].renew()
        own.require_alive()
        with pytest.raises(StorageError), Leases(bucket).alone(wait=False):
            pass


@pytest.mark.slow
def test_sessions_of_a_real_bucket_exclude_a_removal_and_leave_nothing(s3, machine):
    url = s3.new_bucket()
    first, second = Store(url), Store(url)
    sha256 = first.put_blob(b"bytes")
    with first.session():
        assert any(key.startswith(f"{FOLDER}/session-") for key in s3.contents(url))
        with pytest.raises(StorageError, match="in use by"), second.alone():
            pass
        assert first.entries().keys() == {"format.json", f"blobs/{sha256[:2]}/{sha256}"}
    with second.alone():
        second.remove(f"blobs/{sha256[:2]}/{sha256}")
        second.put_blob(b"its own writes go on")
    assert set(s3.contents(url)) & {f"blobs/{sha256[:2]}/{sha256}"} == set()
    assert not any(key.startswith(FOLDER) for key in s3.contents(url))

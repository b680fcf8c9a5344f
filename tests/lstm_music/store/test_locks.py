import threading

import pytest

from lstm_music.store import locks


def test_a_lock_is_shared_by_many_and_then_not_to_be_had_alone(tmp_path):
    lock = tmp_path / "lock"
    with locks.shared(lock), locks.shared(lock), locks.exclusive_if_free(lock) as alone:
        assert not alone


def test_a_lock_that_is_free_is_had_alone_by_one(tmp_path):
    lock = tmp_path / "lock"
    with locks.exclusive_if_free(lock) as first, locks.exclusive_if_free(lock) as second:
        assert first
        assert not second


def test_a_lock_is_free_again_after_an_error(tmp_path):
    lock = tmp_path / "lock"
    with pytest.raises(ValueError, match="inside"), locks.exclusive(lock):
        raise ValueError("inside")
    with locks.exclusive_if_free(lock) as alone:
        assert alone


def test_who_wants_a_lock_alone_waits_for_the_others(tmp_path):
    lock = tmp_path / "lock"
    order = []

    def work():
        with locks.exclusive(lock):
            order.append("alone")

    with locks.shared(lock):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(timeout=0.1)
        order.append("shared")
    thread.join()
    assert order == ["shared", "alone"]


def test_an_error_inside_is_not_taken_for_a_lock_in_use(tmp_path):
    with pytest.raises(BlockingIOError, match="of the caller"), locks.exclusive_if_free(tmp_path / "lock"):
        raise BlockingIOError("of the caller")

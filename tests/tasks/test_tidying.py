from flows.tidy import tidy
from tasks.tidying import prune


def test_the_task_prunes_by_hand_and_says_what_it_did(tmp_path):
    from lstm_music.store import Store

    store = Store(tmp_path / "storage")
    store.put_blob(b"nobody's")
    assert prune.fn(str(store.root), 1, 14.0) == "Nothing was removed: everything is needed, or recent"
    assert prune.fn(str(store.root), 1, 0.0) == "Removed 8 bytes that nothing needs: blobs 1"
    assert store.verify().files == 0


def test_the_flow_has_safe_defaults():
    assert tidy.validate_parameters({}) == {"storage": "storage", "keep_history": 1, "older_than_days": 14.0}

"""The inbox: its news, its complete files, and the music to train on."""

import hashlib
import itertools
from pathlib import Path

import pytest
from small_music import small_piece

from lstm_music.errors import SourceError
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.inbox import news as inboxes
from lstm_music.stages.inbox.news import (
    holds_other_music,
    ingest_all,
    look,
    remember_announced,
    remember_seen,
    should_announce,
)
from lstm_music.store import Store

PIECE = write_midi(small_piece(90))
OTHER = write_midi(small_piece(91))


def no_wait(_seconds):
    pass


@pytest.fixture
def known(made, tmp_path):
    """A storage whose recipe has seen its collection."""
    copied = made.copy(tmp_path / "storage")
    remember_seen(copied.store, "tiny", copied.prepared.inputs)
    copied.store.inbox()
    return copied


@pytest.fixture
def folder(known):
    return known.store.root / "inbox"


def seen(known, wait=no_wait):
    return look(known.store, known.recipe, None, 1.0, wait)


def learn(known, news):
    """Do the steps of a retraining, without the training."""
    inputs = ingest_all(known.store, known.recipe, None, None, news)
    prepare(known.store, known.recipe, inputs)
    other = holds_other_music(known.store, "tiny", inputs)
    remember_seen(known.store, "tiny", inputs)
    return inputs, other


def test_an_empty_inbox_has_no_news_and_no_wait(known):
    news = seen(known, lambda _seconds: pytest.fail("it waited"))
    assert not news.is_any
    assert news.settled == {}


def test_new_changed_and_removed_music_is_news_until_it_is_seen(known, folder):
    (folder / "a.mid").write_bytes(PIECE)
    news = seen(known)
    assert (news.new, news.changed, news.removed) == (("inbox/a.mid",), (), ())
    inputs, other = learn(known, news)
    assert other
    assert [row.name for row in read_inputs(known.store, inputs)][-1] == "inbox/a.mid"
    assert len(read_inputs(known.store, inputs)) == 9
    assert not seen(known).is_any
    (folder / "a.mid").write_bytes(OTHER)
    news = seen(known)
    assert (news.new, news.changed, news.removed) == ((), ("inbox/a.mid",), ())
    learn(known, news)
    (folder / "a.mid").unlink()
    news = seen(known)
    assert (news.new, news.changed, news.removed) == ((), (), ("inbox/a.mid",))
    inputs, other = learn(known, news)
    assert other
    assert len(read_inputs(known.store, inputs)) == 8


def test_renaming_is_no_news_and_the_fingerprint_depends_on_contents(known, folder):
    (folder / "a.mid").write_bytes(PIECE)
    news = seen(known)
    assert news.fingerprint == hashlib.sha256(hashlib.sha256(PIECE).hexdigest().encode()).hexdigest()
    learn(known, news)
    (folder / "composer").mkdir()
    (folder / "a.mid").rename(folder / "composer" / "b.mid")
    renamed = seen(known)
    assert not renamed.is_any
    assert renamed.fingerprint == news.fingerprint


def test_a_file_that_grows_is_left_for_the_next_look(known, folder):
    (folder / "whole.mid").write_bytes(PIECE)
    (folder / "growing.mid").write_bytes(OTHER[:100])

    def grow(seconds):
        assert seconds == 1.0
        (folder / "growing.mid").write_bytes(OTHER[:200])
        (folder / "late.mid").write_bytes(OTHER[:10])

    news = seen(known, grow)
    assert news.new == ("inbox/whole.mid",)
    assert news.growing == ("inbox/growing.mid", "inbox/late.mid")
    inputs, _ = learn(known, news)
    assert [row.name for row in read_inputs(known.store, inputs)][8:] == ["inbox/whole.mid"]
    (folder / "growing.mid").write_bytes(OTHER)
    (folder / "late.mid").unlink()
    assert seen(known).new == ("inbox/growing.mid",)


def test_a_growing_file_alone_is_no_news(known, folder):
    sizes = itertools.count(100)
    (folder / "a.mid").write_bytes(PIECE[:99])
    news = seen(known, lambda _seconds: (folder / "a.mid").write_bytes(PIECE[: next(sizes)]))
    assert not news.is_any
    assert news.growing == ("inbox/a.mid",)


def test_a_file_that_changes_after_the_look_is_not_ingested(known, folder):
    (folder / "a.mid").write_bytes(PIECE)
    news = seen(known)
    (folder / "a.mid").write_bytes(OTHER)
    assert len(read_inputs(known.store, ingest_all(known.store, known.recipe, None, None, news))) == 8


def test_an_unreadable_file_is_news_once_but_no_reason_to_train(known, folder):
    (folder / "bad.mid").write_bytes(b"MThd")
    (folder / "notes.txt").write_text("no music")
    news = seen(known)
    assert news.new == ("inbox/bad.mid",)
    inputs = ingest_all(known.store, known.recipe, None, None, news)
    prepare(known.store, known.recipe, inputs)
    assert not holds_other_music(known.store, "tiny", inputs)
    assert not seen(known).is_any


def test_music_of_the_collection_is_a_duplicate_and_include_does_not_apply(known, folder):
    (piece,) = known.folder.rglob("piece 00.mid")
    (folder / "copy.mid").write_bytes(piece.read_bytes())
    assert not seen(known).is_any
    (folder / "a.mid").write_bytes(PIECE)
    recipe = known.recipe.model_copy(update={"include": ("composer/*",)})
    rows = read_inputs(known.store, ingest_all(known.store, recipe, None, None, seen(known)))
    assert [(row.name, row.status) for row in rows[8:]] == [
        ("inbox/a.mid", "accepted"),
        ("inbox/copy.mid", "duplicate"),
    ]
    assert rows[8].source == "inbox"
    assert rows[8].composer == ""


def test_before_the_first_training_the_collection_is_the_recipes_source(made, tmp_path):
    store = Store(tmp_path / "storage")
    (Path(store.inbox()) / "a.mid").write_bytes(PIECE)
    news = look(store, made.recipe, None, 0.0)
    inputs = ingest_all(store, made.recipe, str(made.folder), None, news)
    assert len(read_inputs(store, inputs)) == 9
    prepare(store, made.recipe, inputs)
    assert holds_other_music(store, "tiny", inputs)


def test_a_missing_inbox_folder_is_an_error(known, tmp_path):
    with pytest.raises(SourceError, match="create the folder, or give another with --inbox"):
        look(known.store, known.recipe, str(tmp_path / "nowhere"))


def test_news_is_announced_once_and_again_after_an_hour_without_effect(known, folder, monkeypatch):
    assert not should_announce(known.store, known.recipe, seen(known))
    (folder / "a.mid").write_bytes(PIECE)
    first = seen(known)
    assert should_announce(known.store, known.recipe, first)
    remember_announced(known.store, known.recipe, first)
    assert not should_announce(known.store, known.recipe, first)
    (folder / "b.mid").write_bytes(OTHER)
    assert should_announce(known.store, known.recipe, seen(known))
    later = inboxes.time.time() + inboxes.ANNOUNCE_AGAIN_SECONDS + 1
    monkeypatch.setattr(inboxes.time, "time", lambda: later)
    assert should_announce(known.store, known.recipe, first)


def test_the_inbox_of_a_storage_in_a_bucket_is_in_the_bucket(s3, machine, made):
    store = Store(s3.new_bucket())
    assert store.address == store.where
    assert store.inbox() == f"{store.where}/inbox"
    assert not look(store, made.recipe, None, 0.0).is_any
    s3.put(f"{store.where}/inbox/composer/a.mid", PIECE)
    s3.put(f"{store.where}/inbox/{'0' * 64}/manifest.json", b"of the user")
    news = look(store, made.recipe, None, 0.0)
    assert news.new == ("inbox/composer/a.mid",)
    inputs = ingest_all(store, made.recipe, str(made.folder), None, news)
    assert [(row.name, row.composer) for row in read_inputs(store, inputs)][8] == ("inbox/composer/a.mid", "composer")
    assert {ref.kind for ref in store.refs()} == {"inputs"}
    assert store.verify().bad == []


def test_a_bucket_that_lists_none_of_the_seen_music_is_an_error(s3, machine, known):
    url = s3.new_bucket()
    s3.put(f"{url}/a.mid", PIECE)
    news = look(known.store, known.recipe, url, 0.0)
    remember_seen(known.store, "tiny", ingest_all(known.store, known.recipe, None, url, news))
    assert not look(known.store, known.recipe, url, 0.0).is_any
    with pytest.raises(SourceError, match=r"expected 1 music file seen there before, found nothing; correct the URL"):
        look(known.store, known.recipe, f"{url}x", 0.0)
    with pytest.raises(SourceError, match="no such bucket or folder"):
        look(known.store, known.recipe, "s3://nowhere/inbox", 0.0)
    s3.put(f"{url}/b.mid", OTHER)
    news = look(known.store, known.recipe, url, 0.0)
    s3.remove(f"{url}/a.mid")
    s3.remove(f"{url}/b.mid")
    with pytest.raises(SourceError, match="expected 2 music files seen there before, found nothing"):
        ingest_all(known.store, known.recipe, None, url, news)
    s3.put(f"{url}/empty on purpose.txt", b"")
    assert look(known.store, known.recipe, url, 0.0).removed == ("inbox/a.mid",)


def test_a_bucket_that_loses_all_files_between_two_looks_is_an_error(s3, machine, known):
    url = s3.new_bucket()
    s3.put(f"{url}/a.mid", PIECE)
    remember_seen(
        known.store, "tiny", ingest_all(known.store, known.recipe, None, url, look(known.store, known.recipe, url, 0.0))
    )
    s3.put(f"{url}/a.mid", OTHER)
    with pytest.raises(SourceError, match="seen there before, found nothing"):
        look(known.store, known.recipe, url, 1.0, lambda _seconds: s3.remove(f"{url}/a.mid"))


def test_a_folder_given_by_url_can_become_empty(known, folder):
    (folder / "a.mid").write_bytes(PIECE)
    learn(known, seen(known))
    (folder / "a.mid").unlink()
    assert look(known.store, known.recipe, folder.as_uri(), 0.0).removed == ("inbox/a.mid",)


def test_two_objects_of_one_name_are_both_reported(s3, machine, known):
    url = s3.new_bucket()
    s3.put(f"{url}/a/d.mid", PIECE)
    s3.put(f"{url}/a//d.mid", OTHER)
    news = look(known.store, known.recipe, url, 0.0)
    rows = read_inputs(known.store, ingest_all(known.store, known.recipe, None, url, news))[8:]
    assert [row.status for row in rows] == ["accepted", "rejected"]
    assert rows[0].piece_id == hashlib.sha256(PIECE).hexdigest()


def test_the_inbox_is_never_swept(known, folder):
    (folder / "upload.tmp").write_bytes(PIECE)
    (folder / ("0" * 64)).mkdir()
    with known.store.session() as swept:
        assert swept == 0
    assert {path.name for path in folder.iterdir()} == {"upload.tmp", "0" * 64}

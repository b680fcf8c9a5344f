"""The inbox: what is news, what has settled, and all the music with it."""

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
    look,
    remember_announced,
    remember_heard,
    should_announce,
    take_in,
)
from lstm_music.store import Store

PIECE = write_midi(small_piece(90))
OTHER = write_midi(small_piece(91))


def no_wait(_seconds):
    pass


@pytest.fixture
def heard(made, tmp_path):
    """A storage whose recipe has heard its collection."""
    copied = made.copy(tmp_path / "storage")
    remember_heard(copied.store, "tiny", copied.prepared.inputs)
    copied.store.inbox()
    return copied


@pytest.fixture
def folder(heard):
    return heard.store.root / "inbox"


def seen(heard, wait=no_wait):
    return look(heard.store, heard.recipe, None, 1.0, wait)


def learn(heard, news):
    """Do what a retraining does, but for the training."""
    inputs = take_in(heard.store, heard.recipe, None, None, news)
    prepare(heard.store, heard.recipe, inputs)
    other = holds_other_music(heard.store, "tiny", inputs)
    remember_heard(heard.store, "tiny", inputs)
    return inputs, other


def test_an_empty_inbox_is_no_news_and_is_not_waited_for(heard):
    news = seen(heard, lambda _seconds: pytest.fail("it waited"))
    assert not news.is_any
    assert news.settled == {}


def test_new_changed_and_removed_music_is_news_until_it_is_heard(heard, folder):
    (folder / "a.mid").write_bytes(PIECE)
    news = seen(heard)
    assert (news.came, news.changed, news.went) == (("inbox/a.mid",), (), ())
    inputs, other = learn(heard, news)
    assert other
    assert [row.name for row in read_inputs(heard.store, inputs)][-1] == "inbox/a.mid"
    assert len(read_inputs(heard.store, inputs)) == 9
    assert not seen(heard).is_any
    (folder / "a.mid").write_bytes(OTHER)
    news = seen(heard)
    assert (news.came, news.changed, news.went) == ((), ("inbox/a.mid",), ())
    learn(heard, news)
    (folder / "a.mid").unlink()
    news = seen(heard)
    assert (news.came, news.changed, news.went) == ((), (), ("inbox/a.mid",))
    inputs, other = learn(heard, news)
    assert other
    assert len(read_inputs(heard.store, inputs)) == 8


def test_a_name_is_no_news_and_the_fingerprint_is_of_contents(heard, folder):
    (folder / "a.mid").write_bytes(PIECE)
    news = seen(heard)
    assert news.fingerprint == hashlib.sha256(hashlib.sha256(PIECE).hexdigest().encode()).hexdigest()
    learn(heard, news)
    (folder / "composer").mkdir()
    (folder / "a.mid").rename(folder / "composer" / "b.mid")
    renamed = seen(heard)
    assert not renamed.is_any
    assert renamed.fingerprint == news.fingerprint


def test_a_file_that_grows_is_left_for_the_next_look(heard, folder):
    (folder / "whole.mid").write_bytes(PIECE)
    (folder / "growing.mid").write_bytes(OTHER[:100])

    def grow(seconds):
        assert seconds == 1.0
        (folder / "growing.mid").write_bytes(OTHER[:200])
        (folder / "late.mid").write_bytes(OTHER[:10])

    news = seen(heard, grow)
    assert news.came == ("inbox/whole.mid",)
    assert news.growing == ("inbox/growing.mid", "inbox/late.mid")
    inputs, _ = learn(heard, news)
    assert [row.name for row in read_inputs(heard.store, inputs)][8:] == ["inbox/whole.mid"]
    (folder / "growing.mid").write_bytes(OTHER)
    (folder / "late.mid").unlink()
    assert seen(heard).came == ("inbox/growing.mid",)


def test_what_only_grows_is_no_news_yet(heard, folder):
    sizes = itertools.count(100)
    (folder / "a.mid").write_bytes(PIECE[:99])
    news = seen(heard, lambda _seconds: (folder / "a.mid").write_bytes(PIECE[: next(sizes)]))
    assert not news.is_any
    assert news.growing == ("inbox/a.mid",)


def test_a_file_that_changes_after_the_look_is_not_taken_in(heard, folder):
    (folder / "a.mid").write_bytes(PIECE)
    news = seen(heard)
    (folder / "a.mid").write_bytes(OTHER)
    assert len(read_inputs(heard.store, take_in(heard.store, heard.recipe, None, None, news))) == 8


def test_what_cannot_be_read_is_news_once_and_nothing_to_train_for(heard, folder):
    (folder / "bad.mid").write_bytes(b"MThd")
    (folder / "notes.txt").write_text("no music")
    news = seen(heard)
    assert news.came == ("inbox/bad.mid",)
    inputs = take_in(heard.store, heard.recipe, None, None, news)
    prepare(heard.store, heard.recipe, inputs)
    assert not holds_other_music(heard.store, "tiny", inputs)
    assert not seen(heard).is_any


def test_what_the_collection_has_is_a_duplicate_and_the_recipes_include_is_not_asked(heard, folder):
    (piece,) = heard.folder.rglob("piece 00.mid")
    (folder / "copy.mid").write_bytes(piece.read_bytes())
    assert not seen(heard).is_any
    (folder / "a.mid").write_bytes(PIECE)
    recipe = heard.recipe.model_copy(update={"include": ("composer/*",)})
    rows = read_inputs(heard.store, take_in(heard.store, recipe, None, None, seen(heard)))
    assert [(row.name, row.status) for row in rows[8:]] == [
        ("inbox/a.mid", "accepted"),
        ("inbox/copy.mid", "duplicate"),
    ]
    assert rows[8].source == "inbox"
    assert rows[8].composer == ""


def test_before_anything_was_learnt_the_collection_is_the_recipes_source(made, tmp_path):
    store = Store(tmp_path / "storage")
    (Path(store.inbox()) / "a.mid").write_bytes(PIECE)
    news = look(store, made.recipe, None, 0.0)
    inputs = take_in(store, made.recipe, str(made.folder), None, news)
    assert len(read_inputs(store, inputs)) == 9
    prepare(store, made.recipe, inputs)
    assert holds_other_music(store, "tiny", inputs)


def test_an_inbox_that_was_named_has_to_be_there(heard, tmp_path):
    with pytest.raises(SourceError, match="not a folder; make it, or give another with --inbox"):
        look(heard.store, heard.recipe, str(tmp_path / "nowhere"))


def test_news_are_announced_once_and_again_when_nothing_came_of_it(heard, folder, monkeypatch):
    assert not should_announce(heard.store, heard.recipe, seen(heard))
    (folder / "a.mid").write_bytes(PIECE)
    first = seen(heard)
    assert should_announce(heard.store, heard.recipe, first)
    remember_announced(heard.store, heard.recipe, first)
    assert not should_announce(heard.store, heard.recipe, first)
    (folder / "b.mid").write_bytes(OTHER)
    assert should_announce(heard.store, heard.recipe, seen(heard))
    later = inboxes.time.time() + inboxes.ANNOUNCE_AGAIN_SECONDS + 1
    monkeypatch.setattr(inboxes.time, "time", lambda: later)
    assert should_announce(heard.store, heard.recipe, first)


def test_storage_in_a_bucket_has_its_inbox_there(s3, machine, made):
    store = Store(s3.new_bucket())
    assert store.address == store.where
    assert store.inbox() == f"{store.where}/inbox"
    assert not look(store, made.recipe, None, 0.0).is_any
    s3.put(f"{store.where}/inbox/composer/a.mid", PIECE)
    s3.put(f"{store.where}/inbox/{'0' * 64}/manifest.json", b"of the user")
    news = look(store, made.recipe, None, 0.0)
    assert news.came == ("inbox/composer/a.mid",)
    inputs = take_in(store, made.recipe, str(made.folder), None, news)
    assert [(row.name, row.composer) for row in read_inputs(store, inputs)][8] == ("inbox/composer/a.mid", "composer")
    assert {ref.kind for ref in store.refs()} == {"inputs"}
    assert store.verify().bad == []


def test_a_bucket_that_lists_nothing_of_what_was_heard_is_an_error_and_not_unlearnt(s3, machine, heard):
    url = s3.new_bucket()
    s3.put(f"{url}/a.mid", PIECE)
    news = look(heard.store, heard.recipe, url, 0.0)
    remember_heard(heard.store, "tiny", take_in(heard.store, heard.recipe, None, url, news))
    assert not look(heard.store, heard.recipe, url, 0.0).is_any
    with pytest.raises(SourceError, match=r"nothing lies below it, where 1 music files were before; correct the URL"):
        look(heard.store, heard.recipe, f"{url}x", 0.0)
    with pytest.raises(SourceError, match="there is no such bucket or folder"):
        look(heard.store, heard.recipe, "s3://nowhere/inbox", 0.0)
    s3.put(f"{url}/b.mid", OTHER)
    news = look(heard.store, heard.recipe, url, 0.0)
    s3.remove(f"{url}/a.mid")
    s3.remove(f"{url}/b.mid")
    with pytest.raises(SourceError, match="where 2 music files were before"):
        take_in(heard.store, heard.recipe, None, url, news)
    s3.put(f"{url}/empty on purpose.txt", b"")
    assert look(heard.store, heard.recipe, url, 0.0).went == ("inbox/a.mid",)


def test_a_bucket_that_loses_all_between_two_looks_is_an_error(s3, machine, heard):
    url = s3.new_bucket()
    s3.put(f"{url}/a.mid", PIECE)
    remember_heard(
        heard.store, "tiny", take_in(heard.store, heard.recipe, None, url, look(heard.store, heard.recipe, url, 0.0))
    )
    s3.put(f"{url}/a.mid", OTHER)
    with pytest.raises(SourceError, match="nothing lies below it"):
        look(heard.store, heard.recipe, url, 1.0, lambda _seconds: s3.remove(f"{url}/a.mid"))


def test_an_empty_folder_by_its_url_is_news(heard, folder):
    (folder / "a.mid").write_bytes(PIECE)
    learn(heard, seen(heard))
    (folder / "a.mid").unlink()
    assert look(heard.store, heard.recipe, folder.as_uri(), 0.0).went == ("inbox/a.mid",)


def test_two_objects_of_one_name_are_both_told_of(s3, machine, heard):
    url = s3.new_bucket()
    s3.put(f"{url}/a/d.mid", PIECE)
    s3.put(f"{url}/a//d.mid", OTHER)
    news = look(heard.store, heard.recipe, url, 0.0)
    rows = read_inputs(heard.store, take_in(heard.store, heard.recipe, None, url, news))[8:]
    assert [row.status for row in rows] == ["accepted", "rejected"]
    assert rows[0].piece_id == hashlib.sha256(PIECE).hexdigest()


def test_nothing_in_the_inbox_is_ever_swept(heard, folder):
    (folder / "upload.tmp").write_bytes(PIECE)
    (folder / ("0" * 64)).mkdir()
    with heard.store.session() as swept:
        assert swept == 0
    assert {path.name for path in folder.iterdir()} == {"upload.tmp", "0" * 64}

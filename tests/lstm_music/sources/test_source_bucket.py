"""A source below a URL, with a real S3-compatible server."""

import pytest

from lstm_music.errors import SourceError, StorageError
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.entry import MAX_FILE_BYTES, Found, Ignored, Refused


@pytest.fixture
def url(s3, machine):
    return s3.new_bucket()


def test_objects_are_the_entries_that_a_folder_of_them_would_yield(s3, url):
    s3.put(f"{url}/bach/b.mid", b"b")
    s3.put(f"{url}/bach/a.mid", b"")
    s3.put(f"{url}/.hidden/c.mid", b"c")
    s3.put(f"{url}/readme.txt", b"no music")
    s3.put(f"{url}/large.mid", bytes(MAX_FILE_BYTES + 1))
    s3.put(f"{url}, another/d.mid", b"d")
    source = Bucket(f"{url}/")
    assert list(source.entries()) == [
        Ignored(".hidden/c.mid"),
        Found("bach/a.mid", b""),
        Found("bach/b.mid", b"b"),
        Refused("large.mid", f"has more than {MAX_FILE_BYTES:,} bytes"),
        Ignored("readme.txt"),
    ]
    assert source.describe("bach/b.mid").composer == "bach"
    assert source.describe("bach/b.mid").source == "storage"


def test_what_is_put_there_is_seen_by_the_next_look_of_the_same_process(s3, url):
    source = Bucket(url)
    assert list(source.entries()) == []
    s3.put(f"{url}/a.mid", b"a")
    assert list(source.entries()) == [Found("a.mid", b"a")]
    s3.put(f"{url}/a.mid", b"another")
    assert list(source.entries()) == [Found("a.mid", b"another")]


def test_an_object_that_goes_between_the_list_and_its_turn_is_refused(s3, url):
    s3.put(f"{url}/a.mid", b"a")
    s3.put(f"{url}/b.mid", b"b")
    entries = Bucket(url).entries()
    assert next(entries) == Found("a.mid", b"a")
    s3.remove(f"{url}/b.mid")
    assert list(entries) == [Refused("b.mid", "cannot be read: it was removed meanwhile")]


def test_what_cannot_be_opened_is_one_sentence(s3, machine):
    with pytest.raises(SourceError, match="no URL"):
        Bucket("music")
    with pytest.raises(StorageError, match=r"s3://…@music: credentials in an address end up in logs"):
        Bucket("s3://user:secret@music/x")
    s3.go_away()
    try:
        with pytest.raises(StorageError, match="the store does not answer as it should"):
            list(Bucket("s3://music-0/x").entries())
    finally:
        s3.come_back()

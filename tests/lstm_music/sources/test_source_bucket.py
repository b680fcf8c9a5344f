"""A source below a URL, with a real S3-compatible server, and a web server with pages that list a folder."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lstm_music.errors import NotEnoughMusicError, SourceError, StorageError
from lstm_music.recipe import load_recipe
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.entry import MAX_FILE_BYTES, Found, Ignored, Refused
from lstm_music.sources.folder import Folder
from lstm_music.stages.data.ingest import ingest
from lstm_music.store import Store


@pytest.fixture
def url(s3, machine):
    return s3.new_bucket()


@pytest.fixture
def web(tree):
    """The address of a web server that lists the tree."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tree))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def bucket_of(url):
    return "/".join(url.split("/")[:3])


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
    with pytest.raises(SourceError, match="expected a URL"):
        Bucket("music")
    with pytest.raises(SourceError, match=r"source s3://…@music: expected an address without credentials"):
        Bucket("s3://user:secret@music/x")
    s3.go_away()
    try:
        with pytest.raises(StorageError, match="the store failed"):
            list(Bucket("s3://music-0/x").entries())
    finally:
        s3.come_back()


def test_a_bucket_that_is_not_there_is_an_error_and_not_empty(machine):
    with pytest.raises(SourceError, match=r"^s3://nowhere/new: no such bucket or folder"):
        list(Bucket("s3://nowhere/new/").entries())


@pytest.mark.parametrize("url", ["s3://", "s3:///music"])
def test_a_url_without_a_bucket_is_refused(url):
    with pytest.raises(SourceError, match="the bucket is missing"):
        Bucket(url)


@pytest.mark.parametrize("name", ["x.mid", "x.zip"])
def test_a_single_object_is_no_folder(s3, url, name):
    s3.put(f"{url}/{name}", b"x")
    with pytest.raises(SourceError, match=rf"/{name}: expected the URL of a folder \(a prefix\)"):
        list(Bucket(f"{url}/{name}").entries())


def test_a_prefix_without_music_says_what_a_url_may_be(s3, url, tmp_path):
    store, advice = Store(tmp_path / "storage"), r"; give the URL of a folder \(a prefix\) with unpacked \.mid"
    with pytest.raises(NotEnoughMusicError, match=f"there is nothing below this URL{advice}"):
        ingest(store, load_recipe("demo"), url)
    s3.put(f"{url}/music.zip", b"zip")
    with pytest.raises(NotEnoughMusicError, match=f"holds no music, only 1 other file{advice}"):
        ingest(store, load_recipe("demo"), url)


def test_what_stands_for_a_folder_is_no_music(s3, url):
    s3.put(f"{url}/", b"")
    s3.put(f"{url}/album.mid/", b"")
    assert [type(entry) for entry in Bucket(url).entries()] == [Ignored, Ignored]


def test_an_object_that_is_archived_is_refused_and_the_others_are_read(s3, url):
    s3.put(f"{url}/b.mid", b"b")
    bucket, _, key = f"{url}/a.mid".removeprefix("s3://").partition("/")
    s3.client.put_object(Bucket=bucket, Key=key, Body=b"a", StorageClass="GLACIER")
    refused, found = Bucket(url).entries()
    assert refused == Refused("a.mid", f"cannot be read: {refused.reason.removeprefix('cannot be read: ')}")
    assert "storage class" in refused.reason
    assert found == Found("b.mid", b"b")


def failing(error, word=""):
    """Give what stands for reading an object, and fails as s3fs does for the word that the store says."""

    def read(*_, **__):
        if word:
            error.__cause__ = Exception()
            error.__cause__.response = {"Error": {"Code": word}}
        raise error

    return read


def test_an_object_that_may_not_be_read_is_refused(s3, url, monkeypatch):
    s3.put(f"{url}/a.mid", b"a")
    source = Bucket(url)
    for word in ("AccessDenied", ""):
        monkeypatch.setattr(source._fs, "cat_file", failing(PermissionError("Access Denied"), word))
        assert list(source.entries()) == [Refused("a.mid", "cannot be read: Access Denied")]


@pytest.mark.parametrize(
    "error",
    [
        failing(PermissionError("x"), "ExpiredToken"),
        failing(OSError("x"), "SlowDown"),
        failing(ConnectionRefusedError("x")),
    ],
)
def test_what_is_wrong_with_the_store_refuses_no_object(s3, url, monkeypatch, error):
    s3.put(f"{url}/a.mid", b"a")
    source = Bucket(url)
    monkeypatch.setattr(source._fs, "cat_file", error)
    with pytest.raises(StorageError):
        list(source.entries())


def test_of_two_objects_with_one_name_the_second_is_refused_under_a_name_of_its_own(s3, url):
    s3.put(f"{url}/a//d.mid", b"second")
    s3.put(f"{url}/a/d.mid", b"first")
    s3.put(f"{url}/a//readme.txt", b"")
    s3.put(f"{url}/a/readme.txt", b"")
    found, refused, *others = Bucket(url).entries()
    assert found == Found("a/d.mid", b"first")
    assert refused.name.startswith("a/d.mid (")
    assert refused.reason == "has the key 'a//d.mid', whose safe name is taken by another object; rename it"
    assert others == [Ignored("a/readme.txt")] * 2


def test_slashes_after_the_bucket_are_one(s3, url):
    s3.put(f"{bucket_of(url)}/m/composer/a.mid", b"a")
    source = Bucket(f"{bucket_of(url)}//m/")
    assert source.title == f"{bucket_of(url)}/m"
    assert list(source.entries()) == [Found("composer/a.mid", b"a")]


def test_a_file_url_is_a_folder_with_all_that_is_neither_file_nor_folder(tree):
    os.mkfifo(tree / "pipe.mid")
    (tree / "dangling.mid").symlink_to("nowhere")
    (tree / "what? 100%").mkdir()
    (tree / "what? 100%" / "link.mid").symlink_to(tree / "top.abc")
    source = Bucket(tree.as_uri())
    entries = list(source.entries())
    assert entries == list(Folder(str(tree)).entries())
    assert Refused("pipe.mid", "is not a regular file") in entries
    assert Refused("dangling.mid", "cannot be read: No such file or directory") in entries
    assert Found("what? 100%/link.mid", b"five") in entries
    assert (source.describe("a/b.mid"), source.can_be_empty) == (Folder(str(tree)).describe("a/b.mid"), True)
    assert list(Bucket(f"file://localhost{tree}/what? 100%").entries()) == [Found("link.mid", b"five")]


def test_a_file_url_of_no_folder_is_an_error(tree):
    with pytest.raises(SourceError, match=r"expected a folder, got .*nowhere'"):
        Bucket((tree / "nowhere").as_uri())
    with pytest.raises(SourceError, match=r"expected a folder, got .*top\.abc'"):
        Bucket((tree / "top.abc").as_uri())
    with pytest.raises(SourceError, match="expected file:/// and the absolute path"):
        Bucket("file://music/of/mine")


def test_what_is_neither_file_nor_folder_elsewhere_is_refused(s3, url, monkeypatch):
    source = Bucket(url)
    listing = {"x": {"name": f"{source._root}/pipe.mid", "type": "other", "size": 0}}
    monkeypatch.setattr(source._fs, "find", lambda *_, **__: listing)
    assert list(source.entries()) == [Refused("pipe.mid", "is not a regular file")]


def test_pages_that_list_a_folder_are_walked(tree, web, monkeypatch):
    (tree / "empty").mkdir()
    (tree / "large.mid").write_bytes(b"larger")
    monkeypatch.setattr("lstm_music.sources.bucket.MAX_FILE_BYTES", 5)
    entries = {entry.name: entry for entry in Bucket(web).entries()}
    assert entries["albeniz/esp1.mid"] == Found("albeniz/esp1.mid", b"one")
    assert entries["large.mid"] == Refused("large.mid", "has more than 5 bytes")  # no page says how many
    assert list(Bucket(f"{web}/empty/").entries()) == []


def test_a_page_that_is_not_there_or_does_not_answer_is_an_error_and_not_empty(tree, web, monkeypatch):
    with pytest.raises(SourceError, match="/nowhere: no such bucket or folder"):
        list(Bucket(f"{web}/nowhere/").entries())
    with pytest.raises(SourceError, match=r"/top\.abc: expected the URL of a folder"):
        list(Bucket(f"{web}/top.abc").entries())
    with pytest.raises(StorageError, match="the store failed"):
        list(Bucket("http://127.0.0.1:9/music").entries())
    listed = SimpleHTTPRequestHandler.list_directory

    def list_directory(self, path):
        return self.send_error(404) if str(path).rstrip("/").endswith("bach") else listed(self, path)

    monkeypatch.setattr(SimpleHTTPRequestHandler, "list_directory", list_directory)
    with pytest.raises(SourceError, match=r"no such bucket or folder .*/bach"):
        list(Bucket(web).entries())

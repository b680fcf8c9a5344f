"""A folder as a source."""

import os

import pytest

from lstm_music.errors import SourceError
from lstm_music.sources.entry import Found, Ignored, Refused
from lstm_music.sources.folder import Folder


def test_every_file_is_yielded_once_in_the_order_of_names(tree):
    assert list(Folder(str(tree)).entries()) == [
        Ignored(".cache/x.mid"),
        Ignored("README"),
        Found("albeniz/esp1.mid", b"one"),
        Ignored("bach/.hidden.mid"),
        Found("bach/846.MID", b"two"),
        Found("bach/copy of 846.mid", b"two"),
        Ignored("bach/notes.txt"),
        Found("bach/prelude.mxl", b"three"),
        Found("deep/er/est/Für Elise.krn", b"four"),
        Found("top.abc", b"five"),
    ]


def test_the_composer_and_the_source_do_not_depend_on_where_the_folder_lies(tree, monkeypatch):
    monkeypatch.chdir(tree)
    source = Folder(".")
    assert source.describe("bach/846.MID").composer == "bach"
    assert source.describe("top.abc").composer == ""
    assert source.describe("top.abc").source == "music"


def test_a_linked_file_is_read_and_a_linked_folder_is_not_followed(tmp_path):
    root = tmp_path / "music"
    root.mkdir()
    (tmp_path / "outside.mid").write_bytes(b"outside")
    (root / "link.mid").symlink_to(tmp_path / "outside.mid")
    (root / "loop.mid").symlink_to(root)
    (root / "broken.mid").symlink_to(root / "nowhere")
    assert list(Folder(str(root)).entries()) == [
        Refused("broken.mid", "cannot be read: No such file or directory"),
        Found("link.mid", b"outside"),
        Ignored("loop.mid"),
    ]


def test_a_file_name_that_is_no_text_is_made_safe(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\x1b.mid"
    with open(path, "wb") as file:  # noqa: PTH123 (a path of bytes)
        file.write(b"x")
    assert list(Folder(str(tmp_path)).entries()) == [Found("\ufffd\ufffd.mid", b"x")]


@pytest.fixture
def unlistable(monkeypatch):
    """Make the folders of the given names fail to be listed, for the superuser too."""
    names = set()
    scandir = os.scandir

    def refusing(path):
        if os.path.basename(path) in names:  # noqa: PTH119 (as os.walk calls it)
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    return names


def test_a_folder_that_cannot_be_listed_is_refused_and_the_others_are_read(tree, unlistable):
    unlistable.add("bach")
    entries = list(Folder(str(tree)).entries())
    assert Refused("bach", "is a folder that cannot be listed: Permission denied") in entries
    assert Found("top.abc", b"five") in entries


def test_a_source_that_cannot_be_listed_is_an_error(tree, unlistable):
    unlistable.add("music")
    with pytest.raises(SourceError, match=r"music': the folder cannot be listed \(Permission denied\)"):
        list(Folder(str(tree)).entries())


def test_a_folder_that_is_not_there_is_no_source(tmp_path):
    with pytest.raises(SourceError, match=r"expected a folder, got .*nowhere'"):
        Folder(str(tmp_path / "nowhere"))

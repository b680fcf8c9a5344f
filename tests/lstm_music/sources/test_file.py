"""One file, and how files are read."""

import os

import pytest

from lstm_music.errors import SourceError
from lstm_music.sources.entry import Credit, Found, Refused
from lstm_music.sources.file import File, read_file


def test_a_file_is_found_under_its_own_name(tree):
    source = File(str(tree / "bach" / "846.MID"))
    assert list(source.entries()) == [Found("846.MID", b"two")]
    assert source.describe("846.MID") == Credit(composer="", source="846.MID", licence="not stated")
    assert source.title == str(tree / "bach" / "846.MID")


def test_a_file_that_is_not_there_is_no_source(tmp_path):
    with pytest.raises(SourceError, match=r"expected a file, got .*nowhere\.mid'"):
        File(str(tmp_path / "nowhere.mid"))


def test_a_file_of_just_the_limit_is_read_and_one_byte_more_is_refused(tmp_path):
    path = tmp_path / "x.mid"
    path.write_bytes(b"12345")
    assert read_file(path, "x.mid", max_bytes=5) == Found("x.mid", b"12345")
    assert read_file(path, "x.mid", max_bytes=4) == Refused("x.mid", "has more than 4 bytes")


def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path):
    path = tmp_path / "pipe.mid"
    os.mkfifo(path)
    assert read_file(path, "pipe.mid") == Refused("pipe.mid", "is not a regular file")

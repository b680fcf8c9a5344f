"""Gzip around files of a source."""

import gzip
import zipfile

import pytest

from lstm_music.sources.archive import Archive
from lstm_music.sources.entry import Found, Refused, music_format
from lstm_music.sources.file import File
from lstm_music.sources.folder import Folder
from lstm_music.sources.packed import unpacked

TUNE = b"X:1\nK:C\nCDEF|\n"
MIDI = b"MThd\0\0\0\x06\0\x01\0\x01\x01\xe0MTrk\0\0\0\x0b\0\x90<@\x60<\0\0\xff/\0"


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.mid.gz", "midi"), ("a.RMI", "midi"), ("a.abc.GZ", "abc"), ("b/a.krn.gz", "kern"), ("a.mxl.gz", "musicxml")],
)
def test_a_packed_file_has_the_format_of_the_name_before(name, form):
    assert music_format(name) == form


@pytest.mark.parametrize("name", ["a.gz", "a.tar.gz", ".mid.gz", "a.mid.gz.gz", "a.gz.txt"])
def test_another_packed_file_is_no_music(name):
    assert music_format(name) is None


def test_every_source_unpacks(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "tune.abc.gz").write_bytes(gzip.compress(TUNE))
    with zipfile.ZipFile(tmp_path / "tree.zip", "w") as archive:
        archive.writestr("tune.abc.gz", gzip.compress(TUNE))
    sources = (Folder(str(tree)), File(str(tree / "tune.abc.gz")), Archive(str(tmp_path / "tree.zip")))
    for source in sources:
        assert list(source.entries()) == [Found("tune.abc.gz", TUNE)]


def test_a_packed_file_that_cannot_be_unpacked_is_refused_with_the_reason():
    cut = unpacked(Found("a.abc.gz", gzip.compress(TUNE, 0)[:-9]))
    reason = f"cannot be unpacked: its gzip data ends too early, after {len(TUNE) - 1} unpacked bytes"
    assert cut == Refused("a.abc.gz", reason)
    refused = unpacked(Found("a.abc.gz", b"\x1f\x8bnonsense"))
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("cannot be unpacked: its gzip data is damaged after 0 unpacked bytes")


def test_of_a_damaged_midi_file_the_beginning_is_left():
    cut = gzip.compress(MIDI, 0)[:-12]
    found = unpacked(Found("a.mid.gz", cut))
    assert isinstance(found, Found)
    assert MIDI.startswith(found.data)
    assert len(MIDI) - len(found.data) == 4


def test_a_bomb_is_refused():
    bomb = unpacked(Found("a.mid.gz", gzip.compress(bytes(1 << 24))))
    assert bomb == Refused("a.mid.gz", "unpacks to more than 200 times its packed size")
    assert unpacked(Found("a.mid.gz", gzip.compress(TUNE)), 5) == Refused("a.mid.gz", "unpacks to more than 5 bytes")

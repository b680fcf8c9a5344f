"""A zip as a source, friendly and hostile."""

import random
import struct
import warnings
import zipfile

import pytest

from lstm_music.errors import SourceError
from lstm_music.sources.archive import Archive, ArchiveLimits
from lstm_music.sources.entry import Found, Ignored, Refused
from lstm_music.sources.folder import Folder


def entries_of(path, limits=None):
    return list(Archive(str(path), limits).entries())


def make_zip(path, members, method=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_a_zip_yields_what_a_folder_of_the_same_tree_yields(tree, tree_zip):
    assert entries_of(tree_zip) == list(Folder(str(tree)).entries())


def test_a_zip_credits_as_a_folder_of_its_name_does(tree, tree_zip):
    assert Archive(str(tree_zip)).describe("bach/846.MID") == Folder(str(tree)).describe("bach/846.MID")


def test_nothing_is_written_and_no_name_leads_outside(tmp_path):
    path = make_zip(tmp_path / "evil.zip", [("../../up.mid", b"a"), ("/etc/abs.mid", b"b"), ("..\\win\x1b.mid", b"c")])
    assert entries_of(path) == [
        Found("etc/abs.mid", b"b"),
        Found("up.mid", b"a"),
        Found("win\ufffd.mid", b"c"),
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_two_members_of_one_name_are_both_yielded(tmp_path):
    path = make_zip(tmp_path / "twice.zip", [("x.mid", b"first"), ("x.mid", b"second")])
    assert entries_of(path) == [Found("x.mid", b"first"), Found("x.mid", b"second")]


def test_a_zip_in_the_zip_is_ignored(tmp_path, tree_zip):
    path = make_zip(tmp_path / "nested.zip", [("inner.zip", tree_zip.read_bytes())])
    assert entries_of(path) == [Ignored("inner.zip")]


def test_a_bomb_is_stopped_by_its_ratio(tmp_path):
    path = make_zip(tmp_path / "bomb.zip", [("bomb.mid", bytes(3 << 20)), ("good.mid", b"good")])
    refused, found = entries_of(path)
    assert refused.name == "bomb.mid"
    assert refused.reason.startswith("unpacks to more than 200 times its")
    assert found == Found("good.mid", b"good")


def test_a_member_is_stopped_at_its_limit_whatever_the_zip_says_of_it(tmp_path):
    path = make_zip(tmp_path / "large.zip", [("large.mid", b"x" * 101), ("limit.mid", b"x" * 100)])
    assert entries_of(path, ArchiveLimits(max_member_bytes=100)) == [
        Refused("large.mid", "unpacks to more than 100 bytes"),
        Found("limit.mid", b"x" * 100),
    ]


def test_the_members_together_are_stopped_at_the_limit_of_the_archive(tmp_path):
    path = make_zip(tmp_path / "many.zip", [(f"{letter}.mid", b"1234") for letter in "abc"])
    assert entries_of(path, ArchiveLimits(max_bytes=8)) == [
        Found("a.mid", b"1234"),
        Found("b.mid", b"1234"),
        Refused("c.mid", "exceeds the 8 bytes that this archive may unpack to"),
    ]


def test_an_archive_may_not_grow_beyond_a_multiple_of_its_own_bytes(tmp_path):
    path = make_zip(tmp_path / "bomb.zip", [(f"{letter}.mid", b"1234") for letter in "abc"])
    small = path.stat().st_size
    assert all(isinstance(entry, Found) for entry in entries_of(path, ArchiveLimits(max_growth=1, free_bytes=0)))
    assert small > 12
    refused = [type(entry) for entry in entries_of(path, ArchiveLimits(max_growth=0, free_bytes=4))]
    assert refused == [Found, Refused, Refused]


def test_an_archive_of_too_many_files_is_no_source(tree_zip):
    with pytest.raises(SourceError, match="expected at most 10 files in an archive, got 11"):
        Archive(str(tree_zip), ArchiveLimits(max_members=10))


def test_an_encrypted_member_is_refused(tmp_path):
    path = make_zip(tmp_path / "secret.zip", [("x.mid", b"data")])
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    path.write_bytes(data)
    (entry,) = entries_of(path)
    assert entry.reason.startswith("is encrypted")


def test_a_symbolic_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link.mid")
    link.external_attr = 0o120777 << 16
    (entry,) = entries_of(make_zip(tmp_path / "link.zip", [(link, b"../../etc/passwd")]))
    assert entry == Refused("link.mid", "is a symbolic link, which is not followed inside an archive")


@pytest.mark.parametrize(("method", "number"), [(zipfile.ZIP_BZIP2, 12), (zipfile.ZIP_LZMA, 14)])
def test_a_method_whose_memory_has_no_bound_is_refused(tmp_path, method, number):
    (entry,) = entries_of(make_zip(tmp_path / "x.zip", [("x.mid", b"data")], method))
    assert entry == Refused("x.mid", f"is packed by method {number}, not stored (0) or deflated (8)")


def test_a_member_whose_bytes_changed_is_refused(tmp_path):
    path = make_zip(tmp_path / "flip.zip", [("a.mid", b"good"), ("b.mid", b"bad!")], zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"bad!", b"bad?"))
    assert entries_of(path) == [
        Found("a.mid", b"good"),
        Refused("b.mid", "cannot be unpacked: Bad CRC-32 for file 'b.mid'"),
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"not a zip", b"PK\x05\x06" + bytes(10), b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 46, 0, 0)],
)
def test_a_file_that_is_no_zip_is_no_source(tmp_path, data):
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"x\.zip': expected a zip archive"):
        Archive(str(path))


def test_an_archive_that_is_not_there_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        Archive(str(tmp_path / "nowhere.zip"))


def test_whatever_bytes_of_a_zip_are_changed_only_a_source_error_or_entries_come_out(tree_zip):
    original = tree_zip.read_bytes()
    chance = random.Random(2)
    outcomes = set()
    for _ in range(600):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        tree_zip.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        try:
            outcomes.update(type(entry) for entry in entries_of(tree_zip))
        except SourceError:
            outcomes.add(SourceError)
    assert outcomes == {Found, Refused, Ignored, SourceError}


@pytest.mark.corpus
def test_the_real_collection_has_296_pieces(collection_zip):
    source = Archive(str(collection_zip))
    entries = list(source.entries())
    assert {type(entry) for entry in entries} == {Found}
    assert len(entries) == 296
    assert source.describe(entries[0].name).composer == "albeniz"


def test_a_member_without_a_name_is_ignored_and_the_others_are_read(tmp_path):
    path = make_zip(tmp_path / "nameless.zip", [("n", b"nothing"), ("good.mid", b"good")], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\3\4", 26), (b"PK\1\2", 28)):  # its one letter becomes an extra field of one byte
        first = data.index(signature) + at
        data[first : first + 4] = struct.pack("<HH", 0, 1)
    path.write_bytes(data)
    assert entries_of(path) == [Found("good.mid", b"good"), Ignored("\ufffd")]
    Archive(str(path)).require_whole()

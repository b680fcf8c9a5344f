"""A bundle is refused in one sentence unless every byte of it is as it was written, and then if it is no bundle of ours."""

import json
import stat
import struct
import warnings
import zipfile

import numpy as np
import pytest
from bundle_files import CONTENTS, TOKENS, WEIGHTS, sealed, small_bundle, small_members, tampered, with_manifest

from lstm_music.bundle import arrays, read_bundle, reading, write_bundle
from lstm_music.bundle.manifest import MANIFEST
from lstm_music.errors import BundleError
from lstm_music.store.checksummed import dump_checksummed


@pytest.fixture
def bundle(tmp_path):
    return small_bundle(tmp_path)


@pytest.fixture
def refused(tmp_path):
    """Give the sentence with which a file is refused; nothing of it is on the disk then."""

    def refuse(path):
        folder = tmp_path / "unpacked"
        with pytest.raises(BundleError) as caught:
            read_bundle(path, folder)
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert str(path) in sentence
        assert caught.value.exit_code == 10
        return sentence

    return refuse


def test_a_bundle_is_unpacked_as_it_was_written(bundle, tmp_path):
    manifest = read_bundle(bundle, tmp_path / "unpacked")
    found = {
        path.relative_to(tmp_path / "unpacked").as_posix(): path.read_bytes()
        for path in (tmp_path / "unpacked").rglob("*")
        if path.is_file()
    }
    (tmp_path / "again").mkdir()
    assert found == small_members(tmp_path / "again")
    assert manifest.members.keys() == found.keys()
    assert (manifest.name, manifest.promoted) == (CONTENTS.name, CONTENTS.promoted)


def test_the_same_contents_give_the_same_bytes_in_any_order(bundle, tmp_path):
    (tmp_path / "again").mkdir()
    members = dict(reversed(small_members(tmp_path / "again").items()))
    write_bundle(tmp_path / "other.lstm", CONTENTS, members)
    assert (tmp_path / "other.lstm").read_bytes() == bundle.read_bytes()
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_any_flipped_byte_is_noticed(bundle, refused, tmp_path):
    whole, rng = bundle.read_bytes(), np.random.default_rng(1)
    places = {0, 3, 4, len(whole) - 1, *rng.permutation(len(whole))[:200].tolist()}
    damaged = tmp_path / "damaged.lstm"
    for place in sorted(places):
        data = bytearray(whole)
        data[place] ^= int(rng.integers(1, 256))
        damaged.write_bytes(data)
        assert refused(damaged)
    assert not (tmp_path / "unpacked").exists()


def test_a_cut_or_longer_file_is_refused(bundle, refused, tmp_path):
    whole, damaged = bundle.read_bytes(), tmp_path / "damaged.lstm"
    for data in (b"", whole[:2], whole[:40], whole[: len(whole) // 2], whole[:-1], whole + b"\0", whole + whole):
        damaged.write_bytes(data)
        assert refused(damaged)
    damaged.write_bytes(b"MThd" + whole)
    assert "another kind of file" in refused(damaged)
    assert "no such file" in refused(tmp_path / "gone.lstm")
    assert "got a folder" in refused(tmp_path)


def test_a_plain_zip_is_no_bundle(refused, tmp_path):
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        archive.writestr("song.mid", bytes(1000))
    assert "cut or changed" in refused(tmp_path / "plain.zip")


NAMES = [
    "../evil.json",
    "/etc/evil.json",
    f"model/{'ab' * 32}/../../evil.json",
    f"model/{'ab' * 32}/..json",
    f"model/{'ab' * 32}/evil.py",
    f"model/{'ab' * 32}/evil.pkl",
    f"generations/{'ab' * 32}/evil.json",
    "current.json",
    "model\\evil.json",
    "C:evil.json",
    "blobs/ab/" + "cd" * 32,
    "README.md\n",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_of_another_name_is_refused(bundle, refused, tmp_path, name):
    with zipfile.ZipFile(tmp_path / "names.zip", "w") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"{}")
    with zipfile.ZipFile(tmp_path / "names.zip") as archive:
        written = archive.namelist()[0]
    info = zipfile.ZipInfo("x")
    info.filename = written
    path = tampered(bundle, tmp_path / "tampered.lstm", lambda members: [*members, (info, b"{}")])
    assert "expected only members of a bundle" in refused(path)
    assert not (tmp_path / "unpacked").exists()


def test_members_too_many_missing_doubled_and_linked_are_refused(bundle, refused, tmp_path):
    to = tmp_path / "tampered.lstm"
    more = f"model/{'11' * 32}/history.json"
    assert f"a member is too many: {more}" in refused(tampered(bundle, to, lambda members: [*members, (more, b"{}")]))
    missing = tampered(bundle, to, lambda members: [one for one in members if one[0] != WEIGHTS])
    assert f"a member is missing: {WEIGHTS}" in refused(missing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the name
        doubled = tampered(bundle, to, lambda members: [*members, members[1]])
    assert "2 times" in refused(doubled)
    without = tampered(bundle, to, lambda members: [one for one in members if one[0] != MANIFEST])
    assert f"without {MANIFEST}" in refused(without)
    link = zipfile.ZipInfo("README.md")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    linked = tampered(
        bundle, to, lambda members: [(link, data) if name == link.filename else (name, data) for name, data in members]
    )
    assert "symbolic link" in refused(linked)


def test_a_file_that_ends_after_its_first_bytes_is_called_cut(bundle, refused, tmp_path):
    path = tmp_path / "short.lstm"
    for size in (4, 60, 90):
        path.write_bytes(bundle.read_bytes()[:size])
        assert "was cut or changed" in refused(path)


def test_other_bytes_of_a_member_are_refused(bundle, refused, tmp_path):
    path = tampered(
        bundle,
        tmp_path / "tampered.lstm",
        lambda members: [(name, data[::-1] if name == WEIGHTS else data) for name, data in members],
    )
    assert f"{WEIGHTS}: its bytes are not those that were written" in refused(path)


def test_declared_sizes_that_lie_are_refused(bundle, refused, tmp_path):
    """The directory at the end of the zip says another size than the member has: fewer bytes, or more."""
    whole = bundle.read_bytes()
    at = whole.rindex(b"PK\x01\x02", 0, whole.rindex(WEIGHTS.encode()))
    for size in (1, 10_000, 1 << 31):
        data = bytearray(whole)
        data[at + 24 : at + 28] = struct.pack("<L", size)
        path = tmp_path / "lies.lstm"
        path.write_bytes(data)
        assert f"{size:,} declared" in refused(sealed(path))


def test_bombs_are_refused_before_they_are_unpacked(bundle, refused, tmp_path, monkeypatch):
    bomb = bytes(8 << 20)
    members = {**small_members(tmp_path / "bomb"), "README.md": bomb} if (tmp_path / "bomb").mkdir() is None else {}
    write_bundle(tmp_path / "bomb.lstm", CONTENTS, members)
    assert "unpacks to more than 200 times" in refused(tmp_path / "bomb.lstm")
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 100)
    assert "expected 100 unpacked bytes at most" in refused(bundle)
    monkeypatch.setattr(reading, "MOST_MEMBERS", 3)
    assert "a zip of 3 members at most" in refused(bundle)
    monkeypatch.setattr(reading, "MOST_BYTES", 300)
    assert "expected 300 bytes at most" in refused(bundle)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "expected lstm-music bundle 1, got lstm-music bundle 2; use the version of lstm-music"),
        ({"format": "another"}, "got another 1"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"name": 3}, "name: Input should be a valid string"),
        ({"promoted": {"dataset": "x"}}, "promoted.dataset"),
        ({"members": {"README.md": {"bytes": -1, "sha256": "ab" * 32}}}, "members.README.md.bytes"),
    ],
)
def test_another_version_or_list_of_members_is_refused(bundle, refused, tmp_path, change, said):
    def other(data):
        content = json.loads(data)
        del content["sha256"]
        return dump_checksummed({**content, **change})

    path = tampered(bundle, tmp_path / "tampered.lstm", lambda members: with_manifest(members, other))
    assert said in refused(path)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": "lstm-music bundle"}'])
def test_a_list_of_members_that_is_none_is_refused(bundle, refused, tmp_path, data):
    path = tampered(bundle, tmp_path / "tampered.lstm", lambda members: with_manifest(members, lambda _old: data))
    assert "are not those that were written" in refused(path)


def header(value, data=b""):
    text = json.dumps(value).encode()
    return len(text).to_bytes(8, "little") + text + data


F4 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
PICKLED = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
    + b"\n"
    + b"x" * 8
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (WEIGHTS, b""),
        (WEIGHTS, (1 << 40).to_bytes(8, "little") + b"{}"),
        (WEIGHTS, (arrays.MOST_HEADER_BYTES + 1).to_bytes(8, "little") + b" " * (arrays.MOST_HEADER_BYTES + 1)),
        (WEIGHTS, header({"a": F4})),
        (WEIGHTS, header({"a": F4}, bytes(5))),
        (WEIGHTS, header({"a": F4, "b": F4}, bytes(8))),
        (WEIGHTS, header({"a": {**F4, "shape": [2]}}, bytes(4))),
        (WEIGHTS, header({"a": {**F4, "shape": [-1]}}, bytes(4))),
        (WEIGHTS, header({"a": {**F4, "dtype": "O"}}, bytes(4))),
        (WEIGHTS, header(["a"])),
        (TOKENS, b"\x93NUMPY"),
        (TOKENS, PICKLED),
        (TOKENS, small_members),
        ("README.json", b"{"),
        ("README.json", b"[" * 100_000),
    ],
)
def test_an_array_that_declares_what_it_does_not_hold_is_refused(name, data, tmp_path):
    if callable(data):
        data = data(tmp_path)[name][:-1]
    with pytest.raises(BundleError, match="is not what its name says"):
        arrays.require_sound(f"x.lstm: {name}", name, data)


def test_no_file_of_the_user_is_replaced(tmp_path, bundle):
    path = tmp_path / "song.mid"
    path.write_bytes(b"MThd")
    with pytest.raises(BundleError, match="got that of another file"):
        write_bundle(path, CONTENTS, {})
    assert path.read_bytes() == b"MThd"
    with pytest.raises(BundleError, match="its folder is missing"):
        write_bundle(tmp_path / "gone" / "x.lstm", CONTENTS, {})
    write_bundle(bundle, CONTENTS, {"README.md": b""})
    assert read_bundle(bundle, tmp_path / "unpacked").members.keys() == {"README.md"}

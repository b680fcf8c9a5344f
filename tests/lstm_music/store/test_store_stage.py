import pickle
from dataclasses import replace
from importlib import metadata

import pytest

from lstm_music.errors import StorageError
from lstm_music.store import ArtifactRef, Stage
from lstm_music.store import stage as stage_module

KEY = "0123456789abcdef" * 4
RAW = ArtifactRef("raw", KEY)
STAGE = Stage("notes", 1, {"a": 1, "b": [2]}, (RAW,), ("numpy", "pyarrow"))


def test_a_reference_reads_as_its_kind_and_the_start_of_its_key():
    assert str(RAW) == "raw/0123456789abcdef"


def test_references_sort_compare_and_travel():
    assert sorted([RAW, ArtifactRef("b", KEY), ArtifactRef("a", KEY)])[:2] == [
        ArtifactRef("a", KEY),
        ArtifactRef("b", KEY),
    ]
    assert pickle.loads(pickle.dumps(RAW)) == RAW
    assert ArtifactRef(**RAW.to_json()) == RAW
    assert {RAW: 1}[ArtifactRef("raw", KEY)] == 1


@pytest.mark.parametrize("kind", ["", "Raw", "../raw", "raw/notes", ".partial", "blobs", "a b", "9", "raw\n"])
def test_a_kind_that_is_no_plain_name_is_refused(kind):
    with pytest.raises(StorageError, match="artifact kind: expected lower-case"):
        ArtifactRef(kind, KEY)


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "0", KEY.upper(), "../" * 21 + "a", KEY + "\n"])
def test_a_key_that_is_no_digest_is_refused(key):
    with pytest.raises(StorageError, match="artifact key: expected 64 "):
        ArtifactRef("raw", key)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "events"},
        {"format_version": 2},
        {"spec": {"a": 1, "b": [3]}},
        {"spec": {"a": "1", "b": [2]}},
        {"inputs": ()},
        {"inputs": (RAW, RAW)},
        {"inputs": (ArtifactRef("other", KEY),)},
        {"libraries": ("numpy",)},
    ],
    ids=str,
)
def test_whatever_decides_bytes_changes_the_key(changes):
    assert replace(STAGE, **changes).ref.key != STAGE.ref.key


@pytest.mark.parametrize(
    "changes", [{"spec": {"b": (2,), "a": 1}}, {"libraries": ("pyarrow", "numpy")}, {"plain_names": True}], ids=str
)
def test_nothing_else_does(changes):
    assert replace(STAGE, **changes).ref == STAGE.ref


def test_the_order_of_inputs_decides_bytes():
    other = ArtifactRef("other", KEY)
    assert replace(STAGE, inputs=(RAW, other)).ref != replace(STAGE, inputs=(other, RAW)).ref


def test_the_key_is_the_same_in_every_process_and_on_every_machine(monkeypatch):
    monkeypatch.setattr(stage_module, "installed_version", {"numpy": "2.0", "pyarrow": "26.0"}.__getitem__)
    assert STAGE.ref.key == "4b183fceee6171aff1cef9a0b7f360eebe341ef1eacbf0132d73681ea5af9b5b"


def test_another_version_of_a_library_is_another_key(monkeypatch):
    before = STAGE.ref
    monkeypatch.setattr(stage_module, "installed_version", lambda _name: "0.0")
    assert STAGE.ref != before


def test_versions_are_those_that_are_installed():
    assert STAGE.identity()["libraries"] == {name: metadata.version(name) for name in ("numpy", "pyarrow")}


def test_a_library_that_is_not_installed_is_said():
    with pytest.raises(StorageError, match="no-such-distribution: not installed"):
        _ = Stage("notes", 1, {}, libraries=("no-such-distribution",)).ref

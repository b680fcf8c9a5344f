"""The chorales that come with music21."""

from dataclasses import replace

import pytest

from lstm_music.errors import SourceError
from lstm_music.sources import corpus
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import Found, Refused


def test_the_371_chorales_stand_in_350_files():
    source = Corpus()
    entries = list(source.entries())
    names = [entry.name for entry in entries]
    assert {type(entry) for entry in entries} == {Found}
    assert len(names) == 371
    assert len(set(names)) == 350
    assert names == sorted(names)
    assert {"bach/bwv269.mxl", "bach/bwv277.mxl", "bach/bwv18.5-lz.mxl"} <= set(names)
    assert source.describe(names[0]).composer == "bach"
    assert "license.txt" in source.describe(names[0]).licence
    assert "Bach" in source.title


def test_a_chorale_is_chosen_by_its_whole_name_and_mxl_before_kern(tmp_path, monkeypatch):
    (tmp_path / "bach").mkdir()
    for name in ("bwv1.krn", "bwv1.mxl", "bwv1-a.mxl", "bwv2-long.xml", "bwv2.txt"):
        (tmp_path / "bach" / name).write_bytes(name.encode())
    stems = lambda _: iter(["bach/bwv3", "bach/bwv1", "bach/bwv2", "bach/bwv1"])  # noqa: E731
    chorales = replace(corpus.COLLECTIONS["chorales"], stems=stems)
    monkeypatch.setattr(corpus, "COLLECTIONS", {"chorales": chorales})
    assert list(Corpus(folder=tmp_path).entries()) == [
        Found("bach/bwv1.mxl", b"bwv1.mxl"),
        Found("bach/bwv1.mxl", b"bwv1.mxl"),
        Found("bach/bwv2-long.xml", b"bwv2-long.xml"),
        Refused("bach/bwv3.mxl", "cannot be read: No such file or directory"),
    ]


def test_a_music21_without_its_corpus_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="the installed music21 has no corpus"):
        Corpus(folder=tmp_path)


def test_quartets_are_all_files_of_three_composers_and_mxl_comes_before_kern(tmp_path):
    for name in ("haydn/op1/one.mxl", "mozart/k1.krn", "beethoven/op18/1.krn", "beethoven/op18/1.mxl", "bach/bwv1.mxl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    source = Corpus("corpus:quartets", tmp_path)
    names = [entry.name for entry in source.entries()]
    assert names == ["beethoven/op18/1.mxl", "haydn/op1/one.mxl", "mozart/k1.krn"]
    assert [source.describe(name).composer for name in names] == ["beethoven", "haydn", "mozart"]


def test_an_unknown_collection_is_no_source():
    with pytest.raises(
        SourceError, match=r"'corpus:quartet': expected corpus, or one of .*corpus:quartets, corpus:pal"
    ):
        Corpus("corpus:quartet")

"""The seam of the sources: what a person typed, and every source that there is."""

import pytest
from kaggle_server import Dataset

from lstm_music.errors import SourceError
from lstm_music.sources.archive import Archive
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.catalogue import SOURCES, fetch_source, open_source
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import Credit, Found, Ignored, Refused
from lstm_music.sources.file import File
from lstm_music.sources.folder import Folder
from lstm_music.sources.kaggle import DEFAULT_DATASET, Kaggle
from lstm_music.store import Store


@pytest.fixture
def texts(tree, tree_zip, kaggle, s3, machine):
    """Something to open for every kind of source; a new kind needs a text here."""
    kaggle.datasets["alice/music"] = Dataset(tree_zip.read_bytes())
    local = {"corpus": "corpus", "folder": str(tree), "archive": str(tree_zip), "file": str(tree / "top.abc")}
    url = s3.new_bucket()
    for path in (path for path in tree.rglob("*") if path.is_file()):
        s3.put(f"{url}/{path.relative_to(tree)}", path.read_bytes())
    return {**local, "kaggle": "kaggle:alice/music", "bucket": url}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_yields_the_same_sorted_entries_twice(kind, texts, tmp_path):
    source = fetch_source(texts[kind], Store(tmp_path / "storage"), lambda _here, _all: None)
    first, second = list(source.entries()), list(source.entries())
    names = [entry.name for entry in first]
    assert first == second
    assert names == sorted(names)
    assert {type(entry) for entry in first} <= {Found, Refused, Ignored}
    assert isinstance(source.describe(names[0]), Credit)
    assert source.title


def test_what_a_person_types_opens_the_source_that_they_mean(texts, tmp_path):
    (tmp_path / "UPPER.ZIP").write_bytes((tmp_path / "music.zip").read_bytes())
    assert isinstance(open_source(texts["corpus"]), Corpus)
    assert isinstance(open_source(texts["folder"]), Folder)
    assert isinstance(open_source(texts["archive"]), Archive)
    assert isinstance(open_source(texts["file"]), File)
    assert isinstance(open_source(texts["kaggle"]), Kaggle)
    assert isinstance(open_source(texts["bucket"]), Bucket)
    assert open_source("kaggle").dataset == DEFAULT_DATASET
    assert isinstance(open_source(str(tmp_path / "UPPER.ZIP")), Archive)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kaggle:music", "expected kaggle:OWNER/NAME, .*, got "),
        ("no/such/place", "source 'no/such/place': not found; expected 'corpus', 'kaggle', the path of a folder"),
        ("", "source '': not found"),
        ("x" * 5000, "not found"),
        ("nul\0", "not found"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(text, message):
    with pytest.raises(SourceError, match=message):
        open_source(text)


def test_a_file_that_is_no_music_is_no_source(tree):
    with pytest.raises(SourceError, match=r"expected a folder, a \.zip or a music file \(\.mid .*, got .*notes\.txt'"):
        open_source(str(tree / "bach" / "notes.txt"))

"""Tune books: each tune is an input with its own bytes, name and credit, whatever source the book is in."""

import zipfile

import pytest
from small_music import tiny_recipe

from lstm_music.errors import SourceError
from lstm_music.scores.abc import read
from lstm_music.sources import books
from lstm_music.sources.archive import Archive
from lstm_music.sources.books import credit_of, one_tune, pieces_of, tune_names
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.entry import Credit, Found, Ignored, Refused
from lstm_music.sources.file import File
from lstm_music.sources.folder import Folder
from lstm_music.sources.inbox import Inbox, is_from_inbox
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.store import Store

BOOK = """\
%abc-2.1
L:1/4
Z:somebody
A book of tunes

The Reels, in C: a chapter.

X:1
T:First / one
T:Another title
C:Anna
C:Ben
S:a session
O:Ireland
M:4/4
K:C
CDEF|

Between the tunes stands text.

X:12
T:Second
M:4/4
K:G
%%begintext
X:99
%%endtext
F4|

X:12
T:Second
M:4/4
K:D
F4|
"""
ONE = "X:7\nT:Alone\nC:Clara\nL:1/4\nK:C\nc|\n"
NAMES = ["1 First - one", "12 Second", "12 Second (2)"]


def tunes(text, name="book.abc"):
    return list(pieces_of([Found(name, text.encode())]))


def test_each_tune_is_an_input_with_the_file_header_and_its_own_bytes():
    first, second, third = tunes(BOOK)
    assert [tune.name for tune in (first, second, third)] == [f"book.abc/{name}.abc" for name in NAMES]
    assert {tune.book for tune in (first, second, third)} == {"book.abc"}
    assert third.data == b"%abc-2.1\nL:1/4\nZ:somebody\n\nX:12\nT:Second\nM:4/4\nK:D\nF4|\n"
    assert [[note.pitch for note in read(tune.data.decode()).notes] for tune in (first, second, third)] == [
        [60, 62, 64, 65],
        [66],
        [66],
    ]
    assert read(first.data.decode()).warnings == ()


def test_a_tune_has_the_same_bytes_wherever_it_stands_in_the_book():
    header, one, two = "L:1/4\n\n", "X:1\nT:a\nK:C\nc|\n", "X:2\nT:b\nK:C\nd|\n"
    there = {tune.data for tune in tunes(f"{header}{one}\n{two}")}
    assert there == {tune.data for tune in tunes(f"{header}{two}\n\n% a comment\n\n{one}\n\nSome text\n\n\n")}


def test_a_file_of_one_tune_and_other_files_stay_as_they_are():
    entries = [
        Found("a.abc", ONE.encode()),
        Found("b.mid", BOOK.encode()),
        Ignored("c.txt"),
        Refused("d.abc", "is gone"),
    ]
    assert list(pieces_of(entries)) == entries
    text_before = Found("e.abc", b"About X:1\n\n" + ONE.encode())
    assert list(pieces_of([text_before])) == [text_before]
    no_number = Found("f.abc", b"T:about X:1\nK:C\nc|\n")
    assert list(pieces_of([no_number])) == [no_number]


@pytest.mark.parametrize(("newline", "encoding"), [("\r\n", "utf-8"), ("\r", "utf-8-sig"), ("\n", "latin-1")])
def test_line_ends_and_encodings_of_all_kinds_are_read(newline, encoding):
    text = f"{ONE}\nX:8\nT:Lève\nL:1/4\nK:C\nd|\n".replace("\n", newline)
    first, second = pieces_of([Found("x.abc", text.encode(encoding))])
    assert [first.name, second.name] == ["x.abc/7 Alone.abc", "x.abc/8 Lève.abc"]
    assert [tune.name for tune in (first, second)] == [
        f"x.abc/{name}.abc" for name in tune_names(text.encode(encoding))
    ]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("X:3\nT:\nT:Later", "3 Later"),
        ("X:3", "3"),
        ("X:", "1"),
        ("X: 3 % three\nT:A  B\t% no", "3 A B"),
        ("X:3\nT:../../etc", "3 ..-..-etc"),
        ("X:3\nT:a\\b\x1b[31m\u202e", "3 ab\ufffd[31m\ufffd"),
        ("X:3\nT:" + "long " * 40, "3 " + ("long " * 40)[:77].rstrip() + "…"),
    ],
)
def test_names_are_safe_and_short(fields, name):
    first, _ = tunes(f"{fields}\nK:C\nc|\n\n{ONE}")
    assert first.name == f"book.abc/{name}.abc"


def test_a_tune_credits_its_composer_and_where_it_is_from():
    of_source = Credit("folk", "my music", "not stated")
    first, second, _ = tunes(BOOK)
    assert credit_of(first, of_source) == Credit("Anna, Ben", "my music: a session; Ireland", "not stated")
    assert credit_of(second, of_source) == of_source
    assert credit_of(Found("a.abc", ONE.encode()), of_source).composer == "Clara"
    assert credit_of(Found("a.mid", ONE.encode()), of_source) == of_source


def test_every_kind_of_source_gives_the_same_tunes(tmp_path):
    folder = tmp_path / "music" / "folk"
    folder.mkdir(parents=True)
    (folder / "book.abc").write_text(BOOK, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "music.zip", "w") as archive:
        archive.write(folder / "book.abc", "folk/book.abc")
    root = tmp_path / "music"
    sources = [Folder(str(root)), Archive(str(tmp_path / "music.zip")), Bucket(f"file://{root}"), Inbox(str(root))]
    found = [[(tune.name.removeprefix("inbox/"), tune.data) for tune in pieces_of(one.entries())] for one in sources]
    assert found == [found[0]] * 4
    assert [name for name, _ in found[0]] == [f"folk/book.abc/{name}.abc" for name in NAMES]
    alone = pieces_of(File(str(folder / "book.abc")).entries())
    assert [tune.name for tune in alone] == [f"book.abc/{name}.abc" for name in NAMES]


def test_the_table_of_inputs_has_a_row_for_each_tune(tmp_path):
    folder = tmp_path / "music" / "folk"
    folder.mkdir(parents=True)
    (folder / "book.abc").write_text(BOOK + f"\n{ONE}\n{ONE}", encoding="utf-8")
    (folder / "one.abc").write_text(ONE, encoding="utf-8")
    store = Store(tmp_path / "storage")
    rows = read_inputs(store, ingest(store, tiny_recipe(), str(tmp_path / "music")))
    names = [*NAMES, "7 Alone", "7 Alone (2)"]
    assert [row.name for row in rows] == [*(f"folk/book.abc/{name}.abc" for name in names), "folk/one.abc"]
    assert [row.status for row in rows] == ["accepted"] * 4 + ["duplicate", "accepted"]
    assert [(row.composer, row.source) for row in rows[:2]] == [
        ("Anna, Ben", "music: a session; Ireland"),
        ("folk", "music"),
    ]
    assert {row.format for row in rows} == {"abc"}
    assert all(store.get_blob(row.piece_id)[-2:] == b"|\n" for row in rows)


@pytest.mark.parametrize(
    ("include", "exclude", "taken"),
    [
        (("*.abc",), (), 3),
        (("folk/book.abc",), (), 3),
        (("folk/book.abc/12 *",), (), 2),
        (("*",), ("folk/book.abc/1 *",), 2),
        (("*",), ("folk/book.abc",), 0),
        (("*.mid",), (), 0),
    ],
)
def test_a_recipe_chooses_tunes_by_name_or_the_whole_book(include, exclude, taken):
    recipe = tiny_recipe().model_copy(update={"include": include, "exclude": exclude})
    assert sum(recipe.takes(tune.name, None, tune.book) for tune in tunes(BOOK, "folk/book.abc")) == taken


def test_a_tune_in_the_inbox_counts_as_from_there(tmp_path):
    (tmp_path / "book.abc").write_text(BOOK, encoding="utf-8")
    inbox = Inbox(str(tmp_path))
    for tune in pieces_of(inbox.entries()):
        credit = credit_of(tune, inbox.describe(tune.book))
        assert is_from_inbox(tune.name, credit.source)
        assert credit.composer in ("", "Anna, Ben")


def test_a_prompt_takes_one_tune_of_a_book():
    book = Found("book.abc", BOOK.encode())
    first, second, third = tunes(BOOK)
    assert one_tune(book, "1") == first
    assert one_tune(book, "12 Second") == second
    assert one_tune(book, "12 Second (2).abc") == third
    alone = Found("one.abc", ONE.encode())
    assert one_tune(alone) == alone
    with pytest.raises(
        SourceError, match=r"book.abc: expected one of its 3 tunes, such as book.abc/1 First - one \(.*got the whole"
    ):
        one_tune(book)
    with pytest.raises(SourceError, match="got '12', which names 2 of them"):
        one_tune(book, "12")
    with pytest.raises(SourceError, match="got '5', which names none of them"):
        one_tune(book, "5")


def test_a_book_that_would_grow_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(books, "MOST_TUNES", 2)
    (refused,) = tunes(BOOK)
    assert refused == Refused("book.abc", "is a book of more than 2 tunes; divide it")
    monkeypatch.setattr(books, "MOST_TUNES", 3)
    monkeypatch.setattr(books, "_MOST_BYTES", len(BOOK))
    (refused,) = tunes(BOOK)
    assert "is a book whose tunes, each with the file header, have more than" in refused.reason

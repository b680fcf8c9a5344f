"""Splits: whole pieces, copies in one split, and no piece that moves when others are added."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lstm_music.encoding.splits import SPLITS, PieceIdentity, SplitSpec, assign, draw_splits, music_hash
from lstm_music.errors import NotEnoughMusicError, RecipeError
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, Tempo

SPEC = SplitSpec()
BY_FOLDER = SplitSpec(by="folder")
BY_EVENT = SplitSpec(by="random_windows", validation=0.2, test=0.1)


def drawn(share: float, piece: str = "") -> PieceIdentity:
    """A piece whose music hash lies at `share` of all hashes: below 0.1 test, below 0.2 validation."""
    music = f"{int(share * 2**64):016x}" + "0" * 48
    piece = piece or f"id{share}"
    return PieceIdentity(piece, music, (f"{piece}.mid",))


def found(piece: str, *names: str, music: str = "") -> PieceIdentity:
    return PieceIdentity(piece, music or f"{piece:0>64}", names)


def ids_of(splits):
    return splits.train, splits.validation, splits.test


def test_the_music_decides_the_split():
    splits = assign([drawn(0.05), drawn(0.15), drawn(0.2), drawn(0.999), drawn(0.0)], SPEC)
    assert ids_of(splits) == (("id0.2", "id0.999"), ("id0.15",), ("id0.0", "id0.05"))
    assert splits.moved == splits.leaks == ()


def test_the_recipe_decides_the_shares():
    pieces = [drawn(number / 1000) for number in range(1000)]
    splits = assign(pieces, SplitSpec(validation=0.25, test=0.125))
    assert [len(ids) for ids in ids_of(splits)] == [625, 250, 125]


@given(st.lists(st.floats(0, 0.999), min_size=1, unique=True), st.randoms())
def test_every_piece_is_in_one_split_whatever_the_order(shares, random):
    pieces = [drawn(share) for share in shares]
    splits = assign(pieces, SPEC)
    assert sorted(id_ for ids in ids_of(splits) for id_ in ids) == sorted(piece.piece_id for piece in pieces)
    assert all(ids == tuple(sorted(ids)) for ids in ids_of(splits))
    random.shuffle(pieces)
    assert assign(pieces, SPEC) == splits


@given(st.sets(st.integers(0, 99), max_size=30))
def test_a_piece_keeps_its_split_when_others_are_added(added):
    first = [drawn(0.05), drawn(0.15), drawn(0.5)]
    before = assign(first, SPEC)
    after = assign([*first, *(drawn(number / 100 + 0.001) for number in added)], SPEC)
    for old, new in zip(ids_of(before), ids_of(after), strict=True):
        assert set(old) <= set(new)


def test_copies_stay_in_one_split():
    copies = [drawn(0.5, f"copy{number}") for number in range(5)]
    splits = assign([*copies, drawn(0.6), drawn(0.7)], SPEC)
    assert splits.validation == tuple(f"copy{number}" for number in range(5))
    assert splits.moved == (
        "The validation split would be empty, so 'copy0.mid' (and 4 copies of its music) moved there from train",
        "The test split would be empty, so 'id0.6.mid' moved there from train",
    )


def version(share: float, family: str) -> PieceIdentity:
    return replace(drawn(share), family=family)


def test_a_family_goes_to_the_earliest_split_that_is_drawn_for_any_of_it():
    mixed = [
        version(0.05, "a"),
        version(0.5, "a"),
        version(0.15, "b"),
        version(0.01, "b"),
        version(0.02, "c"),
        drawn(0.16),
    ]
    splits = assign([*mixed, version(0.03, "c")], SPEC)
    assert ids_of(splits) == (("id0.05", "id0.5"), ("id0.01", "id0.15", "id0.16"), ("id0.02", "id0.03"))


@given(
    st.lists(
        st.tuples(st.integers(0, 99).map(lambda part: part / 100), st.sampled_from(["", "a", "b", "c", "d"])),
        min_size=1,
        unique=True,
    )
)
def test_no_new_version_makes_a_training_piece_held_out(found):
    pieces = [replace(drawn(share, f"id{number}"), family=family) for number, (share, family) in enumerate(found)]
    # No drawn share is one of these, so that they stay, and no split is ever empty.
    everyone = [drawn(1 - 2**-40, "x"), drawn(0.1 + 2**-40, "y"), drawn(2**-40, "z"), *pieces]
    seen: set[str] = set()
    for stop in range(3, len(everyone) + 1):
        splits = assign(everyone[:stop], SPEC)
        assert seen <= set(splits.train)
        seen = set(splits.train)
    for family in "abcd":
        members = {piece.piece_id for piece in pieces if piece.family == family}
        assert sum(bool(members & set(ids)) for ids in ids_of(splits)) <= 1


def test_copies_of_two_versions_join_their_families():
    copies = [version(0.15, "a"), replace(drawn(0.15, "copy"), family="b")]
    splits = assign([*copies, version(0.05, "a"), version(0.5, "b"), drawn(0.16), drawn(0.01)], SPEC)
    assert splits.train == ("copy", "id0.05", "id0.15", "id0.5")


def test_a_family_moves_as_a_whole_to_an_empty_split():
    splits = assign([version(0.5, "a"), version(0.51, "a"), drawn(0.6), drawn(0.7)], SPEC)
    assert splits.validation == ("id0.5", "id0.51")
    assert splits.moved[0] == (
        "The validation split would be empty, so 'id0.5.mid' (and 1 version of its music) moved there from train"
    )


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        # shares below 0.1 are drawn to test, below 0.2 to validation, the others to train
        ([0.5], ([0.5], [], [])),
        ([0.05], ([0.05], [], [])),
        ([0.15], ([0.15], [], [])),
        ([0.5, 0.6], ([0.6], [0.5], [])),
        ([0.05, 0.06], ([0.05], [0.06], [])),
        ([0.05, 0.5], ([0.5], [0.05], [])),
        ([0.15, 0.5], ([0.5], [0.15], [])),
        ([0.05, 0.15], ([0.05], [0.15], [])),
        ([0.5, 0.6, 0.7], ([0.7], [0.5], [0.6])),
        ([0.05, 0.06, 0.07], ([0.05], [0.06], [0.07])),
        ([0.15, 0.16, 0.5], ([0.5], [0.16], [0.15])),
        ([0.05, 0.06, 0.5], ([0.5], [0.05], [0.06])),
        ([0.15, 0.5, 0.6], ([0.6], [0.15], [0.5])),
    ],
)
def test_empty_splits_are_filled_train_first_then_validation(shares, expected):
    splits = assign([drawn(share) for share in shares], SPEC)
    assert ids_of(splits) == tuple(tuple(f"id{share}" for share in shares_of_split) for shares_of_split in expected)
    assert splits.moved


def test_splits_that_stay_empty_are_reported():
    assert assign([drawn(0.5)], SPEC).moved == (
        "The validation split is empty: there are too few pieces",
        "The test split is empty: there are too few pieces",
    )


def test_a_split_without_a_share_stays_empty():
    splits = assign([drawn(0.05), drawn(0.5)], SplitSpec(validation=0, test=0))
    assert ids_of(splits) == (("id0.05", "id0.5"), (), ())
    assert splits.moved == ()


@pytest.mark.parametrize("spec", [SPEC, BY_FOLDER, BY_EVENT])
def test_a_split_of_no_pieces_is_an_error(spec):
    with pytest.raises(NotEnoughMusicError, match="no piece to split"):
        assign([], spec)


@pytest.mark.parametrize(
    "values",
    [{"validation": -0.1}, {"test": 1.0}, {"validation": 0.5, "test": 0.5}, {"by": "composer"}, {"tests": 0.1}],
)
def test_an_invalid_spec_is_rejected(values):
    with pytest.raises(ValidationError):
        SplitSpec.model_validate(values)


def test_folders_decide_the_split_if_the_recipe_says_so():
    splits = assign(
        [
            found("b", "jsb/train/b.mid"),
            found("a", "jsb/Train/a.mid"),
            found("c", "test/jsb/valid/c.mid"),
            found("d", "VAL/d.mid"),
            found("e", "jsb/validation/e.mid"),
            found("f", "jsb/test/train.mid"),
        ],
        BY_FOLDER,
    )
    assert ids_of(splits) == (("a", "b"), ("c", "d", "e"), ("f",))
    assert splits.moved == splits.leaks == ()


def test_content_in_two_folders_is_in_both_splits_and_a_leak():
    splits = assign([found("a", "train/a.mid", "test/b.mid"), found("v", "val/v.mid")], BY_FOLDER)
    assert ids_of(splits) == (("a",), ("v",), ("a",))
    assert splits.leaks == ("The same music is in train and test: 'train/a.mid'",)


def test_a_transposed_copy_in_another_folder_is_a_leak():
    pieces = [found("a", "train/a.mid", music="0"), found("b", "test/b.mid", music="0"), found("c", "train/c.mid")]
    splits = assign(pieces, BY_FOLDER)
    assert ids_of(splits) == (("a", "c"), (), ("b",))
    assert splits.leaks == ("The same music is in train and test: 'train/a.mid' (and 1 copy of its music)",)
    assert splits.moved == ("The validation split is empty: no piece is in its folder",)


@pytest.mark.parametrize(
    ("piece", "where"),
    [(found("a", "train.mid", "x/a.mid"), "'train.mid', 'x/a.mid'"), (found("a"), "piece a without a name")],
)
def test_a_piece_outside_the_split_folders_is_an_error(piece, where):
    message = f"expected each piece in a folder train, validation or test, got {where}; move the file there"
    with pytest.raises(RecipeError, match=message):
        assign([found("b", "train/b.mid"), piece], BY_FOLDER)


def test_folders_without_train_are_an_error():
    with pytest.raises(NotEnoughMusicError, match="no piece is in a folder 'train'"):
        assign([found("a", "test/a.mid")], BY_FOLDER)


def test_a_piece_without_names_is_reported_by_its_id():
    pieces = [replace(drawn(share), names=()) for share in (0.5, 0.6, 0.05)]
    assert assign(pieces, SPEC).moved == ("The validation split would be empty, so id0.5 moved there from train",)


def test_random_windows_put_every_piece_in_every_split_and_report_the_leak():
    splits = assign([drawn(0.5, "b"), drawn(0.6, "c"), drawn(0.05, "a")], BY_EVENT)
    assert ids_of(splits) == (("a", "b", "c"),) * 3
    assert splits.moved == ()
    (leak,) = splits.leaks
    assert leak == "Each event is drawn for a split on its own, so every piece is in train, validation and test"


def test_events_are_drawn_in_the_shares_of_the_recipe():
    splits = draw_splits(100_000, BY_EVENT, 1)
    shares = np.bincount(splits, minlength=len(SPLITS)) / len(splits)
    assert dict(zip(SPLITS, shares, strict=True)) == pytest.approx(
        {"train": 0.7, "validation": 0.2, "test": 0.1}, abs=0.01
    )


@given(st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_the_random_seed_decides_the_splits_of_events(events, seed):
    first, again = (draw_splits(events, BY_EVENT, seed) for _ in range(2))
    assert len(first) == events
    assert first.tolist() == again.tolist()


def test_another_random_seed_draws_other_splits():
    assert draw_splits(200, BY_EVENT, 1).tolist() != draw_splits(200, BY_EVENT, 2).tolist()


def test_a_split_without_a_share_is_never_drawn():
    assert set(draw_splits(1000, SplitSpec(by="random_windows", validation=0, test=0.5), 1).tolist()) == {0, 2}


ROWS = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(20, 100)),
    min_size=1,
    max_size=20,
)


@given(ROWS, st.integers(-20, 20), st.integers(0, 1000), st.integers(1, 3))
def test_a_shifted_transposed_or_restyled_copy_has_the_same_hash(rows, semitones, later, scale):
    original = piece_of(rows)
    copy = piece_of([((onset + later) * scale, pitch + semitones) for onset, pitch in reversed(rows)], scale=scale)
    copy.notes["velocity"] = 3
    copy.notes["duration_ticks"] += 7
    copy.notes["track"] = 5
    assert music_hash(replace(copy, tempos=(Tempo(0, 1000),))) == music_hash(original)


@given(ROWS, st.integers(1, 30))
def test_other_music_has_another_hash(rows, up):
    last = max(onset for onset, _ in rows) + 480
    pitch = rows[0][1]
    one, other = piece_of([*rows, (last, pitch)]), piece_of([*rows, (last, pitch + up)])
    assert music_hash(one) != music_hash(other)
    assert music_hash(one) != music_hash(piece_of(rows))


def test_drums_do_not_count():
    with_drums = piece_of([(0, 60), (480, 62), (0, 35)])
    with_drums.notes["is_drum"] = with_drums.notes["pitch"] == 35
    assert music_hash(with_drums) == music_hash(piece_of([(0, 60), (480, 62)]))


def test_a_piece_without_notes_has_a_hash():
    assert len(music_hash(piece_of([]))) == 64


def piece_of(rows, scale: int = 1) -> PieceNotes:
    notes = np.zeros(len(rows), dtype=NOTE_DTYPE)
    notes["onset_ticks"] = [onset for onset, _ in rows]
    notes["pitch"] = [pitch for _, pitch in rows]
    return PieceNotes(480 * scale, notes)


def learnt(piece: PieceIdentity) -> PieceIdentity:
    return replace(piece, is_learnt=True)


def test_what_earlier_models_learnt_is_never_held_out():
    splits = assign([learnt(drawn(0.05)), drawn(0.06), learnt(drawn(0.15)), drawn(0.16), drawn(0.5)], SPEC)
    assert ids_of(splits) == (("id0.05", "id0.15", "id0.5"), ("id0.16",), ("id0.06",))
    (said,) = splits.moved
    assert (
        said
        == "The earlier models learnt 'id0.05.mid' and 1 more already, so they cannot test them: they are trained on"
    )


def test_a_version_of_what_was_learnt_is_trained_on():
    pieces = [replace(learnt(drawn(0.05)), family="a"), replace(drawn(0.15), family="a"), drawn(0.06), drawn(0.16)]
    assert assign(pieces, SplitSpec(group_versions=True)).train == ("id0.05", "id0.15")


def test_an_empty_split_is_not_filled_with_what_was_learnt():
    splits = assign([learnt(drawn(0.5)), learnt(drawn(0.6)), drawn(0.7)], SPEC)
    assert ids_of(splits) == (("id0.5", "id0.6"), ("id0.7",), ())
    assert splits.moved[-1] == "The test split is empty: there are too few pieces"

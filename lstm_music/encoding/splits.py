"""Which piece is trained on, and which only listened to: the sides of the split, by whole pieces.

A side is decided by what the music is, not by its name or place: a copy, or a transposed copy, lies on the same side,
and a piece never changes sides when others are added. A collection that comes in folders may decide for itself instead.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lstm_music.errors import NotEnoughMusicError, RecipeError
from lstm_music.midi.notes import PieceNotes

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SIDES = (TRAIN, VALIDATION, TEST)
_FOLDERS = {"train": TRAIN, "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "test": TEST}
_PARTS_PER_QUARTER = 480  # onsets are compared this finely, whatever a file's own ticks are


class SplitSpec(BaseModel):
    """How music is split: by a hash of the music of each piece, into these shares, or by the folders that pieces lie in.

    `random_windows` is the report's way: each event is drawn for a side on its own, whatever piece it is in. What is held out
    then lies between events that were trained on, so that every score on it is leaky.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["hash", "folder", "random_windows"] = "hash"
    validation: float = Field(default=0.1, ge=0, lt=1)
    test: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation} and test {self.test} leave nothing to train on: their sum must be less",
            )
        return self


@dataclass(frozen=True)
class PieceIdentity:
    """What decides the side of a piece: its music, and the names (posix paths) that its content was found under."""

    piece_id: str
    music_hash: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """The ids of the pieces of each side, in ascending order.

    `moved` are sentences for the user about sides that are, or would have been, empty. `leaks` are sentences about
    music that lies on two sides, which only folders bring about: a number on such a split must be called leaky.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    moved: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()


def music_hash(piece: PieceNotes) -> str:
    """Give the SHA-256 (hex) of a piece's pitched notes relative to the first onset and the first pitch.

    Onsets count to 1/480 of a quarter. Tempo, velocity, duration, tracks and drums do not count, so that an edited or
    transposed copy has the hash of its original.
    """
    pitched = piece.notes[~piece.notes["is_drum"]]
    ticks = pitched["onset_ticks"] - pitched["onset_ticks"].min(initial=np.iinfo(np.int64).max)
    onset = (2 * _PARTS_PER_QUARTER * ticks + piece.ticks_per_quarter) // (2 * piece.ticks_per_quarter)
    pitch = pitched["pitch"].astype(np.int64)
    order = np.lexsort((pitch, onset))
    relative = np.stack([onset[order], pitch[order] - pitch[order][:1]], axis=1)
    return hashlib.sha256(relative.astype("<i8").tobytes()).hexdigest()


def assign(pieces: Sequence[PieceIdentity], spec: SplitSpec) -> Splits:
    """Put every piece on its side.

    Raises NotEnoughMusicError where there is no piece, or none in a folder `train`; RecipeError where the split is by
    folder and a piece lies in none.
    """
    if not pieces:
        raise NotEnoughMusicError("There is no piece to split: at least one is needed to train on")
    if spec.by == "random_windows":
        return _assign_to_every_side(pieces)
    return _assign_by_folder(pieces) if spec.by == "folder" else _assign_by_hash(pieces, spec)


def draw_sides(events: int, spec: SplitSpec, random_seed: int) -> npt.NDArray[np.uint8]:
    """Draw a side for each of so many events: indexes into `SIDES`."""
    share = np.random.default_rng([random_seed, 3]).random(events)
    return np.where(share < spec.test, 2, np.where(share < spec.test + spec.validation, 1, 0)).astype(np.uint8)


def _assign_to_every_side(pieces: Sequence[PieceIdentity]) -> Splits:
    ids = tuple(sorted(piece.piece_id for piece in pieces))
    leak = "Events are drawn for a side one by one, so every piece lies in train, validation and test"
    return Splits(train=ids, validation=ids, test=ids, leaks=(leak,))


def _assign_by_hash(pieces: Sequence[PieceIdentity], spec: SplitSpec) -> Splits:
    groups = _groups(pieces)
    side_of = {music: _drawn_side(music, spec) for music in groups}
    moved = tuple(_fill_empty_sides(side_of, groups, spec))
    ids = {
        side: tuple(sorted(piece.piece_id for piece in pieces if side_of[piece.music_hash] == side)) for side in SIDES
    }
    return Splits(train=ids[TRAIN], validation=ids[VALIDATION], test=ids[TEST], moved=moved)


def _groups(pieces: Sequence[PieceIdentity]) -> dict[str, list[PieceIdentity]]:
    """Give the pieces of each music, by id."""
    groups: dict[str, list[PieceIdentity]] = defaultdict(list)
    for piece in sorted(pieces, key=lambda piece: piece.piece_id):
        groups[piece.music_hash].append(piece)
    return groups


def _drawn_side(music: str, spec: SplitSpec) -> str:
    share = int(music[:16], 16) / 2**64
    if share < spec.test:
        return TEST
    return VALIDATION if share < spec.test + spec.validation else TRAIN


def _fill_empty_sides(
    side_of: dict[str, str],
    groups: Mapping[str, Sequence[PieceIdentity]],
    spec: SplitSpec,
) -> list[str]:
    """Move the group of the smallest hash to each side that is wanted and empty; give a sentence for each.

    Train is filled first, then validation, then test. A side's last group moves only to a side that is filled earlier.
    """
    wanted = [TRAIN]
    wanted += [VALIDATION] if spec.validation > 0 else []
    wanted += [TEST] if spec.test > 0 else []
    sentences = []
    for rank, side in enumerate(wanted):
        if side in side_of.values():
            continue
        movable = _movable(side_of, filled_before=wanted[:rank])
        if not movable:
            sentences.append(f"The {side} split is empty: there is too little music for it")
            continue
        music = min(movable)
        sentences.append(
            f"The {side} split would be empty, so {_listed(groups[music])} moved there from {side_of[music]}",
        )
        side_of[music] = side
    return sentences


def _movable(side_of: Mapping[str, str], filled_before: Sequence[str]) -> list[str]:
    """Give the groups that may move, train's if any: no side in `filled_before` loses its last."""
    sizes = {side: list(side_of.values()).count(side) for side in SIDES}
    spare = [music for music, side in side_of.items() if side not in filled_before or sizes[side] > 1]
    return [music for music in spare if side_of[music] == TRAIN] or spare


def _assign_by_folder(pieces: Sequence[PieceIdentity]) -> Splits:
    sides_of = {piece.piece_id: _folder_sides(piece) for piece in pieces}
    ids = {side: tuple(sorted(piece_id for piece_id, sides in sides_of.items() if side in sides)) for side in SIDES}
    if not ids[TRAIN]:
        raise NotEnoughMusicError("No piece lies in a folder 'train': at least one is needed to train on")
    return Splits(
        train=ids[TRAIN],
        validation=ids[VALIDATION],
        test=ids[TEST],
        moved=tuple(f"The {side} split is empty: no piece lies in its folder" for side in SIDES if not ids[side]),
        leaks=tuple(_leaks(pieces, sides_of)),
    )


def _folder_sides(piece: PieceIdentity) -> set[str]:
    """Give the sides of the folders that a piece lies in; where folders lie in each other, the innermost counts."""
    sides = set()
    for name in piece.names:
        folders = (folder.lower() for folder in reversed(PurePosixPath(name).parts[:-1]))
        innermost = next((folder for folder in folders if folder in _FOLDERS), None)
        if innermost is not None:
            sides.add(_FOLDERS[innermost])
    if not sides:
        raise RecipeError(
            f"split.by = 'folder': piece {piece.piece_id} lies in none of the folders train, validation and test, "
            f"but at {', '.join(map(repr, piece.names)) or 'no place'}",
        )
    return sides


def _leaks(pieces: Sequence[PieceIdentity], sides_of: Mapping[str, set[str]]) -> Iterator[str]:
    """Give a sentence for each music that lies on more than one side."""
    for group in _groups(pieces).values():
        sides = set().union(*(sides_of[piece.piece_id] for piece in group))
        if len(sides) > 1:
            yield f"The same music lies in {' and '.join(side for side in SIDES if side in sides)}: {_listed(group)}"


def _listed(group: Sequence[PieceIdentity]) -> str:
    """Name a group by its first piece, and say how many more there are."""
    first = repr(group[0].names[0]) if group[0].names else group[0].piece_id
    return first if len(group) == 1 else f"{first} (and {len(group) - 1} more with its music)"

"""Which piece is trained on, and which only listened to: the split, by whole pieces.

A split is decided by what the music is, not by its name or place: a copy, or a transposed copy, lies in the same split,
and a piece never changes splits when others are added. A collection that comes in folders may decide for itself instead.
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
SPLITS = (TRAIN, VALIDATION, TEST)
_FOLDERS = {"train": TRAIN, "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "test": TEST}
_PARTS_PER_QUARTER = 480  # onsets are compared this finely, whatever a file's own ticks are


class SplitSpec(BaseModel):
    """How music is split: by a hash of the music of each piece, into these shares, or by the folders that pieces lie in.

    `random_windows` is the report's way: each event is drawn for a split on its own, whatever piece it is in. What is held out
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
    """What decides the split of a piece: its music, and the names (posix paths) that its content was found under."""

    piece_id: str
    music_hash: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """The ids of the pieces of each split, in ascending order.

    `moved` are sentences for the user about splits that are, or would have been, empty. `leaks` are sentences about
    music that lies in two splits, which only folders bring about: a number on such a split must be called leaky.
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
    """Put every piece into its split.

    Raises NotEnoughMusicError where there is no piece, or none in a folder `train`; RecipeError where the split is by
    folder and a piece lies in none.
    """
    if not pieces:
        raise NotEnoughMusicError("There is no piece to split: at least one is needed to train on")
    if spec.by == "random_windows":
        return _assign_to_every_side(pieces)
    return _assign_by_folder(pieces) if spec.by == "folder" else _assign_by_hash(pieces, spec)


def draw_splits(events: int, spec: SplitSpec, random_seed: int) -> npt.NDArray[np.uint8]:
    """Draw a split for each of so many events: indexes into `SPLITS`."""
    share = np.random.default_rng([random_seed, 3]).random(events)
    return np.where(share < spec.test, 2, np.where(share < spec.test + spec.validation, 1, 0)).astype(np.uint8)


def _assign_to_every_side(pieces: Sequence[PieceIdentity]) -> Splits:
    ids = tuple(sorted(piece.piece_id for piece in pieces))
    leak = "Events are drawn for a split one by one, so every piece lies in train, validation and test"
    return Splits(train=ids, validation=ids, test=ids, leaks=(leak,))


def _assign_by_hash(pieces: Sequence[PieceIdentity], spec: SplitSpec) -> Splits:
    groups = _groups(pieces)
    split_of = {music: _drawn_split(music, spec) for music in groups}
    moved = tuple(_fill_empty_splits(split_of, groups, spec))
    ids = {
        split: tuple(sorted(piece.piece_id for piece in pieces if split_of[piece.music_hash] == split))
        for split in SPLITS
    }
    return Splits(train=ids[TRAIN], validation=ids[VALIDATION], test=ids[TEST], moved=moved)


def _groups(pieces: Sequence[PieceIdentity]) -> dict[str, list[PieceIdentity]]:
    """Give the pieces of each music, by id."""
    groups: dict[str, list[PieceIdentity]] = defaultdict(list)
    for piece in sorted(pieces, key=lambda piece: piece.piece_id):
        groups[piece.music_hash].append(piece)
    return groups


def _drawn_split(music: str, spec: SplitSpec) -> str:
    share = int(music[:16], 16) / 2**64
    if share < spec.test:
        return TEST
    return VALIDATION if share < spec.test + spec.validation else TRAIN


def _fill_empty_splits(
    split_of: dict[str, str],
    groups: Mapping[str, Sequence[PieceIdentity]],
    spec: SplitSpec,
) -> list[str]:
    """Move the group of the smallest hash to each split that is wanted and empty; give a sentence for each.

    Train is filled first, then validation, then test. A split's last group moves only to a split that is filled earlier.
    """
    wanted = [TRAIN]
    wanted += [VALIDATION] if spec.validation > 0 else []
    wanted += [TEST] if spec.test > 0 else []
    sentences = []
    for rank, split in enumerate(wanted):
        if split in split_of.values():
            continue
        movable = _movable(split_of, filled_before=wanted[:rank])
        if not movable:
            sentences.append(f"The {split} split is empty: there is too little music for it")
            continue
        music = min(movable)
        sentences.append(
            f"The {split} split would be empty, so {_listed(groups[music])} moved there from {split_of[music]}",
        )
        split_of[music] = split
    return sentences


def _movable(split_of: Mapping[str, str], filled_before: Sequence[str]) -> list[str]:
    """Give the groups that may move, train's if any: no split in `filled_before` loses its last."""
    sizes = {split: list(split_of.values()).count(split) for split in SPLITS}
    spare = [music for music, split in split_of.items() if split not in filled_before or sizes[split] > 1]
    return [music for music in spare if split_of[music] == TRAIN] or spare


def _assign_by_folder(pieces: Sequence[PieceIdentity]) -> Splits:
    splits_of = {piece.piece_id: _folder_splits(piece) for piece in pieces}
    ids = {
        split: tuple(sorted(piece_id for piece_id, splits in splits_of.items() if split in splits)) for split in SPLITS
    }
    if not ids[TRAIN]:
        raise NotEnoughMusicError("No piece lies in a folder 'train': at least one is needed to train on")
    return Splits(
        train=ids[TRAIN],
        validation=ids[VALIDATION],
        test=ids[TEST],
        moved=tuple(f"The {split} split is empty: no piece lies in its folder" for split in SPLITS if not ids[split]),
        leaks=tuple(_leaks(pieces, splits_of)),
    )


def _folder_splits(piece: PieceIdentity) -> set[str]:
    """Give the splits of the folders that a piece lies in; where folders lie in each other, the innermost counts."""
    splits = set()
    for name in piece.names:
        folders = (folder.lower() for folder in reversed(PurePosixPath(name).parts[:-1]))
        innermost = next((folder for folder in folders if folder in _FOLDERS), None)
        if innermost is not None:
            splits.add(_FOLDERS[innermost])
    if not splits:
        raise RecipeError(
            f"split.by = 'folder': piece {piece.piece_id} lies in none of the folders train, validation and test, "
            f"but at {', '.join(map(repr, piece.names)) or 'no place'}",
        )
    return splits


def _leaks(pieces: Sequence[PieceIdentity], splits_of: Mapping[str, set[str]]) -> Iterator[str]:
    """Give a sentence for each music that lies on more than one side."""
    for group in _groups(pieces).values():
        splits = set().union(*(splits_of[piece.piece_id] for piece in group))
        if len(splits) > 1:
            yield f"The same music lies in {' and '.join(split for split in SPLITS if split in splits)}: {_listed(group)}"


def _listed(group: Sequence[PieceIdentity]) -> str:
    """Name a group by its first piece, and say how many more there are."""
    first = repr(group[0].names[0]) if group[0].names else group[0].piece_id
    return first if len(group) == 1 else f"{first} (and {len(group) - 1} more with its music)"

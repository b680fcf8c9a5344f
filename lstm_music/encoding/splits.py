"""Splits: which pieces are for training, validation and test. Pieces are never cut.

The music itself decides the split, not the name or folder of a file. So a copy or a transposed copy is in the same split,
and so are other versions of a piece. A piece keeps its split when you add others, unless one of them is a version of it that
belongs to an earlier split. A collection with folders for the splits can decide for itself instead.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
_PARTS_PER_QUARTER = 480  # the resolution at which onsets are compared, whatever ticks a file has


class SplitSpec(BaseModel):
    """How music is split: by a hash of each piece's music, into these shares, or by folder.

    `random_windows` is the report's method: each event is drawn for a split on its own, whatever piece it is in. The held-out
    events then lie between training events, so every score on them is leaky. `group_versions` keeps all versions of a piece in
    one split, for a split by hash; the others stay as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["hash", "folder", "random_windows"] = "hash"
    group_versions: bool = False  # as before the key came: other splits are other datasets
    validation: float = Field(default=0.1, ge=0, lt=1)
    test: float = Field(default=0.1, ge=0, lt=1)

    @property
    def keeps_versions_together(self) -> bool:
        """Whether versions decide the split of pieces."""
        return self.by == "hash" and self.group_versions

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation + test: expected a sum below 1, to leave pieces for training, "
                f"got {self.validation} + {self.test}",
            )
        return self


@dataclass(frozen=True)
class PieceIdentity:
    """What decides the split of a piece: its music, the names (POSIX paths) of the files with its content, and its family.

    Pieces of one family are versions of each other; "" stands for a piece without versions. What an earlier model learnt
    (`is_learnt`) cannot test the models that start from it, so it is trained on.
    """

    piece_id: str
    music_hash: str
    names: tuple[str, ...]
    family: str = ""
    is_learnt: bool = False


@dataclass(frozen=True)
class Splits:
    """The ids of the pieces of each split, in ascending order.

    `moved` holds sentences for the user about pieces that changed their split, and about splits that are empty. `leaks` holds
    sentences about music that is in two splits. Each number on a split with leaks must be called leaky.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    moved: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()


def music_hash(piece: PieceNotes) -> str:
    """Return the SHA-256 (hex) of a piece's pitched notes relative to the first onset and the first pitch.

    Onsets are rounded to 1/480 of a quarter. Tempo, velocity, duration, tracks and drums do not count, so an edited or
    transposed copy has the hash of its original.
    """
    is_pitched = ~piece.notes["is_drum"]
    onset_ticks, pitches = piece.notes["onset_ticks"][is_pitched], piece.notes["pitch"][is_pitched]
    ticks = onset_ticks - onset_ticks.min(initial=np.iinfo(np.int64).max)
    onset = (2 * _PARTS_PER_QUARTER * ticks + piece.ticks_per_quarter) // (2 * piece.ticks_per_quarter)
    ordered = np.sort(onset << 7 | pitches)  # a pitch is below 128
    relative = np.empty((len(ordered), 2), "<i8")
    relative[:, 0] = ordered >> 7
    relative[:, 1] = (ordered & 127) - (ordered[:1] & 127)
    return hashlib.sha256(relative.data).hexdigest()


def assign(pieces: Sequence[PieceIdentity], spec: SplitSpec) -> Splits:
    """Put every piece into its split.

    Raises NotEnoughMusicError if there is no piece, or none in a folder `train`. Raises RecipeError if the split is by
    folder and a piece is in no such folder.
    """
    if not pieces:
        raise NotEnoughMusicError("no piece to split: training needs at least 1 piece; add music")
    if spec.by == "random_windows":
        return _assign_to_every_split(pieces)
    return _assign_by_folder(pieces) if spec.by == "folder" else _assign_by_hash(pieces, spec)


def draw_splits(events: int, spec: SplitSpec, random_seed: int) -> npt.NDArray[np.uint8]:
    """Draw a split for each of `events` events: uint8 [events], indices into `SPLITS`."""
    share = np.random.default_rng([random_seed, 3]).random(events)
    return np.where(share < spec.test, 2, np.where(share < spec.test + spec.validation, 1, 0)).astype(np.uint8)


def _assign_to_every_split(pieces: Sequence[PieceIdentity]) -> Splits:
    ids = tuple(sorted(piece.piece_id for piece in pieces))
    leak = "Each event is drawn for a split on its own, so every piece is in train, validation and test"
    return Splits(train=ids, validation=ids, test=ids, leaks=(leak,))


def _assign_by_hash(pieces: Sequence[PieceIdentity], spec: SplitSpec) -> Splits:
    groups = _families(_groups(pieces))
    drawn = {music: _first_split(group, spec) for music, group in groups.items()}
    learnt = [music for music, group in groups.items() if any(piece.is_learnt for piece in group)]
    split_of = drawn | dict.fromkeys(learnt, TRAIN)
    moved = (
        *_learnt_before([piece for music in learnt if drawn[music] != TRAIN for piece in groups[music]]),
        *_fill_empty_splits(split_of, groups, spec, frozenset(learnt)),
    )
    ids = {
        split: tuple(
            sorted(piece.piece_id for music, group in groups.items() if split_of[music] == split for piece in group)
        )
        for split in SPLITS
    }
    return Splits(train=ids[TRAIN], validation=ids[VALIDATION], test=ids[TEST], moved=moved)


def _groups(pieces: Sequence[PieceIdentity]) -> dict[str, list[PieceIdentity]]:
    """Group the pieces by the hash of their music, each group sorted by id."""
    groups: dict[str, list[PieceIdentity]] = defaultdict(list)
    for piece in sorted(pieces, key=lambda piece: piece.piece_id):
        groups[piece.music_hash].append(piece)
    return groups


def _families(groups: Mapping[str, Sequence[PieceIdentity]]) -> dict[str, list[PieceIdentity]]:
    """Unite groups that share a family, each under the smallest hash of its music; also where copies differ in family."""
    united: dict[str, list[PieceIdentity]] = {}
    music_of: dict[str, str] = {}  # family → the hash of its group so far
    for music, pieces in sorted(groups.items()):
        joined = {music_of[piece.family] for piece in pieces if piece.family in music_of}
        kept = min(joined | {music})
        united[kept] = [piece for one in sorted(joined) for piece in united.pop(one)] + list(pieces)
        music_of.update({piece.family: kept for piece in united[kept] if piece.family})
    return united


def _first_split(group: Sequence[PieceIdentity], spec: SplitSpec) -> str:
    """Return the earliest of train, validation and test for which any piece of a group is drawn.

    So a new version makes no training piece held out, and models that learnt the piece may go on with a warm start.
    """
    return min({_drawn_split(piece.music_hash, spec) for piece in group}, key=SPLITS.index)


def _drawn_split(music: str, spec: SplitSpec) -> str:
    share = int(music[:16], 16) / 2**64
    if share < spec.test:
        return TEST
    return VALIDATION if share < spec.test + spec.validation else TRAIN


def _fill_empty_splits(
    split_of: dict[str, str],
    groups: Mapping[str, Sequence[PieceIdentity]],
    spec: SplitSpec,
    fixed: AbstractSet[str],
) -> list[str]:
    """Fill each empty split that is wanted with the group of the smallest hash; return a sentence for each move.

    Train is filled first, then validation, then test. The last group of a split moves only to an earlier one of these, and the
    `fixed` ones never.
    """
    wanted = [TRAIN]
    wanted += [VALIDATION] if spec.validation > 0 else []
    wanted += [TEST] if spec.test > 0 else []
    sentences = []
    for rank, split in enumerate(wanted):
        if split in split_of.values():
            continue
        movable = [music for music in _movable(split_of, filled_before=wanted[:rank]) if music not in fixed]
        if not movable:
            sentences.append(f"The {split} split is empty: there are too few pieces")
            continue
        music = min(movable)
        sentences.append(
            f"The {split} split would be empty, so {_listed(groups[music])} moved there from {split_of[music]}",
        )
        split_of[music] = split
    return sentences


def _learnt_before(pieces: Sequence[PieceIdentity]) -> list[str]:
    """Say that pieces are trained on that would be held out, had the earlier models not learnt them."""
    if not pieces:
        return []
    first = repr(pieces[0].names[0]) if pieces[0].names else pieces[0].piece_id
    if len(pieces) == 1:
        return [f"The earlier models learnt {first} already, so it cannot test them: it is trained on"]
    return [
        f"The earlier models learnt {first} and {len(pieces) - 1} more already, so they cannot test them: they are trained on"
    ]


def _movable(split_of: Mapping[str, str], filled_before: Sequence[str]) -> list[str]:
    """Return the groups that can move, those of train if any. No split in `filled_before` loses its last group."""
    sizes = {split: list(split_of.values()).count(split) for split in SPLITS}
    spare = [music for music, split in split_of.items() if split not in filled_before or sizes[split] > 1]
    return [music for music in spare if split_of[music] == TRAIN] or spare


def _assign_by_folder(pieces: Sequence[PieceIdentity]) -> Splits:
    by_folder = {piece.piece_id: _folder_splits(piece) for piece in pieces}
    learnt = [piece for piece in pieces if piece.is_learnt and by_folder[piece.piece_id] != {TRAIN}]
    splits_of = by_folder | {piece.piece_id: {TRAIN} for piece in learnt}
    ids = {
        split: tuple(sorted(piece_id for piece_id, splits in splits_of.items() if split in splits)) for split in SPLITS
    }
    if not ids[TRAIN]:
        raise NotEnoughMusicError("no piece is in a folder 'train': training needs at least 1; put music there")
    return Splits(
        train=ids[TRAIN],
        validation=ids[VALIDATION],
        test=ids[TEST],
        moved=(
            *_learnt_before(learnt),
            *(f"The {split} split is empty: no piece is in its folder" for split in SPLITS if not ids[split]),
        ),
        leaks=tuple(_leaks(pieces, splits_of)),
    )


def _folder_splits(piece: PieceIdentity) -> set[str]:
    """Return the splits of the folders that contain a piece; of nested folders, the innermost counts."""
    splits = set()
    for name in piece.names:
        folders = (folder.lower() for folder in reversed(PurePosixPath(name).parts[:-1]))
        innermost = next((folder for folder in folders if folder in _FOLDERS), None)
        if innermost is not None:
            splits.add(_FOLDERS[innermost])
    if not splits:
        raise RecipeError(
            f"split.by = 'folder': expected each piece in a folder train, validation or test, "
            f"got {', '.join(map(repr, piece.names)) or f'piece {piece.piece_id} without a name'}; "
            "move the file there, or use split.by = 'hash'",
        )
    return splits


def _leaks(pieces: Sequence[PieceIdentity], splits_of: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield a sentence for each group of copies that is in more than one split."""
    for group in _groups(pieces).values():
        splits = set().union(*(splits_of[piece.piece_id] for piece in group))
        if len(splits) > 1:
            yield f"The same music is in {' and '.join(split for split in SPLITS if split in splits)}: {_listed(group)}"


def _listed(group: Sequence[PieceIdentity]) -> str:
    """Name a group by its first piece, with the number of its copies, or versions if the music differs."""
    first = repr(group[0].names[0]) if group[0].names else group[0].piece_id
    others = len(group) - 1
    words = ("copy", "copies") if len({piece.music_hash for piece in group}) == 1 else ("version", "versions")
    return first if not others else f"{first} (and {others} {words[others > 1]} of its music)"

"""What is read of music files, without a storage: pieces, parts, bars, keys, warnings, notes, and how two files differ."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lstm_music.encoding.bars import Bars, bars_of, tick_grid
from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.midi.containers import is_midi
from lstm_music.midi.key import estimate_key
from lstm_music.midi.notes import KeySignature, PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.usable import only_drums
from lstm_music.scores.reading import read_scores
from lstm_music.sources.books import pieces_of
from lstm_music.sources.catalogue import open_source
from lstm_music.sources.entry import Found, Refused, Remote, music_format
from lstm_music.sources.file import File

NoteKey = tuple[Fraction, int, bool]  # onset in quarters, pitch, is a drum


@dataclass(frozen=True, eq=False, slots=True)
class Inspected:
    """A piece that was read of a file."""

    name: str
    piece: PieceNotes
    warnings: tuple[str, ...]

    @property
    def end_tick(self) -> int:
        """Where the last note ends."""
        return int((self.piece.notes["onset_ticks"] + self.piece.notes["duration_ticks"]).max())

    @property
    def bars(self) -> list[Bars]:
        """The bars of the piece in order, in ticks."""
        return bars_of(self.piece, tick_grid(self.piece))


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file, or a piece of one, that could not be read."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that was read of some files, and all that was not."""

    pieces: tuple[Inspected, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class PartSummary:
    """A part: its track, what plays it, and the lowest and highest pitch of its notes (None for a part of drums only)."""

    part: int
    name: str
    programs: tuple[int, ...]
    notes: int
    drums: int
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class Differences:
    """How the notes of one piece differ from those of another: what only one of them has, and notes of another length."""

    same: int
    only_first: tuple[tuple[NoteKey, Fraction], ...]
    only_second: tuple[tuple[NoteKey, Fraction], ...]
    lengths: tuple[tuple[NoteKey, Fraction, Fraction], ...]


def inspect(sources: Sequence[str]) -> Inspection:
    """Read music files, folders or zips by their paths, or any other source that is read where it lies.

    Of several sources, one that does not exist or is no music is rejected like a file that cannot be read. Raises SourceError
    for a single one of that kind, and for a source that would have to be downloaded.
    """
    named: list[tuple[str, bytes]] = []
    rejected: list[Rejected] = []
    same_name = Counter(Path(source).name for source in sources)
    for source in sources:
        try:
            opened = open_source(source)
        except SourceError as error:
            if len(sources) == 1:
                raise
            rejected.append(Rejected(source, str(error)))
            continue
        if isinstance(opened, Remote):
            raise SourceError(
                f"inspect: expected music that needs no download, got {source!r}; give a file, a folder or a zip"
            )
        is_ambiguous = isinstance(opened, File) and same_name[Path(source).name] > 1
        for entry in pieces_of(opened.entries()):
            name = str(Path(source).parent / entry.name) if is_ambiguous else entry.name
            if isinstance(entry, Found):
                named.append((name, entry.data))
            elif isinstance(entry, Refused):
                rejected.append(Rejected(name, entry.reason))
    read = inspect_bytes(named)
    return Inspection(read.pieces, (*rejected, *read.rejected))


def inspect_bytes(files: Sequence[tuple[str, bytes]]) -> Inspection:
    """Read the bytes of files, by their names; MIDI is known by its first bytes, other formats by the extension of the name."""
    pieces: list[Inspected] = []
    rejected: list[Rejected] = []
    for name, outcome in _outcomes(files):
        if isinstance(outcome, RejectedInputError):
            rejected.append(Rejected(name, str(outcome)))
        elif not len(outcome.notes):
            rejected.append(Rejected(name, "holds no notes"))
        else:
            pieces.append(Inspected(name, outcome, (*outcome.warnings, *_unusable(outcome))))
    return Inspection(tuple(pieces), tuple(rejected))


def _outcomes(files: Sequence[tuple[str, bytes]]) -> Iterable[tuple[str, PieceNotes | RejectedInputError]]:
    """Yield the pieces of each file in order, or the reason why there is none; scores are read in one child process."""
    formats = ["midi" if is_midi(data) else music_format(name) for name, data in files]
    scores = [(str(index), form, files[index][1]) for index, form in enumerate(formats) if form not in (None, "midi")]
    read = dict(read_scores([(index, form or "", data) for index, form, data in scores])) if scores else {}
    for index, (name, data) in enumerate(files):
        if formats[index] is None:
            yield name, RejectedInputError("is no music file by its extension")
        elif formats[index] == "midi":
            yield name, _midi(data)
        else:
            yield name, read[str(index)]


def _midi(data: bytes) -> PieceNotes | RejectedInputError:
    try:
        return read_midi(data)
    except RejectedInputError as error:
        return error


def _unusable(piece: PieceNotes) -> tuple[str, ...]:
    """Say why `prepare` would reject a piece that has notes."""
    if not piece.notes["is_drum"].all():
        return ()
    return (f"{only_drums(len(piece.notes))}, so prepare rejects it, unless the recipe has drums, as ensemble has",)


def summarise_parts(piece: PieceNotes) -> list[PartSummary]:
    """Describe each part that has notes."""
    parts = []
    for track in sorted({int(track) for track in piece.notes["track"]}):
        notes = piece.notes[piece.notes["track"] == track]
        pitched = notes[~notes["is_drum"]]
        parts.append(
            PartSummary(
                part=track,
                name=piece.track_names[track] if track < len(piece.track_names) else "",
                programs=tuple(sorted({int(program) for program in pitched["program"]})),
                notes=len(notes),
                drums=len(notes) - len(pitched),
                lowest=int(pitched["pitch"].min()) if len(pitched) else None,
                highest=int(pitched["pitch"].max()) if len(pitched) else None,
            )
        )
    return parts


def keys_of(piece: PieceNotes) -> tuple[KeySignature | None, KeySignature]:
    """Return the first key signature that is written, if one is, and the key that the notes suggest."""
    return (piece.key_signatures[0] if piece.key_signatures else None), estimate_key(piece)


def differences(first: PieceNotes, second: PieceNotes) -> Differences:
    """Compare the notes of two pieces, whichever part has them."""
    left, right = _counted(first), _counted(second)
    same = left & right
    left, right = left - same, right - same
    only_first, lengths = [], []
    theirs: dict[NoteKey, list[Fraction]] = {}
    for key, duration in sorted(right.elements()):
        theirs.setdefault(key, []).append(duration)
    for key, duration in sorted(left.elements()):
        if theirs.get(key):
            lengths.append((key, duration, theirs[key].pop(0)))
        else:
            only_first.append((key, duration))
    only_second = [(key, duration) for key, durations in theirs.items() for duration in durations]
    return Differences(same.total(), tuple(only_first), tuple(only_second), tuple(lengths))


def _counted(piece: PieceNotes) -> Counter[tuple[NoteKey, Fraction]]:
    ticks = piece.ticks_per_quarter
    columns = (piece.notes[name].tolist() for name in ("onset_ticks", "pitch", "is_drum", "duration_ticks"))
    return Counter(
        ((Fraction(onset, ticks), pitch, is_drum), Fraction(duration, ticks))
        for onset, pitch, is_drum, duration in zip(*columns, strict=True)
    )

"""A zip of music as a source, read in memory: its names never become paths on disk."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.midi.zip_member import MAX_RATIO, ZIP_ERRORS, read_member
from lstm_music.sources.entry import (
    MAX_FILE_BYTES,
    Credit,
    Entry,
    Found,
    Ignored,
    Refused,
    credit_of_path,
    music_format,
    safe_name,
)
from lstm_music.sources.packed import unpacked


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits for unpacking an archive. The largest collection of MIDI files, Lakh, has 176,581 files in 6 GB."""

    max_members: int = 1_000_000
    max_bytes: int = 32 << 30  # of all members together
    max_growth: int = 50  # the same as a multiple of the archive's bytes; applies above `free_bytes`
    free_bytes: int = 1 << 30
    max_member_bytes: int = MAX_FILE_BYTES
    max_ratio: int = MAX_RATIO


class Archive:
    """A zip of music. Folders are part of the names; two members with one name are both yielded."""

    def __init__(self, path: str, limits: ArchiveLimits | None = None) -> None:
        self.title = path
        self._path = Path(path)
        self._limits = limits or ArchiveLimits()
        with self._open():
            pass

    def entries(self) -> Iterator[Entry]:
        """Yield every file of the zip, sorted by name; a file that cannot be unpacked safely is refused."""
        unpacked_bytes, limit = 0, self._limit_bytes()
        with self._open() as archive:
            members = [(safe_name(member.filename), member) for member in archive.infolist() if not _is_folder(member)]
            for name, member in sorted(members, key=lambda named: named[0]):
                entry = self._entry(archive, member, name, limit - unpacked_bytes)
                unpacked_bytes += len(entry.data) if isinstance(entry, Found) else 0
                yield entry

    def _limit_bytes(self) -> int:
        """Give the most bytes that all members together may unpack to."""
        grown = self._limits.max_growth * self._path.stat().st_size
        return min(self._limits.max_bytes, max(self._limits.free_bytes, grown))

    def require_whole(self) -> None:
        """Raise SourceError if any music in the zip is damaged.

        A member that is refused for another reason (too large, encrypted, a link) is not damaged.
        """
        unpacked_bytes, limit = 0, self._limit_bytes()
        with self._open() as archive:
            for member in archive.infolist():
                name = safe_name(member.filename)
                if _is_folder(member) or music_format(name) is None or unpacked_bytes > limit:
                    continue
                try:
                    unpacked_bytes += len(self._read(archive, member))
                except RejectedInputError as error:
                    if error.__cause__ is not None:  # an error of the zip, not a limit of this project
                        raise SourceError(f"{name} {error}") from error

    def describe(self, name: str) -> Credit:
        """Give the credit: the composer is the folder of the file."""
        return credit_of_path(name, safe_name(self._path.stem))

    def _entry(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, bytes_left: int) -> Entry:
        if music_format(name) is None:
            return Ignored(name)
        try:
            found = unpacked(Found(name, self._read(archive, member)))
        except RejectedInputError as error:
            return Refused(name, str(error))
        if isinstance(found, Found) and len(found.data) > bytes_left:
            return Refused(name, f"exceeds the {self._limit_bytes():,} bytes that this archive may unpack to")
        return found

    def _read(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
        return read_member(archive, member, self._limits.max_member_bytes, self._limits.max_ratio)

    def _open(self) -> zipfile.ZipFile:
        try:
            archive = zipfile.ZipFile(self._path)
        except ZIP_ERRORS as error:
            raise SourceError(
                f"source {self.title!r}: expected a zip archive ({error}); unpack it and give the folder"
            ) from error
        members = len(archive.infolist())
        if members > self._limits.max_members:
            archive.close()
            raise SourceError(
                f"source {self.title!r}: expected at most {self._limits.max_members:,} files in an archive, got {members:,}; "
                "unpack it and give the folder",
            )
        return archive


def _is_folder(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder; `ZipInfo.is_dir` of Python 3.11 fails for one without a name."""
    return member.filename.endswith("/")

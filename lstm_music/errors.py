"""The tree of errors: every mistake that a user or a file can make is one of these, in one sentence.

LstmMusicError               exit code 1: a Prefect server that does not answer, or a problem that `doctor` finds
├── RetrainingError              of the first one: some of several recipes that could not be retrained
├── RecipeError              2   an invalid recipe or option
├── SourceError              3   a source that is missing or cannot be opened
├── RejectedInputError       4   an input file without readable music (the table of inputs shows the reason)
│   └── ReadLimitError           one that took too much time or memory to read
├── NotEnoughMusicError      5   no usable piece, or too little music for the request
├── StorageError             6   storage that cannot be read or written
│   ├── MissingArtifactError     an artifact that was never made
│   ├── CorruptArtifactError     a damaged file
│   ├── StorageVersionError      storage written by another version of this project
│   └── StorageInUseError        storage that other processes use, where it is needed alone
├── TrainingError            7   a training that went wrong (its loss is not a number)
├── MismatchError            8   models that do not fit the recipe or the vocabulary
├── ChildError               9   a child process that died, or ran out of time or memory
└── BundleError             10   a bundle that was cut or changed, or is of another version
"""

import typing


class LstmMusicError(Exception):
    """One sentence: what is wrong, what was given, what is expected, what to do."""

    exit_code = 1


class RecipeError(LstmMusicError):
    """An invalid recipe or option."""

    exit_code = 2


class SourceError(LstmMusicError):
    """A source that is missing or cannot be opened."""

    exit_code = 3


class RejectedInputError(LstmMusicError):
    """An input file without readable music; the message is the reason in the table of inputs."""

    exit_code = 4


class ReadLimitError(RejectedInputError):
    """An input file that took too much time or memory to read, also alone: another machine or day may be enough for it."""


class NotEnoughMusicError(LstmMusicError):
    """No usable piece, or too little music for the request."""

    exit_code = 5


class StorageError(LstmMusicError):
    """Storage that cannot be read or written."""

    exit_code = 6


class MissingArtifactError(StorageError):
    """An artifact that was never made."""


class CorruptArtifactError(StorageError):
    """A damaged file: its bytes are not those that were written."""


class StorageVersionError(StorageError):
    """Storage written by another version of this project."""


class StorageInUseError(StorageError):
    """Storage that other processes use, where a removal needs it alone."""


class TrainingError(LstmMusicError):
    """A training that went wrong, such as a loss that is not a number."""

    exit_code = 7


class MismatchError(LstmMusicError):
    """Models that do not fit the recipe or the vocabulary."""

    exit_code = 8


class ChildError(LstmMusicError):
    """A child process that died, or ran out of time or memory. `ended_by` is the signal that ended it, 0 if none did."""

    exit_code = 9
    ended_by = 0


class BundleError(LstmMusicError):
    """A bundle that was cut or changed, that another version of this project wrote, or that is no bundle."""

    exit_code = 10


class RetrainingError(LstmMusicError):
    """Some of several recipes could not be retrained; the message names each with its reason.

    `failed` has the error of each by the recipe's name, in the order of their turns, and `done` what came of the others. The exit
    code is that of the first error.
    """

    def __init__(
        self, message: str, failed: dict[str, Exception] | None = None, done: list[typing.Any] | None = None
    ) -> None:
        super().__init__(message)
        self.failed = failed or {}
        self.done = done or []
        self.exit_code = getattr(self.first, "exit_code", LstmMusicError.exit_code)

    @property
    def first(self) -> Exception | None:
        """The first error of a recipe."""
        return next(iter(self.failed.values()), None)

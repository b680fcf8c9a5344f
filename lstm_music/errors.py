"""The tree of errors: every mistake that a user or a file can make is one of these, said in one sentence.

LstmMusicError               exit code 1
├── RecipeError              2   a recipe that cannot be read, or a key or value it may not have
├── SourceError              3   a source that is not there, or that cannot be opened at all
├── RejectedInputError       4   one input file that holds no music we can read (its reason goes into the table of inputs)
├── NotEnoughMusicError      5   no usable piece, or too little music for what was asked
├── StorageError             6
│   ├── MissingArtifactError     an artifact that was asked for and never made
│   ├── CorruptArtifactError     a file whose bytes are not those that were written
│   └── StorageVersionError      storage written by another version of this project
├── TrainingError            7   training went wrong (a loss that is not a number)
├── MismatchError            8   a model and a vocabulary that do not belong together
└── ChildError               9   a child process that died, or ran past its time or memory
"""


class LstmMusicError(Exception):
    """What went wrong, where, what was received and what would be right, in one sentence."""

    exit_code = 1


class RecipeError(LstmMusicError):
    """A recipe that cannot be read, or a key or value that it may not have."""

    exit_code = 2


class SourceError(LstmMusicError):
    """A source that is not there, or that cannot be opened at all."""

    exit_code = 3


class RejectedInputError(LstmMusicError):
    """One input file that holds no music we can read; the message is the reason that the user's table shows."""

    exit_code = 4


class NotEnoughMusicError(LstmMusicError):
    """No usable piece, or too little music for what was asked."""

    exit_code = 5


class StorageError(LstmMusicError):
    """Storage that cannot be read or written as asked."""

    exit_code = 6


class MissingArtifactError(StorageError):
    """An artifact that was asked for and never made."""


class CorruptArtifactError(StorageError):
    """A file whose bytes are not those that were written."""


class StorageVersionError(StorageError):
    """Storage written by another version of this project."""


class TrainingError(LstmMusicError):
    """A training that went wrong, such as a loss that is not a number."""

    exit_code = 7


class MismatchError(LstmMusicError):
    """Two things that do not belong together, such as a model and a vocabulary."""

    exit_code = 8


class ChildError(LstmMusicError):
    """A child process that died, or ran past its time or its memory."""

    exit_code = 9

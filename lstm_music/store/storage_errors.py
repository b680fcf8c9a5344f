"""Storage errors: each library behind fsspec raises its own, and each becomes one sentence here."""

from collections.abc import Iterator
from contextlib import contextmanager

from lstm_music.errors import LstmMusicError, StorageError

NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError"}  # of botocore, which need not be installed


@contextmanager
def as_storage_error(shown: str, *, writing: bool) -> Iterator[None]:
    """Turn any error about the file `shown` into a StorageError; FileNotFoundError stays for a missing file to read."""
    try:
        yield
    except LstmMusicError:
        raise
    except FileNotFoundError as error:
        if not writing:
            raise
        raise StorageError(f"{shown}: cannot be written ({_reason(error)}); create the bucket first") from error
    except Exception as error:
        if isinstance(error, PermissionError) or type(error).__name__ in NO_CREDENTIALS:
            what = "write" if writing else "read"
            raise StorageError(
                f"{shown}: access denied ({_reason(error)}); give credentials that may {what} there"
            ) from error
        raise StorageError(
            f"{shown}: the store failed ({_reason(error)}); finished work is kept, so run the same command again later"
        ) from error


def code(error: OSError) -> str:
    """Give the error code of the store if s3fs passed it on, else ""."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

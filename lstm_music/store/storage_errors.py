"""What a store answers, said in one sentence: each library behind fsspec has errors of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from lstm_music.errors import LstmMusicError, StorageError

NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError"}  # of botocore, which need not be installed


@contextmanager
def told(shown: str, *, writing: bool) -> Iterator[None]:
    """Raise StorageError for whatever goes wrong with the file `shown`, but FileNotFoundError for one to read that is absent."""
    try:
        yield
    except LstmMusicError:
        raise
    except FileNotFoundError as error:
        if not writing:
            raise
        raise StorageError(f"{shown}: cannot be written ({_reason(error)}); make the bucket first") from error
    except Exception as error:
        if isinstance(error, PermissionError) or type(error).__name__ in NO_CREDENTIALS:
            what = "written" if writing else "read"
            sentence = f"{shown}: may not be {what} ({_reason(error)}); give credentials with that right"
            raise StorageError(sentence) from error
        raise StorageError(
            f"{shown}: the store does not answer as it should ({_reason(error)}); what was finished stays, so "
            "run the same command again when it does"
        ) from error


def code(error: OSError) -> str:
    """Give the store's own word for an error, where s3fs handed it on, or nothing."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

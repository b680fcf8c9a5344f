"""Errors of Kaggle as one sentence with what to do, without any text of an exception.

The exceptions of the package `requests` contain the requested address, and the address of a download is signed: anybody
who has it can download.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.kaggle_credentials import where_credentials_are

_BY_HAND = "download the zip in a browser and give its path as the source"
_HOW = "create a token in the settings of your Kaggle account and set KAGGLE_API_TOKEN to it"
_SERVER_ERRORS = 500
_TOO_MANY = 429


_CUTS = (ConnectionError, TimeoutError, ssl.SSLError)  # which requests does not wrap


class CutError(Exception):
    """A connection that failed or ended too early; another attempt may help."""


def failure_of(error: BaseException, dataset: str) -> CutError | SourceError:
    """Describe an exception of Kaggle's package, or its `SystemExit`, for the download of a dataset (OWNER/NAME)."""
    from requests import exceptions

    status = _status(error)
    if status is not None:
        if status == _TOO_MANY or status >= _SERVER_ERRORS:
            return CutError(f"Kaggle has a problem of its own (status {status})")
        return SourceError(_refusal(status, dataset))
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in _chain(error)):
        return SourceError(
            "this machine does not trust the certificate of the server; behind a company's proxy, set REQUESTS_CA_BUNDLE to "
            "the file with its certificate"
        )
    sentences: dict[type[BaseException], CutError | SourceError] = {  # the first that fits
        exceptions.ProxyError: CutError("the proxy in HTTPS_PROXY does not reach Kaggle"),
        **dict.fromkeys(_CUTS, CutError("the connection to Kaggle failed or was cut")),
        exceptions.RequestException: CutError("the connection to Kaggle failed or was cut"),
        ImportError: SourceError(
            f"the package kaggle cannot be imported; install it with `pip install kaggle`, or {_BY_HAND}"
        ),
    }
    unknown = SourceError(f"the package kaggle failed with {type(error).__name__}{_place(error)}; {_BY_HAND}")
    return next((said for kind, said in sentences.items() if isinstance(error, kind)), unknown)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        inner = next((inner for inner in error.args if isinstance(inner, BaseException)), None)  # as urllib3 nests them
        error = error.__cause__ or error.__context__ or inner


def _status(error: BaseException) -> int | None:
    """Give the HTTP status of an error; Kaggle may also put it into the body of a response with status 200."""
    response = getattr(error, "response", None)
    if response is None:
        return None
    if response.status_code >= 400:
        return int(response.status_code)
    try:
        return int(response.json()["code"])
    except (ValueError, KeyError, TypeError):
        return None


def _refusal(status: int, dataset: str) -> str:
    """Describe why Kaggle refuses a dataset, by the HTTP status."""
    where = where_credentials_are()
    if status == 401:
        if where:
            return f"Kaggle rejects the credentials in {where} (401); {_HOW}"
        return f"Kaggle requires credentials for {dataset} (401); {_HOW}"
    if status == 403:
        if where:
            return (
                f"the account of the credentials in {where} may not download {dataset} (403); accept its terms on its "
                "page on Kaggle with that account, or ask its owner"
            )
        return f"Kaggle requires credentials for {dataset} (403); {_HOW}"
    if status == 404:
        return (
            f"{dataset} is not on Kaggle, or is private (404); expected OWNER/NAME, the end of the address of its page; for a "
            "private dataset set the credentials of its owner"
        )
    return f"Kaggle refuses the download of {dataset} (status {status}); {_BY_HAND}"


def _place(error: BaseException) -> str:
    """Name the file and line that raised an error, for a bug report."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})" if trace else ""

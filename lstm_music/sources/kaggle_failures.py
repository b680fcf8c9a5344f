"""What went wrong at Kaggle, told in one sentence that says what to do, and that quotes nothing of an exception.

The text of an exception of the package `requests` holds the address that was asked, and that of a download is signed:
who has it may download.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.kaggle_credentials import where_credentials_are

_BY_HAND = "download its zip in a browser and give the path of the zip as the source"
_HOW = "set KAGGLE_API_TOKEN to a token that you create in the settings of your account on Kaggle"
_SERVER_ERRORS = 500
_TOO_MANY = 429


_CUTS = (ConnectionError, TimeoutError, ssl.SSLError)  # where requests lets them through


class CutError(Exception):
    """A connection that failed, or that ended too early: worth another attempt."""


def failure_of(error: BaseException, dataset: str) -> CutError | SourceError:
    """Say what an exception of Kaggle's package, or `SystemExit`, means for the download of a dataset (OWNER/NAME)."""
    from requests import exceptions

    status = _status(error)
    if status is not None:
        if status == _TOO_MANY or status >= _SERVER_ERRORS:
            return CutError(f"Kaggle answers with an error of its own (status {status})")
        return SourceError(_refusal(status, dataset))
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in _chain(error)):
        return SourceError(
            "the certificate of the server is not one that this machine trusts; behind a company's proxy, set "
            "REQUESTS_CA_BUNDLE to the file with its certificate"
        )
    sentences: dict[type[BaseException], CutError | SourceError] = {  # the first that fits
        exceptions.ProxyError: CutError("the proxy in HTTPS_PROXY gives no way to Kaggle"),
        **dict.fromkeys(_CUTS, CutError("the connection to Kaggle failed or was cut")),
        exceptions.RequestException: CutError("the connection to Kaggle failed or was cut"),
        ImportError: SourceError(
            f"the package kaggle cannot be imported; install it (`pip install kaggle`), or {_BY_HAND}"
        ),
    }
    unknown = SourceError(f"the package kaggle failed with {type(error).__name__}{_place(error)}; {_BY_HAND}")
    return next((said for kind, said in sentences.items() if isinstance(error, kind)), unknown)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what led to it."""
    while error is not None:
        yield error
        inner = next((inner for inner in error.args if isinstance(inner, BaseException)), None)  # the way of urllib3
        error = error.__cause__ or error.__context__ or inner


def _status(error: BaseException) -> int | None:
    """The status of an answer; Kaggle may also say it in an answer that is outwardly a good one (status 200)."""
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
    """Say why Kaggle does not give a dataset, by the status of its answer."""
    where = where_credentials_are()
    if status == 401:
        if where:
            return f"Kaggle does not accept the credentials in {where} (401); {_HOW}"
        return f"Kaggle gives {dataset} only to those who say who they are (401); {_HOW}"
    if status == 403:
        if where:
            return (
                f"the account of the credentials in {where} may not download {dataset} (403); open its page on Kaggle with "
                f"that account and accept its terms, or ask its owner"
            )
        return f"Kaggle does not give {dataset} to those who do not say who they are (403); {_HOW}"
    if status == 404:
        return (
            f"there is no dataset {dataset} on Kaggle, or it is a private one (404); give OWNER/NAME as the address of its "
            "page ends, and for a private one the credentials of its owner"
        )
    return f"Kaggle refuses to give {dataset} (status {status}); {_BY_HAND}"


def _place(error: BaseException) -> str:
    """Name the file and line that raised an error, for a report of it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})" if trace else ""

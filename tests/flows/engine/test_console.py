"""The terminal of `make serve` shows one line per message."""

import io
import logging

from prefect.logging.handlers import PrefectConsoleHandler

from flows.engine.console import OneLineHandler
from lstm_music.errors import RecipeError


def lines_of(handler_class: type[PrefectConsoleHandler], record: logging.LogRecord) -> list[str]:
    stream = io.StringIO()
    handler_class(stream).emit(record)
    return stream.getvalue().splitlines()


def test_an_error_is_its_message_and_its_traceback_stays_for_the_log():
    error = RecipeError("recipe 'demmo': not found")
    record = logging.LogRecord("prefect", logging.ERROR, "", 1, "it failed: %r", (error,), (RecipeError, error, None))
    assert lines_of(OneLineHandler, record) == ["it failed: RecipeError(\"recipe 'demmo': not found\")"]
    assert record.exc_info is not None
    assert len(lines_of(PrefectConsoleHandler, record)) > 1

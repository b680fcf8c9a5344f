"""The terminal of `make serve`: one line per message. The log of a run, in the UI, has the tracebacks."""

import copy
import logging

from prefect.logging.handlers import PrefectConsoleHandler


class OneLineHandler(PrefectConsoleHandler):
    """Prefect's handler for the terminal, which leaves out tracebacks: most are of a recipe or a parameter that was wrong."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message of a record without its traceback."""
        if record.exc_info or record.stack_info:
            record = copy.copy(record)  # the handler that sends it to the server needs all of it
            record.exc_info = record.exc_text = record.stack_info = None
        super().emit(record)

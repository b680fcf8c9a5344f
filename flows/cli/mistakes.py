"""A mistake on the command line → one sentence that names the option, what is expected, and the help to read."""

import difflib
import re
from typing import Any

from pydantic import ValidationError
from typer.exceptions import TyperException

from lstm_music import faults

_UNKNOWN_COMMAND = re.compile(r"No such command '(?P<name>.*?)'")
_MISSING = re.compile(r"Missing (?:argument|option) '(?P<name>.*?)'")
_EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((?P<words>.*)\)", re.DOTALL)


def sentence(error: TyperException, words: list[str], commands: list[str]) -> str:
    """Say what is wrong with the words of a command line; `commands` are the names of the sub-commands."""
    context = getattr(error, "ctx", None)
    name = context.info_name if context is not None and context.parent is not None else None
    name = name or next((word for word in words if word in commands), None)
    help_of = f"lstm-music {name} --help" if name else "lstm-music --help"
    return f"{_fault(error, context, commands)} See `{help_of}`"


def _fault(error: TyperException, context: Any, commands: list[str]) -> str:
    """Say what is wrong, as whole sentences."""
    message = error.format_message().rstrip(".")
    option = getattr(error, "option_name", None)
    if unknown := _UNKNOWN_COMMAND.match(message):
        return f"{unknown['name']}: unknown command.{_suggestion(unknown['name'], commands)}"
    if extra := _EXTRA.fullmatch(message):
        return f"{extra['words']}: unexpected argument."
    if option and message.startswith("No such option"):
        known = [name for parameter in context.command.params for name in (*parameter.opts, *parameter.secondary_opts)]
        return f"{option}: unknown option.{_suggestion(option, known)}"
    if option:
        return f"{option}: {'expected no value' if 'does not take' in message else 'expected a value'}."
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        parameter: Any = getattr(error, "param", None)
        return f"{parameter.opts[-1] if parameter else 'command line'}: {faults.sentence(cause.errors()[0])}."
    missing = _MISSING.match(message)
    return f"{missing['name']}: expected a value." if missing else f"{message}."


def _suggestion(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.65)
    return f" Did you mean {close[0]}?" if close else ""

"""The options of making music on the command line, as the table of `lstm_music.options` lists them."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from lstm_music.options import Command, Listed, flags_of, options_of
from lstm_music.spelled_out import spell_out

F = TypeVar("F", bound=Callable[..., Any])


def takes_options_of(command: Command, before: str) -> Callable[[F], F]:
    """Decorate a sub-command whose `**options` are those of the table; `--help` lists them before another parameter.

    Typer reads the signature, so the function gets what is given on the command line, and None for the rest.
    """

    def decorate(function: F) -> F:
        spell_out(function, [_parameter(command, name, listed) for name, listed in options_of(command).items()], before)
        return function

    return decorate


def _parameter(command: Command, name: str, listed: Listed) -> inspect.Parameter:
    option = listed.option
    default = option.defaults.get(command, option.default)
    said = typer.Option(
        *flags_of(name).split(),
        metavar=option.metavar,
        min=option.minimum,
        max=option.maximum,
        help=option.help,
        show_default=default or False,
        rich_help_panel=option.group,
    )
    type_ = option.word | None if option.word else listed.type
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[type_, said]
    )

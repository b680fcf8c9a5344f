"""Functions that take options of the table as keywords: their signature and docstring name each of them."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from lstm_music.options import RECIPE, Command, options_of

F = TypeVar("F", bound=Callable[..., Any])

_LINE = "**options:"
"""How the line of a docstring begins in whose place the options are described."""


def takes_options_of(command: Command) -> Callable[[F], F]:
    """Decorate a function whose `**options` are those of a sub-command, so that `help` and editors show each of them."""

    def decorate(function: F) -> F:
        listed = options_of(command)
        spell_out(
            function,
            [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=one.type)
                for name, one in listed.items()
            ],
        )
        texts = []
        for name, one in listed.items():
            default = one.option.defaults.get(command, one.option.default)
            texts.append(f"{name}: {one.option.help}" + ("" if default in {None, RECIPE} else f" Default: {default}."))
        function.__doc__ = _described(function.__doc__ or "", texts)
        return function

    return decorate


def spell_out(function: Callable[..., Any], options: Sequence[inspect.Parameter], before: str | None = None) -> None:
    """Let the signature of a function name these parameters instead of its `**options`: last, or before another parameter.

    The function itself does not change: it still gets them as a mapping.
    """
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    place = len(own) if before is None else list(signature.parameters).index(before)
    cast("Any", function).__signature__ = signature.replace(parameters=[*own[:place], *options, *own[place:]])


def _described(docstring: str, texts: Sequence[str]) -> str:
    """Put a line per option in the place of the line of `**options`."""
    lines = docstring.splitlines()
    place = next(number for number, line in enumerate(lines) if line.lstrip().startswith(_LINE))
    indent = lines[place].partition(_LINE)[0]
    return "\n".join([*lines[:place], *(indent + text for text in texts), *lines[place + 1 :]])

"""How `--help` looks: options and commands in named groups, whole sentences, no frames, as wide as the terminal."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from lstm_music.options import OUTPUT

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
GENERAL = "General"
COLUMN = 24
"""Characters of the column of names; a longer name has a line of its own."""


class Command(TyperCommand):
    """A sub-command whose help lists its options by their groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the groups of options."""
        _write_groups(formatter, _options(self, ctx))


class Group(TyperGroup):
    """The program itself, whose help lists its sub-commands by their groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the groups of commands, and then the options."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if not command.hidden:
                text = (command.help or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")
                rows.setdefault(command.rich_help_panel or GENERAL, []).append((name, text))
        _write_groups(formatter, rows)
        _write_groups(formatter, _options(self, ctx))


class App(typer.Typer):
    """A program whose sub-commands have the help of this module."""

    @property
    def names(self) -> list[str]:
        """The names of the sub-commands."""
        return [one.name or one.callback.__name__ for one in self.registered_commands if one.callback]

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Register a function as a sub-command."""
        return super().command(name, **{"cls": Command, **settings})


def _options(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    rows: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            is_argument = parameter.param_type_name == "argument"
            panel = getattr(parameter, "rich_help_panel", None)
            rows.setdefault(panel or ("Arguments" if is_argument else GENERAL), []).append(
                (record[0], _plain(record[1]))
            )
    last = {title: rows.pop(title) for title in (OUTPUT, GENERAL) if title in rows}  # as everywhere
    return {**rows, **last}


def _plain(text: str) -> str:
    """Write defaults without brackets in brackets, and bounds in words."""
    text = re.sub(r"\[default: \((.*?)\)(?=[;\]])", r"[default: \1", text)
    return text.replace("x>=", "at least ").replace(" <list[str]>", "")


def _write_groups(formatter: Any, groups: Mapping[str, Iterable[tuple[str, str]]]) -> None:
    for title, rows in groups.items():
        with formatter.section(title):
            formatter.write_dl(list(rows), col_max=COLUMN)

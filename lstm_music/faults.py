"""What pydantic found wrong with a value, in the words of this project: `expected at least 1, got 0`."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import ErrorDetails

_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "bool_parsing": lambda _: "true or false",
    "bool_type": lambda _: "true or false",
    "dict_type": lambda _: "a table",
    "finite_number": lambda _: "a finite number",
    "float_parsing": lambda _: "a number",
    "float_type": lambda _: "a number",
    "greater_than": lambda given: f"more than {given['gt']:g}",
    "greater_than_equal": lambda given: f"at least {given['ge']:g}",
    "int_from_float": lambda _: "a whole number",
    "int_parsing": lambda _: "a whole number",
    "int_type": lambda _: "a whole number",
    "less_than": lambda given: f"less than {given['lt']:,g}",
    "less_than_equal": lambda given: f"at most {given['le']:,g}",
    "list_type": lambda _: "a list",
    "literal_error": lambda given: str(given["expected"]).replace("'", ""),
    "model_attributes_type": lambda _: "a table",
    "model_type": lambda _: "a table",
    "string_too_short": lambda _: "text that is not empty",
    "string_type": lambda _: "text",
    "tuple_type": lambda _: "a list",
}
"""Pydantic's type of a fault → what would be right, from the fault's context."""

_CHOICES = re.compile(r"(?P<given>.*) is not one of (?P<choices>.*)\.", re.DOTALL)  # typer's sentence


def sentence(
    fault: ErrorDetails, patterns: Mapping[str, str] = MappingProxyType({}), *, shows_value: bool = True
) -> str:
    """Write what was expected and what was given; `patterns` has words for regular expressions.

    A validator of this project has its own words for what it expects.
    """
    given = f", got {fault['input']!r}" if shows_value and not isinstance(fault["input"], dict) else ""
    if fault["type"] in _EXPECTED:
        return f"expected {_EXPECTED[fault['type']](fault.get('ctx', {}))}{given}"
    if fault["type"] == "string_pattern_mismatch":
        return f"expected {patterns.get(fault['ctx']['pattern'], 'text of another form')}{given}"
    message = fault["msg"].removeprefix("Value error, ")
    if choices := _CHOICES.fullmatch(message):
        return f"expected {one_of(choices['choices'].replace(chr(39), '').split(', '))}{given}"
    return message + given


def one_of(names: list[str]) -> str:
    """Join names for a sentence: `a, b or c`."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))

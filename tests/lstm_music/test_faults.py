"""Pydantic's faults in words of our own."""

from typing import Annotated, Literal

import pytest
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from lstm_music.faults import one_of, sentence


def refuse(_value):
    raise ValueError("expected a sound")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, "x", "expected a whole number, got 'x'"),
        (int, 1.5, "expected a whole number, got 1.5"),
        (float, "x", "expected a number, got 'x'"),
        (bool, "maybe", "expected true or false, got 'maybe'"),
        (str, 3, "expected text, got 3"),
        (tuple[str, ...], 3, "expected a list, got 3"),
        (dict[str, int], 3, "expected a table, got 3"),
        (Literal["ogg", "mp3"], "wav", "expected ogg or mp3, got 'wav'"),
        (Annotated[int, Field(ge=1)], 0, "expected at least 1, got 0"),
        (Annotated[float, Field(gt=0.5)], 0, "expected more than 0.5, got 0"),
        (Annotated[int, Field(le=10_000)], 20_000, "expected at most 10,000, got 20000"),
        (Annotated[float, Field(lt=1)], 2, "expected less than 1, got 2"),
        (Annotated[float, Field(allow_inf_nan=False)], float("inf"), "expected a finite number, got inf"),
        (Annotated[str, Field(min_length=1)], "", "expected text that is not empty, got ''"),
        (Annotated[str, Field(pattern="^a$")], "b", "expected text of another form, got 'b'"),
        (Annotated[int, BeforeValidator(refuse)], "la", "expected a sound, got 'la'"),
    ],
)
def test_a_fault_says_what_was_expected_and_what_was_given(kind, value, words):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    assert sentence(caught.value.errors()[0]) == words
    assert "got" not in sentence(caught.value.errors()[0], shows_value=False)


def test_a_pattern_may_have_words():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[str, Field(pattern="^a$")]).validate_python("b")
    assert sentence(caught.value.errors()[0], {"^a$": "the letter a"}) == "expected the letter a, got 'b'"


def test_names_are_joined_for_a_sentence():
    assert [one_of([]), one_of(["a"]), one_of(["a", "b"]), one_of(["a", "b", "c"])] == ["", "a", "a or b", "a, b or c"]

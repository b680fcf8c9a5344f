"""One number, or one for each stream."""

import pytest
from pydantic import ValidationError

from lstm_music.errors import RecipeError
from lstm_music.generation.spec import GenerationSpec, parse_per_stream


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.9", {"offset": 0.9, "note": 0.9, "duration": 0.9}),
        (" 1 ", {"offset": 1, "note": 1, "duration": 1}),
        ("note=0.7", {"note": 0.7}),
        ("note=0.7, duration=2,offset=0", {"note": 0.7, "duration": 2, "offset": 0}),
    ],
)
def test_what_a_person_types_is_read(text, numbers):
    assert parse_per_stream(text, "--temperature") == numbers


@pytest.mark.parametrize(
    "text", ["", "warm", "note=", "note=x", "pitch=1", "note=1,note=2", "0.9,note=1", "=1,1", "1;2"]
)
def test_anything_else_is_refused_with_what_would_be_right(text):
    with pytest.raises(RecipeError) as caught:
        parse_per_stream(text, "--temperature")
    assert str(caught.value) == (
        f"--temperature: expected one number, or offset=0.9,note=0.9,duration=0.9, got {text!r}"
    )


def test_one_number_stands_for_every_stream():
    spec = GenerationSpec(temperature=0.5, top_k=3, top_p={"offset": 1, "note": 0.9, "duration": 0.8})
    assert spec.temperature == {"offset": 0.5, "note": 0.5, "duration": 0.5, "part": 0.5, "velocity": 0.5}
    assert set(spec.top_k.values()) == {3}
    assert spec.top_p["duration"] == 0.8


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": {"note": 1}},
        {"top_p": 0},
        {"top_p": 1.1},
        {"top_k": -1},
        {"top_k": {"offset": 1, "note": 1, "duration": 1, "pitch": 1}},
        {"num_events": 10, "min_events": 11},
        {"num_outputs": 0},
        {"min_p": 1},
        {"max_repeats": 1},
        {"max_quarters": 0},
        {"best_of": 0},
        {"prompt": ""},
        {"composer": "bach", "prompt": "none"},
    ],
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        GenerationSpec(**wrong)

"""The grammar's tables: which offsets lead to a point of the grid, and which notes lie in the range of the training pieces."""

import pytest

from lstm_music.encoding.chords import CHORD_ENCODINGS, PITCH_NAMES
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.vocabulary import SPECIAL_IDS, fit
from lstm_music.generation.grammar import make_grammar, training_range


@pytest.mark.parametrize("chords", CHORD_ENCODINGS)
def test_the_tables_are_those_of_the_grid(chords):
    spec = EventSpec(chords=chords, quarter_length_divisors=(4, 3))
    texts = ["0", "1/12", "1/4", "1/3", "1/2", "7/12", "1", "4/3", "2"]
    counts = dict.fromkeys(texts, 1)
    vocabularies = {stream: fit(stream, counts, spec.encoding, spec.grid) for stream in ("offset", "duration")}
    vocabularies["note"] = fit("note", {}, spec.encoding, spec.grid)
    grammar = make_grammar(spec, vocabularies)
    steps = [spec.grid.steps(text) for text in texts]
    assert grammar.steps_per_quarter == 12
    assert grammar.offset_steps.tolist() == grammar.duration_steps.tolist() == [0] * SPECIAL_IDS + steps
    assert grammar.ascending == (chords == "per_note")
    assert not grammar.on_grid[:, :SPECIAL_IDS].any()
    points = {0, 3, 4, 6, 8, 9}
    for phase in range(12):
        allowed = [step for step, fits in zip(steps, grammar.on_grid[phase, SPECIAL_IDS:], strict=True) if fits]
        assert allowed == [step for step in steps if (phase + step) % 12 in points]


@pytest.mark.parametrize(
    ("chords", "counts", "span", "allowed"),
    [
        ("per_note", {"C3": 2, "G4": 1}, (48, 67), {f"{pitch}" for pitch in PITCH_NAMES[48:68]}),
        ("pitch_set", {"C3": 1, "C4.E4": 1}, (48, 64), {"C3", "C#3", "C4.E4", "B3.E-4"}),
        ("normal_order", {"C3": 1, "0.4": 1, "0": 1}, (48, 72), {"C3", "C#3", "0.4", "1.5", "11.3", "0"}),
    ],
)
def test_notes_lie_in_the_range_of_the_training_pieces(chords, counts, span, allowed):
    """With transpositions a semitone up and down, which stay in the vocabulary but not in the range."""
    spec = EventSpec(chords=chords, quarter_length_divisors=(4, 3))
    steps = {"0": 1, "1": 1}
    vocabularies = {stream: fit(stream, steps, spec.encoding, spec.grid) for stream in ("offset", "duration")}
    notes = vocabularies["note"] = fit("note", counts, spec.encoding, spec.grid, (-1, 0, 1))
    assert training_range(notes, spec.encoding) == span

    def may_be_chosen(**settings):
        grammar = make_grammar(spec, vocabularies, **settings)
        assert not grammar.notes[:SPECIAL_IDS].any()
        return {value for value, fits in zip(notes.values, grammar.notes[SPECIAL_IDS:], strict=True) if fits}

    assert may_be_chosen() == allowed
    assert may_be_chosen(any_pitch=True) == set(notes.values)


def test_without_training_notes_every_pitch_is_allowed():
    spec = EventSpec()
    vocabulary = fit("note", {}, spec.encoding, spec.grid)
    assert training_range(vocabulary, spec.encoding) is None


def test_drums_have_no_pitch_that_counts_in_the_range():
    spec = EventSpec(parts="families")
    steps = {"0": 1, "1": 1}
    vocabularies = {stream: fit(stream, steps, spec.encoding, spec.grid) for stream in ("offset", "duration")}
    notes = vocabularies["note"] = fit("note", {"C4": 1, "E4": 1, "drum36": 3}, spec.encoding, spec.grid)
    assert training_range(notes, spec.encoding) == (60, 64)
    assert make_grammar(spec, vocabularies).notes[notes.encode(["drum36"])].all()
    assert training_range(fit("note", {"drum36": 3}, spec.encoding, spec.grid), spec.encoding) is None

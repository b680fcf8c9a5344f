"""The grammar's tables say which offsets lead from a phase of the quarter to a point of the grid."""

import pytest

from lstm_music.encoding.chords import CHORD_ENCODINGS
from lstm_music.encoding.events import EventSpec
from lstm_music.encoding.vocabulary import SPECIAL_IDS, fit
from lstm_music.generation.grammar import make_grammar


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

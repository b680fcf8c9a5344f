"""The end of music of a given length: where the last bar is cut, and what is held until the barline."""

import numpy as np
import pytest

from lstm_music.encoding.chords import DRUM_NAMES
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.vocabulary import SPECIAL_IDS, fit
from lstm_music.generation.ending import ended_well, held_in_notes
from lstm_music.generation.grammar import make_grammar
from lstm_music.midi.notes import NOTE_DTYPE

SPEC = EventSpec(chords="per_note", parts="families", quarter_length_divisors=(4, 3))
BAR = 48
VALUES = {
    "offset": ("0", "1", "2", "3"),
    "note": ("C4", "E4", DRUM_NAMES[36]),
    "duration": ("1/12", "1", "2", "4"),
    "part": ("piano", "drums"),
}
VOCABULARIES = {
    stream: fit(stream, dict.fromkeys(values, 1), SPEC.encoding, SPEC.grid, parts=SPEC.part_alphabet)
    for stream, values in VALUES.items()
}
DRUMS = SPECIAL_IDS + VOCABULARIES["part"].values.index("drums")


@pytest.fixture
def end_well():
    """End music of two bars that begins with a barline; give the events, as texts."""
    played = {"piano": VALUES["note"][:2], "drums": VALUES["note"][2:]}
    grammar = make_grammar(SPEC, VOCABULARIES, played=played)

    def run(music, end_nats, **settings):
        events = [text.split() for text in music]
        columns = zip(*events, strict=True)
        tokens = np.stack(
            [VOCABULARIES[stream].encode(texts) for stream, texts in zip(VALUES, columns, strict=True)], 1
        ).astype(np.int32)
        found = ended_well(
            tokens, np.float64(end_nats), grammar, first_position_steps=0, length=2 * BAR, bar=BAR, **settings
        )
        return [
            " ".join(VOCABULARIES[stream].value(int(token)) for stream, token in zip(VALUES, row, strict=True))
            for row in found
        ]

    return run


DRUM = f"{DRUM_NAMES[36]} 1/12 drums"
FIRST_BAR = ["0 C4 1 piano", f"0 {DRUM}", "3 C4 1 piano"]


def test_the_last_bar_keeps_the_first_of_the_drums_that_have_to_play_in_it(end_well):
    music = [*FIRST_BAR, "1 C4 1 piano", "1 E4 1 piano", f"0 {DRUM}", "1 C4 1 piano"]
    likeliest = [0, 0, 0, 1, 5, 4, 3]
    assert end_well(music, likeliest) == [*FIRST_BAR, "1 C4 4 piano"]
    assert end_well(music, likeliest, drums=DRUMS) == [*music[:6], "1 C4 2 piano"]
    assert end_well(music, [0, 0, 0, 1, 5, 2, 3], drums=DRUMS) == [*music[:4], "1 E4 2 piano", music[5]]
    assert end_well(music[:5], likeliest[:5], drums=DRUMS) == [*FIRST_BAR, "1 C4 4 piano"]


def test_notes_are_held_where_drums_have_the_last_word(end_well):
    music = [*FIRST_BAR, "1 C4 1 piano", "0 E4 1 piano", f"2 {DRUM}"]
    held = [*FIRST_BAR, "1 C4 4 piano", "0 E4 4 piano", f"2 {DRUM}"]
    assert end_well(music, [9, 9, 9, 9, 9, 0]) == held
    drums = [f"{offset} {DRUM}" for offset in (0, 3, 3)]
    assert end_well(drums, [0, 0, 0]) == drums


def test_in_notes_the_last_new_ones_but_drums_are_held_to_the_tick():
    notes = np.zeros(5, NOTE_DTYPE)
    notes["onset_ticks"] = [0, 100, 100, 100, 150]
    notes["duration_ticks"] = [10, 20, 40, 40, 5]
    notes["is_drum"] = [False, False, False, False, True]
    assert held_in_notes(notes, 50, 200, 100)["duration_ticks"].tolist() == [10, 20, 100, 100, 5]
    assert held_in_notes(notes, 50, 201, 100)["duration_ticks"].tolist() == [10, 20, 40, 40, 5]
    assert held_in_notes(notes, 150, 200, 100)["duration_ticks"].tolist() == [10, 20, 40, 40, 5]

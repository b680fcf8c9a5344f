"""Bars of three quarters in sixteenths, and what is asked of them, for tests of controls and their rails."""

import numpy as np

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.vocabulary import Vocabulary
from lstm_music.generation.conditioning import Asked
from lstm_music.generation.grammar import make_grammar

QUARTER, BAR = 4, 12
STEPS = tuple(range(13))
STREAMS = 3
COLUMNS = {control: STREAMS + place for place, control in enumerate(CONTROLS)}


def _text(steps):
    return f"{steps}/4" if steps % 4 else str(steps // 4)


def small_grammar():
    """Give the grammar of two octaves of white keys, in sixteenths."""

    def vocabulary(stream, values):
        return Vocabulary(stream, tuple(values), (1,) * len(values), 0.0)

    vocabularies = {
        "offset": vocabulary("offset", [_text(one) for one in STEPS]),
        "note": vocabulary("note", [f"{name}{octave}" for octave in (3, 4) for name in "CDEFGAB"]),
        "duration": vocabulary("duration", [_text(one) for one in STEPS[1:]]),
    }
    return make_grammar(EventSpec(quarter_length_divisors=(4,)), vocabularies)


def asked_of(count, outputs=1, **said):
    none = dict.fromkeys(("density", "polyphony", "mean_pitch"), np.zeros(count, np.float64))
    nothing = {
        "bars": np.zeros(outputs, np.int32),
        "key": np.zeros(count, np.int32),
        "chord": np.zeros((outputs, count, 3), np.int32),
        **none,
    }
    return Asked(**{**nothing, **said})

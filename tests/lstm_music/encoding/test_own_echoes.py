"""An own echo is what a part played after its longest earlier run of equal steps, by comparing all of them."""

import numpy as np
import pytest
from own_echo_music import NOTES, PITCHES, SHAPES, STEPS, part_music

from lstm_music.encoding.echoes import LENGTHS, NOTE, PART_COLUMN, RANKS
from lstm_music.encoding.own_echoes import DURATION, OWN_ECHOES, own_echo_sizes, own_echo_tokens
from lstm_music.encoding.vocabulary import SPECIAL_IDS, START
from lstm_music.models.columns import Columns

NAMES = list(OWN_ECHOES)


def by_comparing_all(tokens):
    """Compute the columns of one piece from the definition in the module's docstring."""
    found = np.full((len(tokens), len(NAMES)), START)
    found[:, 2::3] = 0
    onset = np.cumsum(STEPS[tokens[:, 0]])
    for part in np.unique(tokens[:, PART_COLUMN]):
        own = np.flatnonzero(tokens[:, PART_COLUMN] == part)
        notes = tokens[own, NOTE].tolist()
        pitches = [PITCHES.get(note) for note in notes]
        steps = [None]
        for number, event in enumerate(own[1:]):
            interval = interval_of(pitches[number - 1], pitches[number]) if number else None
            sound = "pitch" if pitches[number] is not None else notes[number]
            steps.append((onset[event] - onset[own[number]], tokens[own[number], DURATION], sound, interval))
        for here in range(1, len(own)):
            matches = []
            for there in range(1, here):
                run = 0
                while run < there and steps[here - run] == steps[there - run]:
                    run += 1
                if run:
                    matches.append((sum(run >= length for length in LENGTHS), there))
            for rank, (length, there) in enumerate(sorted(matches, reverse=True)[:RANKS]):
                note = tokens[own[there], NOTE]
                by = interval_of(pitches[there - 1], pitches[here - 1])
                moved = note + (by or 0) * (pitches[there] is not None)
                found[own[here], 3 * rank : 3 * rank + 3] = moved, tokens[own[there], DURATION], length
    return found


def interval_of(before, pitch):
    return None if before is None or pitch is None else pitch - before


@pytest.mark.parametrize("random_seed", range(4))
def test_they_follow_the_longest_run_of_the_part_itself(random_seed):
    tokens = part_music(np.random.default_rng(random_seed), 300)
    found, wanted = own_echo_tokens(tokens, SHAPES, STEPS), by_comparing_all(tokens)
    assert {*wanted[:, NAMES.index("own_echo_length")].tolist()} >= {*range(6)}
    assert np.array_equal(found, wanted)


def test_pieces_in_sequence_know_nothing_of_each_other():
    rng = np.random.default_rng(5)
    pieces = [part_music(rng, count) for count in (60, 1, 0, 120)]
    number = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    found = own_echo_tokens(np.concatenate(pieces), SHAPES, STEPS, number)
    assert np.array_equal(found, np.concatenate([own_echo_tokens(piece, SHAPES, STEPS) for piece in pieces]))


def test_a_line_is_known_in_another_key_while_others_play_something_new():
    """One part repeats its line, after a long rest and a fourth higher; drums go on, and are not moved."""
    line = [60, 62, 64, 65, 67, 65, 64, 62, 59]
    rng = np.random.default_rng(3)
    events = []
    for shift, offset in ((0, 4), (5, 5)):
        for number, pitch in enumerate(line):
            events.append((offset if number == 0 else 4, NOTES[pitch + shift], 3, 3))
            events += [(3, NOTES["drum36"], 3, 4), (3, SPECIAL_IDS + rng.integers(40, 70), 4, 5)]
    tokens = np.array(events)
    echo = own_echo_tokens(tokens, SHAPES, STEPS)[:, : len(NAMES) // RANKS]
    second = np.flatnonzero(tokens[:, PART_COLUMN] == 3)[len(line) :]
    assert np.array_equal(echo[second[3:], 0], tokens[second[3:], NOTE])
    assert echo[second[3:], 2].tolist() == [2, 3, 4, 4, 5, 5]
    drums = np.flatnonzero(tokens[:, PART_COLUMN] == 4)[3:]
    assert (echo[drums, 0] == NOTES["drum36"]).mean() > 0.9


def test_a_transposition_moves_their_notes():
    sizes = {"offset": 9, "note": 140, "duration": 6, "part": 5}
    columns = Columns(tuple(sizes), {**sizes, **own_echo_sizes(sizes)}, np.zeros(9, np.float32), 4)
    names = list(columns.sizes)
    assert [names[place] for place in columns.note_columns] == ["note", *(name for name in NAMES if "note" in name)]
    assert [columns.sizes[name] for name in NAMES[:3]] == [140, 6, len(LENGTHS) + 1]

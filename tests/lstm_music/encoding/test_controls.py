"""Controls: what they say of each event, found again by counting; how they move and hide."""

import numpy as np
import pytest

from lstm_music.encoding.controls import (
    CONTROLS,
    KEY_BARS,
    NOTHING,
    POLYPHONY_STEPS,
    SIZES,
    Played,
    control_tokens,
    hide_controls,
    moved_controls,
)
from lstm_music.encoding.harmony import chords_of, moved_key, read_chord, read_chords, written_chords
from lstm_music.encoding.windows import blank_batch
from lstm_music.midi.key import keys_of

QUARTER = 4


def some_pieces(seed=1, bars=((0, 3), (1, 16), (1, 2)), events=40):
    """Draw pieces in bars of 3 quarters with drums among the notes; some begin within a bar, and some bars have no event."""
    rng = np.random.default_rng(seed)
    columns = []
    for piece, (first, last) in enumerate(bars):
        onset = np.sort(rng.integers(2 if first else 0, (last - first + 1) * 3 * QUARTER, events))
        pitch = np.where(rng.random(events) < 0.2, -1, rng.integers(30, 90, events))
        bar, position = np.divmod(onset, 3 * QUARTER)
        columns.append(
            np.stack(
                [np.full(events, piece), onset - onset[0], rng.integers(1, 20, events), pitch, first + bar, position]
            )
        )
    return Played(*np.concatenate(columns, axis=1))


def counted(played):
    """Find the controls of each event as one would by hand."""
    rows = []
    for index in range(len(played.onset)):
        same = np.flatnonzero(played.piece == played.piece[index])
        bar = 3 * QUARTER
        start = played.onset[index] - played.position[index]
        stop = start + bar
        onset, end, pitch = played.onset[same], (played.onset + played.duration)[same], played.pitch[same]

        def lasts(begin, until, onset=onset, end=end, pitch=pitch):
            found = np.zeros(12, np.int64)
            for a, b, p in zip(onset, end, pitch, strict=True):
                if p >= 0:
                    found[p % 12] += max(0, min(b, until) - max(a, begin))
            return found

        rest = [other for other in same if other >= index and start <= played.onset[other] < stop]
        pitches = [played.pitch[other] for other in rest if played.pitch[other] >= 0]
        quarter = start + played.position[index] // QUARTER * QUARTER
        key = keys_of(lasts(max(start - KEY_BARS * bar, onset[0]), min(stop + KEY_BARS * bar, end.max()))[None])[0]
        polyphony = lasts(played.onset[index], stop).sum() / (stop - played.onset[index])
        rows.append(
            [
                played.bar[same].max() - played.bar[index] + 1,
                1 + key,
                1 + chords_of(lasts(quarter, quarter + QUARTER)[None])[0],
                len(rest),
                1 + np.rint(min(polyphony * POLYPHONY_STEPS, SIZES["polyphony"] - 2)),
                1 + np.floor(np.mean(pitches) + 0.5) if pitches else NOTHING,
            ]
        )
    return np.array(rows, np.int64)


def test_controls_say_what_one_finds_by_hand():
    played = some_pieces()
    by_hand, found = counted(played), control_tokens(played, QUARTER, CONTROLS)
    by_hand[:, 0] = [1 + np.searchsorted((1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16), bars) for bars in by_hand[:, 0]]
    for place, control in enumerate(CONTROLS):
        np.testing.assert_array_equal(found[:, place], by_hand[:, place], control)
        assert found[:, place].min() >= 0
        assert found[:, place].max() < SIZES[control]


def test_pieces_are_told_apart():
    played = some_pieces(bars=((1, 4), (1, 4)), events=30)
    alone = [control_tokens(played.part(part), QUARTER, CONTROLS) for part in (slice(0, 30), slice(30, 60))]
    np.testing.assert_array_equal(control_tokens(played, QUARTER, CONTROLS), np.concatenate(alone))


def test_the_order_of_controls_is_that_which_is_asked():
    played = some_pieces()
    whole = control_tokens(played, QUARTER, CONTROLS)
    np.testing.assert_array_equal(control_tokens(played, QUARTER, ("density", "key")), whole[:, [3, 1]])


@pytest.mark.parametrize(
    ("pitches", "chord"),
    [
        ((0, 4, 7), "C"),
        ((9, 0, 4), "Am"),
        ((7, 11, 2, 5), "G7"),
        ((2, 5, 9, 0), "Dm7"),
        ((11, 2, 5), "Bdim"),
        ((3, 6, 9, 1), "Ebm7b5"),
        ((0, 4), "C"),
    ],
)
def test_chords_are_found_by_their_notes(pitches, chord):
    lasts = np.bincount(pitches, minlength=12)
    assert chords_of(3 * lasts[None]).tolist() == [read_chord(chord).number]


def test_one_note_alone_is_no_chord():
    assert chords_of(np.eye(12, dtype=np.int64)).tolist() == [0] * 12


def test_moved_music_has_the_moved_controls():
    played = some_pieces()
    higher = Played(
        played.piece,
        played.onset,
        played.duration,
        np.where(played.pitch < 0, -1, played.pitch + 5),
        played.bar,
        played.position,
    )
    before, after = (control_tokens(one, QUARTER, CONTROLS) for one in (played, higher))
    for place, control in enumerate(CONTROLS):
        table = moved_controls(control, (0, 5))
        moved = before[:, place] if table is None else table[1][before[:, place]]
        np.testing.assert_array_equal(after[:, place], moved, control)
        if table is not None:
            np.testing.assert_array_equal(table[0], np.arange(SIZES[control]))
    assert moved_key(14, -3) == 23  # D minor becomes B minor


def test_text_of_chords():
    assert written_chords(read_chords("Am F  C G")) == "Am F C G"
    assert [[str(chord) for chord in bar] for bar in read_chords("| Am F | Gmin7 |")] == [["Am", "F"], ["Gm7"]]
    for text in ("H", "Am x", "", "|", "Am || C"):
        with pytest.raises(ValueError, match="expected"):
            read_chords(text)


def test_controls_are_hidden_in_whole_windows_or_before_some_event():
    rng = np.random.default_rng(1)
    kinds = set()
    for _ in range(20):
        batch = blank_batch(8, 5, 4)
        batch.current[:], batch.previous[:], batch.mask[:] = 7, 7, 1
        hide_controls(batch, [2, 3], rng)
        assert (batch.current[..., :2] == 7).all()
        for window in range(5):
            for column in (2, 3):
                current, previous = batch.current[:, window, column], batch.previous[:, window, column]
                told = np.flatnonzero(current)
                first = told[0] if len(told) else 8
                assert (current[first:] == 7).all()
                assert (previous[first + 1 :] == 7).all()
                assert not previous[1 : first + 1].any()
                assert bool(previous[0]) == (first == 0)
                kinds.add("all" if first == 0 else "none" if first == 8 else "from then on")
    assert kinds == {"all", "none", "from then on"}
    hide_controls(batch, [2, 3])
    assert not batch.current[..., 2:].any()
    assert not batch.previous[..., 2:].any()

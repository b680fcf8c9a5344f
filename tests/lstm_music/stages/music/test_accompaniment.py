"""The given music is in every result note for note, and the new notes lie where they may."""

from dataclasses import replace

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.encoding.events import encode
from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.midi.notes import KeySignature, Tempo, TimeSignature
from lstm_music.midi.parts import Part, in_parts
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.stages.music.accompaniment import BEST_OF, accompanying
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.overrides import settings_of
from lstm_music.stages.music.prompt_files import PromptMidi

MELODY = [(0, 2, 72), (2, 1, 74), (3, 0.5, 76), (3.5, 0.5, 67), (6, 3.75, 71), (6, 1, 65), (12, 4, 72)]
"""Onsets and durations in quarters; one of them is no duration that the models know, and before the last there is a rest."""


def rows(notes):
    """Onset and duration in quarters, and pitch."""
    return sorted(
        (float(note["onset_ticks"]) / QUARTER, float(note["duration_ticks"]) / QUARTER, int(note["pitch"]))
        for note in notes
    )


def melody_piece(rows=MELODY, **others):
    """Give the melody as a piece of two tempos, in 3/4."""
    ticks = [(int(onset * QUARTER), int(duration * QUARTER), pitch) for onset, duration, pitch in rows]
    signs = {
        "tempos": (Tempo(0, 600_000), Tempo(6 * QUARTER, 400_000)),
        "time_signatures": (TimeSignature(0, 3, 4),),
        "key_signatures": (KeySignature(0, -1, is_minor=False),),
    }
    return replace(piece_of(ticks), **{**signs, **others})


def two_hands(number=7):
    """Give a piece with a track for each hand."""
    piece = small_piece(number, 6)
    return in_parts(piece, [Part("RH"), Part("LH")], np.asarray(piece.notes["pitch"] < 60, np.int64), "Mine")


@pytest.fixture
def make(made, trained, tmp_path):
    """Accompany a piece, or a part of it; give the results and the store."""

    def run(piece, part="", **settings):
        own = made.copy(tmp_path / "storage")
        spec = accompanying(own.recipe).generation.model_copy(update={"num_outputs": 2, "best_of": 1, **settings})
        melody = Melody(PromptMidi("mine.mid", write_midi(piece), "midi"), part)
        run.ref, run.store = make_music(own.store, own.prepared.dataset, trained, spec, 1, melody=melody), own.store
        return read_music(own.store, run.ref)

    return run


@pytest.mark.parametrize("temperature", [0.0, 4.0])
def test_the_given_notes_are_in_every_result_and_new_ones_lie_below(make, temperature):
    streams = ("offset", "note", "duration", "part", "velocity")
    for one in make(melody_piece(), temperature=dict.fromkeys(streams, temperature)):
        piece = read_midi(one.midi)
        notes = piece.notes
        assert set(rows(notes)) >= set(rows(melody_piece().notes))
        assert len(rows(notes)) == len(set(rows(notes)))
        given = {(onset, pitch) for onset, _, pitch in MELODY}
        new = [row for row in rows(notes) if (row[0], row[2]) not in given]
        for onset, _, pitch in new:
            assert all(pitch < high for start, length, high in MELODY if start <= onset < start + length)
        assert max(onset + length for onset, length, _ in rows(notes)) == 16
        assert set(rows(notes[notes["track"] == 1])) == set(rows(melody_piece().notes))
        assert piece.track_names[1] == "Piano (right hand)"
        assert one.facts["given"]["notes"] == len(MELODY)
        assert one.facts["events"] == len(notes)
        signs = [(tempo.tick // QUARTER, tempo.microseconds_per_quarter) for tempo in piece.tempos]
        assert signs == [(0, 600_000), (6, 400_000)]
        assert piece.time_signatures == (TimeSignature(0, 3, 4),)
        assert piece.key_signatures == (KeySignature(0, -1, is_minor=False),)
        assert one.title == "Mine, accompanied"


@pytest.mark.parametrize(("part", "hand"), [("", 0), ("2", 1)])
def test_a_hand_of_a_file_is_given_and_the_other_one_is_new(make, made, part, hand):
    piece = two_hands()
    of_hand = piece.notes[piece.notes["track"] == hand + 1]
    for one in make(piece, part, temperature=dict.fromkeys(("offset", "note", "duration"), 2.0)):
        notes = read_midi(one.midi).notes
        is_given = notes["track"] == hand + 1
        assert set(rows(notes[is_given])) == set(rows(of_hand))
        for onset, _, pitch in rows(notes[~is_given]):
            sounding = [own for start, length, own in rows(of_hand) if start <= onset < start + length]
            assert all(pitch < own if hand == 0 else pitch > own for own in sounding)
        assert len(encode(read_midi(one.midi), made.dataset.events)) == one.facts["events"] == len(one.tokens)
    warnings = make.store.open(make.ref).facts["warnings"]
    assert warnings == ([] if part else ["mine.mid: the given part is the right hand; --part takes another one (left)"])


def test_the_places_in_the_bar_are_those_of_the_given_music(make, made):
    piece = melody_piece(time_signatures=(TimeSignature(0, 3, 4), TimeSignature(6 * QUARTER, 4, 4)))
    for one in make(piece):
        whole = encode(read_midi(one.midi), made.dataset.events)
        steps = made.dataset.events.grid.steps_per_quarter
        step, quarter = one.tokens[:, 3], one.tokens[:, 4]
        assert (quarter * steps + step).tolist() == whole.position_in_bar_steps.tolist()


def test_the_command_and_the_summary_name_the_file_and_its_part(made, tmp_path):
    path = tmp_path / "mine.mid"
    path.write_bytes(write_midi(melody_piece()))

    def settings(part=None, **overrides):
        return settings_of(made.recipe, "tiny", {**overrides, "random_seed": 3}, melody=path, part=part)

    usual = settings()
    assert usual.command == f"lstm-music accompany {path} --recipe tiny --random-seed 3"
    assert usual.summary == ["accompanies mine.mid", "random seed 3"]
    other = settings("right", best_of=2, temperature=0.5)
    words = "--temperature offset=0.5,note=0.5,duration=0.5 --best-of 2 --random-seed 3 --part right"
    assert other.command == f"lstm-music accompany {path} --recipe tiny {words}"
    assert other.summary[0] == "accompanies mine.mid, part right"


def test_settings_that_the_given_music_decides_are_left_out(made):
    recipe = made.recipe
    spec = recipe.generation.model_copy(update={"bars": 8, "tempo": 90.0, "prompt": "bwv", "pitch_range": "C3-C5"})
    own = accompanying(recipe.model_copy(update={"generation": spec})).generation
    assert (own.bars, own.tempo, own.prompt, own.pitch_range, own.best_of) == (0, 0, "none", "C3-C5", BEST_OF)


@pytest.mark.parametrize(
    ("piece", "part", "error", "words"),
    [
        (piece_of([]), "", RejectedInputError, r"mine\.mid: holds no notes; give a file with notes to accompany"),
        (
            piece_of([(0, 480, 38)], drums=True),
            "",
            RejectedInputError,
            r"holds only drums .*, and these models know no drums",
        ),
        (
            melody_piece(),
            "soprano",
            SourceError,
            r"--part: expected a part of mine\.mid \(right, left, 1\), got 'soprano'",
        ),
    ],
    ids=["no note", "drums", "part"],
)
def test_what_cannot_be_accompanied_is_said(make, piece, part, error, words):
    with pytest.raises(error, match=words):
        make(piece, part)


def test_notes_that_no_training_piece_has_and_those_off_the_grid_are_said(make):
    (one, _) = make(melody_piece([(0, 1, 110), (1 + 1 / 12, 1, 70)]))
    assert set(rows(read_midi(one.midi).notes)) >= {(0, 1, 110), (1, 1, 70)}
    moved, outside = make.store.open(make.ref).facts["warnings"]
    assert moved == (
        "mine.mid: 1 of 2 given notes begins off the grid of these models, and is moved to the nearest multiple of 1/4 or 1/3 of "
        "a quarter note"
    )
    assert "1 of 2 given notes lie outside of those of the training pieces" in outside

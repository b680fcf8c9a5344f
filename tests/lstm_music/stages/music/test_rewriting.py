"""New bars stand in the place of others; every note outside of them, and all else of the file, stays as it was."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.errors import RecipeError, RejectedInputError, SourceError
from lstm_music.generation.loop import Made
from lstm_music.midi.notes import KeySignature, Pedal, Tempo, TimeSignature
from lstm_music.midi.parts import Part, in_parts
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.stages.music import candidates, gap_search
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.music.gap_reading import read_gap
from lstm_music.stages.music.overrides import settings_of
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.rewriting import Rewrite, rewriting
from lstm_music.stages.music.rewritten_result import NewBars

STREAMS = ("offset", "note", "duration")
BARS = 8
REST = ("ticks_per_quarter", "tempos", "time_signatures", "key_signatures", "track_names", "pedal")


def waltz(number=3, **others):
    """Give a piece of eight bars of 3/4 for two hands, with two tempos, a pedal, and a note held over each border of bars 4-5."""
    piece = small_piece(number, 3 * BARS)
    held = piece_of([(8 * QUARTER, 3 * QUARTER, 45), (14 * QUARTER, 2 * QUARTER, 47)])
    notes = np.concatenate([piece.notes, held.notes])
    whole = in_parts(
        replace(piece, notes=notes), [Part("RH"), Part("LH")], np.asarray(notes["pitch"] < 60, np.int64), "Mine"
    )
    notes = whole.notes.copy()
    notes["velocity"] = 40 + np.arange(len(notes)) % 60
    signs = {
        "tempos": (Tempo(0, 600_000), Tempo(10 * QUARTER, 400_000)),
        "time_signatures": (TimeSignature(0, 3, 4),),
        "key_signatures": (KeySignature(0, -1, is_minor=False),),
        "pedal": (Pedal(9 * QUARTER, 1, 0, 127), Pedal(11 * QUARTER, 1, 0, 0)),
    }
    return read_midi(write_midi(replace(whole, notes=notes, **{**signs, **others})))


def in_bars(piece, first, last, quarters=3):
    """Say which notes of a piece begin in some bars: not by what the reader makes of the notes, which may see a pickup."""
    onsets = piece.notes["onset_ticks"] / piece.ticks_per_quarter
    return (onsets >= quarters * (first - 1)) & (onsets < quarters * last)


@pytest.fixture
def make(made, trained, tmp_path, monkeypatch):
    """Rewrite bars of a piece, or of a part of it, and judge them by a few events."""
    monkeypatch.setattr(candidates, "read_gap", partial(read_gap, behind=4))
    monkeypatch.setattr(gap_search, "FURTHER_RUNS", 0)

    def run(piece, bars, part="", **settings):
        own = made.copy(tmp_path / "storage")
        usual = {"num_outputs": 2, "best_of": 3, "max_quarters": 8.0}
        spec = rewriting(own.recipe).generation.model_copy(update={**usual, **settings})
        melody = Rewrite(PromptMidi("mine.mid", write_midi(piece), "midi"), part, bars)
        return read_music(own.store, make_music(own.store, own.prepared.dataset, trained, spec, 1, melody=melody))

    return run


@pytest.mark.parametrize("temperature", [pytest.param(1.0, marks=pytest.mark.operation), 3.0])
def test_all_but_the_notes_in_the_bars_stays_to_the_byte(make, monkeypatch, temperature):
    monkeypatch.setattr(gap_search, "FURTHER_RUNS", 1)
    before = waltz()
    is_old = in_bars(before, 5, 5)
    results = make(before, "5", temperature=dict.fromkeys(STREAMS, temperature))
    assert len(results) == 2
    for one in results:
        after = read_midi(one.midi)
        is_new = in_bars(after, 5, 5)
        assert after.notes[~is_new].tobytes() == before.notes[~is_old].tobytes()
        assert {name: getattr(after, name) for name in REST} == {name: getattr(before, name) for name in REST}
        new = after.notes[is_new]
        assert sorted(new[["onset_ticks", "pitch"]].tolist()) != sorted(
            before.notes[is_old][["onset_ticks", "pitch"]].tolist()
        )
        ends = new["onset_ticks"] + new["duration_ticks"]
        assert ends.max() <= 16 * QUARTER  # as the longest of the old ones, one quarter past the barline
        assert {*new["track"].tolist()} <= {1, 2}
        facts = one.facts["rewritten"]
        assert (facts["notes"], facts["replaced_notes"]) == (len(new), is_old.sum())
        assert facts["events_behind"] == 4
        assert facts["nats_per_event_behind"] > 0
        assert facts["nats_per_event_behind_before"] > 0
        assert len(one.tokens) == one.facts["events"] == len(new)
        assert one.title == "Mine, bar 5 rewritten"


@dataclass
class Rules:
    """Keeps what was given to the outputs in each run."""

    outputs: int
    given: list

    @property
    def script_of(self):
        return np.zeros(self.outputs)

    def give(self, scripts, script_of):
        self.given.append((scripts, script_of))


def test_further_runs_keep_the_beginning_and_only_better_ends(made, monkeypatch):
    """Five outputs: four candidates, and the bars that were there."""
    dataset, spec = made.dataset, rewriting(made.recipe).generation
    read = read_gap(dataset, Rewrite(PromptMidi("mine.mid", write_midi(waltz()), "midi"), "", "4"), spec)
    rng, rules = np.random.default_rng(1), Rules(5, [])
    replayed = read.rows(read.replayed)

    def bars(nats):
        notes = rng.integers(3, 40, 3)
        tokens = np.stack([np.full(3, 3), notes, np.full(3, 3), notes * 0, notes * 0], 1)
        onsets = read.gap.start + 12 * np.arange(3)
        is_new = np.ones(3, np.bool_)
        return NewBars(read, Made(tokens, np.ones(3), 0), is_new, onsets, nats, np.full(4, nats))

    was = [(int(row[0]), int(row[2])) for row in replayed[replayed[:, 0] < read.gap.stop]]
    nats = [[5.0, 3.0, 4.0, 9.0], [2.0, 6.0, 3.5, 3.4], [8.0, 8.0, 8.0, 8.0], [1.9, 8.0, 8.0, 8.0]]
    runs = [[*map(bars, own), None] for own in nats]
    monkeypatch.setattr(gap_search, "read_bars_made", lambda _dataset, _read, one: one)
    found = gap_search.search(dataset, read, rules, lambda number: runs[number], 2)
    assert was
    assert [one.given_nats for one in found.results] == [1.9, 3.4]
    assert found.results[0].notes == runs[3][0].notes
    assert found.results[1].notes == runs[1][3].notes
    assert [one.facts["candidates"] for one in found.results] == [16, 16]
    (fresh, replay), of_first = rules.given[0]
    assert of_first.tolist() == [0, 0, 0, 0, 1]
    assert (fresh.begin, replay.begin) == (read.gap.start, read.gap.stop)
    assert (fresh.notes[:, 0] >= read.gap.stop).all()
    length = read.gap.stop - read.gap.start
    for (scripts, script_of), share in zip(rules.given[1:], (1 / 2, 3 / 4, 7 / 8), strict=True):
        assert script_of.tolist() == [0, 1, 0, 1, 2]
        assert scripts[0].begin == read.gap.start + math.ceil(length * share)
    best = rules.given[1][0][0].notes
    kept = best[best[:, 0] < read.gap.stop]
    assert kept[:, 2].tolist() == [note for onset, note in runs[0][1].notes if onset < rules.given[1][0][0].begin]


@pytest.mark.parametrize(
    ("bars", "begin", "end"), [pytest.param("1", 0, 3, marks=pytest.mark.operation), ("8", 21, 24)]
)
def test_the_first_and_the_last_bars_of_a_piece(make, bars, begin, end):
    before = waltz()
    for one in make(before, bars):
        after = read_midi(one.midi)
        is_new = in_bars(after, int(bars), int(bars))
        assert after.notes[~is_new].tobytes() == before.notes[~in_bars(before, int(bars), int(bars))].tobytes()
        new = after.notes[is_new]
        assert len(new)
        assert new["onset_ticks"].min() >= begin * QUARTER
        assert (new["onset_ticks"] + new["duration_ticks"]).max() <= end * QUARTER
        has_more = end < 24
        assert (one.facts["rewritten"]["nats_per_event_behind"] is None) == (not has_more)


@pytest.mark.parametrize(("part", "track"), [("right", 1), pytest.param("2", 2, marks=pytest.mark.operation)])
def test_one_hand_is_rewritten_and_the_other_stays(make, part, track):
    before = waltz()
    is_old = in_bars(before, 4, 4) & (before.notes["track"] == track)
    for one in make(before, "4", part, temperature=dict.fromkeys(STREAMS, 2.0)):
        after = read_midi(one.midi)
        is_new = in_bars(after, 4, 4) & (after.notes["track"] == track)
        assert after.notes[~is_new].tobytes() == before.notes[~is_old].tobytes()
        other = after.notes[after.notes["track"] != track]
        assert is_new.any()
        for note in after.notes[is_new]:
            sounding = (other["onset_ticks"] <= note["onset_ticks"]) & (
                other["onset_ticks"] + other["duration_ticks"] > note["onset_ticks"]
            )
            pitches = other["pitch"][sounding]
            assert (pitches < note["pitch"]).all() if track == 1 else (pitches > note["pitch"]).all()


@pytest.mark.operation
def test_silent_bars_are_filled_after_a_long_rest(make):
    rows = [(0, QUARTER, 60), (QUARTER, QUARTER, 64), (60 * QUARTER, QUARTER, 62), (61 * QUARTER, QUARTER, 65)]
    before = piece_of(rows)
    for one in make(before, "15"):
        after = read_midi(one.midi)
        is_new = in_bars(after, 15, 15, quarters=4)
        assert is_new.any()
        assert after.notes[~is_new].tobytes() == before.notes.tobytes()


@pytest.mark.parametrize(
    ("piece", "bars", "part", "error", "words"),
    [
        (waltz(), "9-12", "", SourceError, r"--bars: expected bars of mine\.mid, which has 1 to 8, got '9-12'"),
        (waltz(), "8-9", "", SourceError, r"which has 1 to 8, got '8-9'"),
        (waltz(), "1-8", "", SourceError, r"--bars: 1-8 is all that the models read of mine\.mid, so nothing stays"),
        (waltz(), "2", "tenor", SourceError, r"--part: expected a part of mine\.mid \(right, left, .*\), got 'tenor'"),
        (
            piece_of([]),
            "2",
            "",
            RejectedInputError,
            r"mine\.mid: holds no notes; give a file with notes to rewrite bars of",
        ),
    ],
    ids=["outside", "past the end", "all", "part", "empty"],
)
def test_bars_and_parts_that_are_not_there(make, piece, bars, part, error, words):
    with pytest.raises(error, match=words):
        make(piece, bars, part)


def test_coarse_ticks_become_as_fine_as_the_grid(made):
    piece = waltz()
    notes = piece.notes[piece.notes["onset_ticks"] % QUARTER == 0].copy()
    for name in ("onset_ticks", "duration_ticks"):
        notes[name] = -(-notes[name] // QUARTER)
    signs = {"tempos": (Tempo(0, 500_000), Tempo(9, 400_000)), "pedal": ()}
    coarse = replace(piece, ticks_per_quarter=1, notes=notes, **signs)
    spec = rewriting(made.recipe).generation
    whole = read_gap(made.dataset, Rewrite(PromptMidi("mine.mid", write_midi(coarse), "midi"), "", "4"), spec).whole
    steps = made.dataset.events.grid.steps_per_quarter
    assert whole.ticks_per_quarter == steps
    assert whole.notes["onset_ticks"].tolist() == (steps * notes["onset_ticks"]).tolist()
    assert whole.notes["duration_ticks"].tolist() == (steps * notes["duration_ticks"]).tolist()
    assert [tempo.tick for tempo in whole.tempos] == [0, 9 * steps]


def test_the_command_and_the_summary_name_the_bars(made, tmp_path):
    path = tmp_path / "mine.mid"
    path.write_bytes(write_midi(waltz()))

    def settings(bars, part=None, **overrides):
        options = {**overrides, "random_seed": 3}
        return settings_of(made.recipe, "tiny", options, melody=path, part=part, rewrite_bars=bars)

    usual = settings(" 4 - 5 ".replace(" ", ""))
    assert usual.command == f"lstm-music rewrite {path} --recipe tiny --random-seed 3 --bars 4-5"
    assert usual.summary == ["rewrites bars 4-5 of mine.mid", "random seed 3"]
    other = settings("4", "Right-Hand", best_of=2)
    assert other.command == f"lstm-music rewrite {path} --recipe tiny --best-of 2 --random-seed 3 --bars 4 --part right"
    assert other.summary[0] == "rewrites bar 4, part right of mine.mid"
    with pytest.raises(RecipeError, match="--tempo: lstm-music rewrite does not take it; leave it out"):
        settings("4", tempo=90)
    with pytest.raises(RecipeError, match=r"--bars: expected the first and the last bar, such as 1-8; .*, got '12-9'"):
        settings("12-9")

"""Whatever is asked of the music is so in every result, as read back from its MIDI file."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_music import QUARTER, small_piece, tiny_recipe, write_folder

from lstm_music.encoding.events import encode
from lstm_music.errors import RecipeError, SourceError
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.key import estimate_key
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, PieceNotes, Tempo, TimeSignature
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music import candidates
from lstm_music.stages.music.asked import _parts as of_parts
from lstm_music.stages.music.asked import as_json, compare, compared, kept
from lstm_music.stages.music.candidates import make_music, new_notes, read_music, result_at_quarters
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.store import Store

RESULTS = 8
ALL = {"bars": 1, "tempo": 92, "key": "A minor", "pitch_range": "48-70", "velocity": 50, "meter": "4/4"}


@pytest.fixture
def make(made, trained, tmp_path):
    """Make music with some settings; give the candidates."""

    def run(prompt_midi=None, outputs=RESULTS, **settings):
        own = made.copy(tmp_path / "storage")
        spec = GenerationSpec.model_validate(
            {**own.recipe.generation.model_dump(), "num_outputs": outputs, "num_events": 6, "min_events": 1, **settings}
        )
        run.ref = make_music(own.store, own.prepared.dataset, trained, spec, 1, prompt_midi)
        run.spec, run.store = spec, own.store
        return read_music(own.store, run.ref)

    return run


def made_again(make, **settings):
    shutil.rmtree(make.store.root)
    return make(**settings)


def ends_of(one):
    """Where the new notes of a result begin and end, in quarters."""
    notes = new_notes(one)
    return notes["onset_ticks"].min() / QUARTER, (notes["onset_ticks"] + notes["duration_ticks"]).max() / QUARTER


@pytest.mark.parametrize(
    ("bars", "settings"),
    [
        (2, {}),
        (1, {"include_prompt": True}),
        (1, {"prompt": "none"}),
        pytest.param(2, {"prompt": "random", "outputs": 64}, marks=pytest.mark.operation),
    ],
)
def test_every_result_ends_with_the_barline(make, bars, settings):
    results = make(bars=bars, **settings)
    for one in results:
        begins, ends = ends_of(one)
        assert ends - begins // 4 * 4 == 4 * bars
        last = new_notes(one)["onset_ticks"].max() / QUARTER
        assert last - begins // 4 * 4 >= 4 * (bars - 1)
    asked = [{"asked": as_json(compare(make.spec, one))} for one in results]
    assert kept(asked) == [f"bars {bars} in {len(results)} of {len(results)} pieces"]


def test_an_end_before_the_barline_is_no_kept_length(make):
    results = make(bars=1, outputs=4, max_quarters=0.25)  # no note may be held longer
    for one in results:
        begins, ends = ends_of(one)
        (said,) = compare(make.spec, one)
        assert said.is_kept == (ends == begins // 4 * 4 + 4)
        assert said.is_kept != ("before the barline" in said.found)
    assert not all(compare(make.spec, one)[0].is_kept for one in results)


def test_drums_alone_have_no_length_that_could_miss_the_barline():
    notes = np.zeros(2, NOTE_DTYPE)
    notes["onset_ticks"], notes["duration_ticks"], notes["is_drum"] = [0, 5 * QUARTER], 10, True
    piece = PieceNotes(QUARTER, notes, tempos=(Tempo(0, 500_000),), time_signatures=(TimeSignature(0, 4, 4),))

    def bars(asked):
        (said,) = compared(GenerationSpec(bars=asked), piece, notes, {})
        return said.is_kept

    assert [bars(1), bars(2), bars(3)] == [False, True, False]
    notes["is_drum"][1] = False
    assert [bars(1), bars(2), bars(3)] == [False, False, False]


def test_drums_are_asked_of_whole_bars_and_of_the_last_where_it_is_whole():
    notes = np.zeros(5, NOTE_DTYPE)
    notes["onset_ticks"] = [QUARTER, 4 * QUARTER, 5 * QUARTER, 8 * QUARTER, 12 * QUARTER]
    notes["duration_ticks"], notes["is_drum"] = QUARTER, [False, False, True, True, False]
    piece = PieceNotes(QUARTER, notes, tempos=(Tempo(0, 500_000),), time_signatures=(TimeSignature(0, 4, 4),))

    def drums(**asked):
        said = compared(GenerationSpec(add_drums=True, **asked), piece, notes, {})
        return [(one.found, one.is_kept) for one in said if one.name == "drums"]

    assert drums() == [("in 2 of 2 whole bars", True)]  # the prompt begins the first, and the last may be cut short
    assert drums(bars=4) == [("in 2 of 3 whole bars", False)]


def test_instruments_are_kept_where_no_other_part_has_new_notes():
    def said(instruments, playing, **asked):
        return [(one.found, one.is_kept) for one in of_parts(GenerationSpec(instruments=instruments, **asked), playing)]

    assert said("Violin, cello", ["violin 1", "violin 2", "cello"]) == [("violin 1, violin 2, cello", True)]
    assert said("violin 1", ["violin 1", "violin 2"]) == [("violin 1, violin 2", False)]
    assert said("piano", ["piano", "drums"]) == [("piano, drums", False)]
    assert said("piano", ["piano", "drums"], add_drums=True) == [("piano, drums", True)]
    assert said("", ["piano"]) == said("piano", []) == []


@pytest.mark.operation
def test_all_of_it_together_is_kept_in_64_results(make):
    asked = [{"asked": as_json(compare(make.spec, one))} for one in make(outputs=64, **ALL)]
    said = [sentence for sentence in kept(asked) if "estimated" not in sentence]
    assert len(said) == len(ALL)
    assert [sentence for sentence in said if not sentence.endswith("64 of 64 pieces")] == []


def test_more_room_for_events_does_not_change_the_music(make, monkeypatch):
    usual = [one.midi for one in make(bars=1, outputs=4)]
    monkeypatch.setattr(candidates, "likely_events", lambda _dataset, _lengths: 9)  # doubled until all have ended
    assert [one.midi for one in made_again(make, bars=1, outputs=4)] == usual


def test_seconds_are_counted_at_the_tempo_from_the_first_barline(make):
    for one in make(seconds=3, tempo=90):
        begins, ends = ends_of(one)
        assert 3 - 0.06 <= (ends - begins // 4 * 4) * 60 / 90 <= 3


def test_tempo_and_velocity_are_written_and_change_no_note(make):
    plain = [one.tokens.tolist() for one in make()]
    other = [one.tokens.tolist() for one in made_again(make, tempo=61.5, velocity=33)]
    assert other == plain
    for one in read_music(make.store, make.ref):
        piece = read_midi(one.midi)
        assert [tempo.microseconds_per_quarter for tempo in piece.tempos] == [round(60e6 / 61.5)]
        assert {*piece.notes["velocity"].tolist()} == {33}


@pytest.mark.parametrize("register", ["C4-E4", "60-71"])
def test_no_note_leaves_the_register_and_a_prompt_that_does_is_said(make, register):
    low, high, written = {"C4-E4": (60, 64, "C4-E4"), "60-71": (60, 71, "C4-B4")}[register]
    found = make(pitch_range=register)
    pitches = np.concatenate([new_notes(one)["pitch"] for one in found])
    assert low <= pitches.min() <= pitches.max() <= high
    warnings = make.store.open(make.ref).facts["warnings"]
    assert warnings == [f"notes of some prompts lie outside of {written}, which holds for new notes"]


@pytest.mark.parametrize(("key", "sharps", "is_minor"), [("F# minor", 3, True), ("Bb major", -2, False)])
def test_prompts_are_moved_to_the_key_that_is_written(make, key, sharps, is_minor):
    for one in make(key=key):
        assert read_midi(one.midi).key_signatures == (KeySignature(0, sharps, is_minor),)
        heard = estimate_key(read_midi(one.prompt_midi))
        assert (heard.sharps, heard.is_minor) == (sharps, is_minor)
        assert -12 < one.facts["prompt"]["moved_semitones"] < 12


def test_without_a_prompt_the_meter_is_that_of_the_bars_that_are_made(make):
    for one in make(prompt="none", meter="3/4", bars=1):
        assert read_midi(one.midi).time_signatures == (TimeSignature(0, 3, 4),)
        assert ends_of(one)[1] == 3


def test_a_register_without_a_note_of_the_training_pieces_is_refused(make):
    with pytest.raises(RecipeError, match=r"--pitch-range: expected notes of the training pieces, .* got 'D8-C9'"):
        make(pitch_range="110-120")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seconds": 1, "tempo": 120}, r"at least 2, which is a bar of 4/4 after .+\.mid, at 120 .*, got 1; .*--tempo"),
        (
            {"seconds": 1.7, "tempo": 100, "prompt": "none", "meter": "3/4"},
            r"at least 1\.8, which is a bar of 3/4 after no prompt, at 100 quarter notes a minute, got 1\.7;",
        ),
    ],
)
def test_seconds_hold_a_bar(make, settings, sentence):
    with pytest.raises(RecipeError, match=f"--seconds: expected {sentence}"):
        make(**settings)


@pytest.mark.parametrize("meter", ["1/32", "3/32"])
def test_a_meter_whose_bars_are_not_on_the_grid_is_refused(make, meter):
    with pytest.raises(
        RecipeError, match=f"--meter: expected bars of whole steps of .* 1/12 of .*, got '{meter}'; give"
    ):
        make(prompt="none", meter=meter, bars=1)


# --- prompts


def in_meter(number, numerator, denominator=4):
    return replace(small_piece(number), time_signatures=(TimeSignature(0, numerator, denominator),))


@pytest.fixture
def mixed(tmp_path):
    """A dataset of pieces in 3/4 and in 4/4."""
    pieces = {f"{top} {number}.mid": in_meter(number, top) for number in range(8) for top in (3, 4)}
    store, recipe = Store(tmp_path / "storage"), tiny_recipe()
    others = {
        name: replace(piece, notes=with_pitch(piece, index)) for index, (name, piece) in enumerate(pieces.items())
    }
    folder = write_folder(tmp_path / "music", others)
    prepared = prepare(store, recipe, ingest(store, recipe, str(folder)))
    return store, load_dataset(store, prepared.dataset)


def with_pitch(piece, index):
    """The notes, another first pitch for each piece, so that no two are the same music."""
    notes = piece.notes.copy()
    notes["pitch"][index % len(notes)] = 40 + index % 5
    return notes


@pytest.mark.parametrize("prompt", ["auto", "random"])
def test_prompts_are_in_the_meter(mixed, prompt):
    store, dataset = mixed
    spec = GenerationSpec(num_outputs=20, prompt_events=8, prompt=prompt, meter="3/4")
    for origin in choose_prompts(store, dataset, spec, 1, None):
        assert origin.segment.name.startswith("3 ")
        assert origin.segment.time_signature == TimeSignature(0, 3, 4)
        assert origin.segment.bar_steps == 36
    with pytest.raises(
        SourceError, match=r"--meter: expected the meter of a held-out piece \(.*/4 \(\d+\).*\), got '5/4'"
    ):
        choose_prompts(store, dataset, spec.model_copy(update={"meter": "5/4"}), 1, None)


def of_file(made, piece, **settings):
    spec = GenerationSpec(**{"num_outputs": 1, "prompt_events": 8, **settings})
    (origin,) = choose_prompts(made.store, made.dataset, spec, 1, PromptMidi("mine.mid", write_midi(piece), "midi"))
    return origin


def test_bars_of_a_file_are_taken_with_their_signatures(made):
    changes = (TimeSignature(0, 3, 4), TimeSignature(12 * QUARTER, 4, 4))
    keys = (KeySignature(0, 1, is_minor=False), KeySignature(12 * QUARTER, -3, is_minor=False))
    piece = replace(small_piece(40), time_signatures=changes, key_signatures=keys)
    whole = encode(piece, made.dataset.events)
    for bars, (first, last), meter, sharps in (("1-2", (1, 2), 3, 1), ("5-6", (5, 6), 4, -3), ("2", (2, 2), 3, 1)):
        origin = of_file(made, piece, prompt_bars=bars)
        taken = np.flatnonzero((whole.bar >= first) & (whole.bar <= last))
        segment = origin.segment
        assert (segment.first, len(segment.tokens), segment.bars) == (taken[0], len(taken), (first, last))
        assert (segment.time_signature.numerator, segment.key_signature.sharps) == (meter, sharps)
        assert origin.ends_bar
        assert origin.warnings == ()
    with pytest.raises(SourceError, match=r"--prompt-bars: expected bars of mine\.mid, which has 1 to 7, got '7-9'"):
        of_file(made, piece, prompt_bars="7-9")


def test_after_bars_of_a_file_the_music_begins_with_the_next_bar(make):
    piece = PromptMidi("mine.mid", write_midi(small_piece(40)), "midi")
    for one in make(piece, 8, prompt_bars="2-3", bars=1, include_prompt=True):
        begins, ends = ends_of(one)
        assert (begins // 4, ends) == (2, 12)
    assert all(said.is_kept for said in compare(make.spec, one))


@pytest.mark.parametrize("is_inside", [True, False])
def test_silent_bars_of_a_file_are_bars_of_the_prompt(make, is_inside):
    piece = small_piece(40)
    bar = piece.notes["onset_ticks"] // (4 * QUARTER) + 1
    piece = replace(piece, notes=piece.notes[np.isin(bar, [2, 5])])
    prompt = PromptMidi("mine.mid", write_midi(piece), "midi")
    for one in make(prompt, 4, prompt_bars="1-4", bars=1, include_prompt=is_inside):
        assert one.facts["prompt"]["bars"] == [1, 4]
        assert [(said.name, said.is_kept) for said in compare(make.spec, one)] == [
            ("bars", True),
            ("prompt bars", True),
        ]
        begins, ends = ends_of(one)
        first = read_midi(one.prompt_midi).notes["onset_ticks"].min() / QUARTER
        in_prompts_time = begins + result_at_quarters(one)
        assert (in_prompts_time // 4 - first // 4, ends % 4) == (3, 0)  # from bar 2 to bar 5


def test_a_pickup_that_a_file_does_not_have_is_no_bar_of_the_prompt(made):
    assert of_file(made, small_piece(40), prompt_bars="0-2").segment.bars == (1, 2)


def test_a_file_in_another_meter_or_mode_is_said(made):
    piece = in_meter(41, 3)
    with pytest.raises(SourceError, match=r"--meter: expected 3/4, in which mine\.mid is there, got '4/4'"):
        of_file(made, piece, meter="4/4")
    assert of_file(made, piece, meter="3/4").segment.bar_steps == 36
    scale = replace(piece, notes=piece.notes.copy())
    scale.notes["pitch"] = np.resize([60, 64, 67, 72, 65, 62, 60, 67], len(scale.notes))
    origin = of_file(made, scale, key="D minor", prompt_events=999, any_pitch=True)
    (warning,) = origin.warnings
    assert warning == "mine.mid: the prompt sounds like C major, so it has the notes of D minor and still sounds major"
    assert origin.moved == 5
    assert origin.segment.key_signature == KeySignature(0, -1, is_minor=True)

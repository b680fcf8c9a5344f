"""The part as a stream: from notes to tokens, models, a score card, and music of several instruments that reads back."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from band_music import band_piece
from small_music import tiny_recipe, write_folder

from lstm_music.encoding.chords import drum_key
from lstm_music.encoding.echoes import NOTE, PART_COLUMN, echo_columns
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import encode
from lstm_music.encoding.guesses import guess_columns, guess_tokens
from lstm_music.encoding.knowledge import Knowledge
from lstm_music.encoding.own_echoes import OWN_ECHOES
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import ALL_STREAMS, chain_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.errors import RecipeError
from lstm_music.evaluation.copies import build
from lstm_music.evaluation.part_statistics import PART_METRICS
from lstm_music.evaluation.voice_leading import VoiceLeading, voice_leading
from lstm_music.midi.general_midi import DRUM_CHANNEL
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music.candidates import go_on, make_music, new_notes, read_music
from lstm_music.stages.music.copies import event_reader, index_copies
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.part_measures import in_parts, training_ranges, voices_of
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.reference import measure_reference, read_reference, reference_stage
from lstm_music.stages.music.segments import piece_rows
from lstm_music.stages.music.steering import parts_outside
from lstm_music.stages.training.scorecard import evaluate, read_card
from lstm_music.stages.training.train import train_model
from lstm_music.store import Store

STREAMS_OF_PARTS = ALL_STREAMS[:4]
RECIPE = tiny_recipe(events={"parts": "families"}, model={"experts": ["piece", "ngrams"]})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("parts") / "storage")


@pytest.fixture(scope="module")
def prepared(store, tmp_path_factory):
    pieces = {f"piece {number:02d}.mid": band_piece(number) for number in range(8)}
    return prepare(store, RECIPE, ingest(store, RECIPE, str(write_folder(tmp_path_factory.mktemp("bands"), pieces))))


@pytest.fixture(scope="module")
def dataset(prepared, store):
    return load_dataset(store, prepared.dataset)


@pytest.fixture(scope="module")
def models(store, prepared, publish_untrained):
    """The model of notes is trained, where drums stay as pitches are transposed; the others are as they begin."""
    models = publish_untrained(store, RECIPE, prepared.dataset, ("offset", "part", "duration"))
    models["note"] = train_model(store, RECIPE, prepared.dataset, "note")
    return {name: models[name] for name in RECIPE.model.models}


def test_a_recipe_with_parts_has_a_model_of_them():
    assert RECIPE.model.streams == STREAMS_OF_PARTS
    assert RECIPE.model.models == STREAMS_OF_PARTS
    assert chain_of(RECIPE.model.streams) == ("offset", "part", "note", "duration")
    with pytest.raises(RecipeError, match=r"'part' needs events\.parts"):
        tiny_recipe(model={"streams": STREAMS_OF_PARTS})


def test_tokens_hold_the_part_and_its_echoes(dataset):
    assert dataset.streams == STREAMS_OF_PARTS
    assert list(dataset.sizes)[: 4 + len(PLACES)] == [*STREAMS_OF_PARTS, *PLACES]
    assert list(dataset.sizes)[4 + len(PLACES) :] == [
        *echo_columns(STREAMS_OF_PARTS, 8),
        *OWN_ECHOES,
        *guess_columns(STREAMS_OF_PARTS),
    ]
    values = dataset.vocabularies["part"].values
    assert values == ("piano", "bass", "strings", "drums")
    for span in dataset.spans["train"]:
        tokens = np.asarray(dataset.tokens[span.start : span.stop], np.int64)
        shapes = shapes_of(dataset.vocabularies["note"])
        only_echoes = Knowledge.of(("piece",), STREAMS_OF_PARTS)
        wanted = only_echoes.tokens(tokens[:, :4], dataset.vocabularies, dataset.events.grid)
        assert (wanted[:, -len(OWN_ECHOES)] == tokens[:, NOTE]).mean() > 0.1  # the best own echo
        found = tokens[:, 4 + len(PLACES) :]
        assert np.array_equal(found[:, : wanted.shape[1]], wanted)
        counted = guess_tokens(tokens[:, :4], shapes, dataset.sizes, dataset.knowledge.table, is_counted=True)
        assert np.array_equal(found[:, wanted.shape[1] :], counted)
    assert {part: {note[:4] == "drum" for note in notes} for part, notes in dataset.notes_of_parts.items()} == {
        part: {part == "drums"} for part in values
    }


def test_a_score_card_has_a_row_for_the_part_beside_its_baselines(store, prepared, models):
    card = read_card(store, evaluate(store, RECIPE, prepared.dataset, models))
    for split in card["splits"].values():
        for scores in (split, *split["baselines"].values()):
            assert set(scores["streams"]) == set(STREAMS_OF_PARTS)
            assert scores["nll_per_event"] == pytest.approx(sum(one["nll"] for one in scores["streams"].values()))
        by_part = split["parts"]
        assert sum(part["events"] for part in by_part.values()) == split["events"]
        for stream in ("part", "note", "duration"):
            whole = sum(part["events"] * part["models"][stream] for part in by_part.values()) / split["events"]
            assert whole == pytest.approx(split["streams"][stream]["nll"])
        majority = split["baselines"]["majority"]["streams"]["note"]["nll"]
        assert split["baselines"]["ngram_joint"]["streams"]["note"]["nll"] < majority - 0.5  # it knows who plays


@pytest.fixture
def music(store, prepared, models):
    """Make music with other settings than the recipe's; give the candidates."""

    def run(prompt_midi=None, melody=None, **settings):
        spec = RECIPE.generation.model_copy(update={"num_outputs": 2, "num_events": 24, "min_events": 24, **settings})
        return read_music(store, make_music(store, prepared.dataset, models, spec, 1, prompt_midi, melody))

    return run


def test_music_reads_back_as_it_was_made_and_the_loop_knew_what_numpy_finds(dataset, music, store):
    heard, compared = set(), 0
    for made in music(include_prompt=True, temperature=dict.fromkeys(STREAMS_OF_PARTS, 3.0)):
        compared += is_known_as_by_numpy(dataset, store, made)
        read = read_midi(made.midi)
        events = encode(read, dataset.events)
        prompt = read_midi(made.prompt_midi).notes
        assert sorted([*prompt["pitch"], *new_notes(made)["pitch"]]) == sorted(read.notes["pitch"])
        assert len(new_notes(made)) == len(made.tokens)
        new = slice(len(events) - len(made.tokens), None)
        for column, texts in ((1, events.note), (PART_COLUMN, events.part)):
            vocabulary = dataset.vocabularies[STREAMS_OF_PARTS[column]]
            assert [vocabulary.value(token) for token in made.tokens[:, column]] == texts[new]
        assert events.merged == events.drums == events.left_out == 0
        parts, of_note = parts_of(read)
        assert {part.name for part in parts} <= {part["name"] for part in made.facts["parts"]}
        assert set(read.notes["channel"][read.notes["is_drum"]].tolist()) <= {DRUM_CHANNEL}
        for number, part in enumerate(parts):
            notes = dataset.notes_of_parts[part.name.lower()]
            pitches = [pitch for note in notes for pitch in dataset.events.encoding.pitches(note)]
            played = read.notes["pitch"][of_note == number]
            assert min(pitches) <= played.min() <= played.max() <= max(pitches)
        heard |= {part.name for part in parts}
    assert heard == {"Piano", "Bass", "Strings", "Drums"}
    assert compared


def is_known_as_by_numpy(dataset, store, made):
    """Compare the echoes and guesses of made events with those of prompt and result together; not after unknown values."""
    asked = made.facts["prompt"]
    (span,) = [
        span
        for side in ("validation", "test")
        for span in dataset.spans[side]
        if asked["piece"] in names_of(store, dataset, span)
    ]
    prompt = np.asarray(dataset.tokens[span.start + asked["first_event"] :][: asked["events"], :4], np.int64)
    if UNKNOWN in prompt:
        return False
    whole = np.concatenate([prompt, made.tokens[:, :4].astype(np.int64)])
    wanted = dataset.knowledge.tokens(whole, dataset.vocabularies, dataset.events.grid)
    assert np.array_equal(made.tokens[:, 4 + len(PLACES) :], wanted[len(prompt) :])
    return True


def names_of(store, dataset, span):
    return piece_rows(store, dataset)[span.piece_id]["names"]


def test_held_out_music_is_measured_by_part(store, prepared, dataset):
    copies = index_copies(store, prepared.dataset)
    ref = measure_reference(store, prepared.dataset, copies, 24)
    assert ref == reference_stage(prepared.dataset, copies, 24, is_in_parts=True).ref
    assert ref != reference_stage(prepared.dataset, copies, 24).ref
    found = read_reference(store, ref)
    assert set(found.parts["by_part"]) == {"piano", "bass", "strings", "drums"}
    assert "voice_leading" not in found.parts  # families are no voices
    assert found.parts["by_part"]["drums"]["onset_synchrony"] > 0.9  # they beat every half quarter
    for one in found.statistics:
        assert set(PART_METRICS) < set(one)
        shares = [value for name, value in one.items() if name.startswith("part_histogram[")]
        assert sum(shares) == pytest.approx(1)
    assert found.areas["training"]["sounding_parts"] > found.areas["shuffled"]["sounding_parts"]
    assert training_ranges(dataset)["bass"] == (36, 52)


def test_voices_are_parts_by_name_whose_ranges_descend(dataset):
    events = EventSpec(parts="names", part_names=("soprano", "alto", "bass"))
    ranges = {"soprano": ["C5", "C6"], "alto": ["C4", "C5"], "bass": ["C3", "C4"]}

    def voices(*names, **played):
        known = SimpleNamespace(values=names)
        return voices_of(
            SimpleNamespace(events=events, vocabularies={"part": known}, notes_of_parts={**ranges, **played})
        )

    assert voices("soprano", "alto", "bass") == ("soprano", "alto", "bass")
    assert voices("alto", "soprano", "bass") == voices("bass") == ()
    assert voices("soprano", "alto", "bass", alto=["C7"]) == ()
    assert voices_of(dataset) == ()


@pytest.mark.operation
@pytest.mark.parametrize("add_drums", [False, True])
def test_an_ensemble_ends_with_its_barline_in_the_key_and_the_range(dataset, music, add_drums):
    """Drums are neither moved nor held nor bound to a range."""
    asked = {"bars": 2, "key": "F major", "pitch_range": "36-72", "num_outputs": 8, "add_drums": add_drums}
    for made in music(temperature=dict.fromkeys(STREAMS_OF_PARTS, 2.0), **asked):
        notes, read = new_notes(made), read_midi(made.midi)
        bar = 4 * read.ticks_per_quarter
        ends, begins = notes["onset_ticks"] + notes["duration_ticks"], notes["onset_ticks"].min() // bar * bar
        assert ends.max() <= begins + 2 * bar
        assert notes["onset_ticks"].max() >= begins + bar
        assert ends.max() == begins + 2 * bar
        assert not add_drums or notes["is_drum"][notes["onset_ticks"] >= begins + bar].any()
        assert read.key_signatures[0].sharps == -1
        pitches = notes["pitch"][~notes["is_drum"]]
        assert 36 <= pitches.min() <= pitches.max() <= 72
        drums = notes["pitch"][notes["is_drum"]]
        known = {drum_key(note) for note in dataset.notes_of_parts["drums"]}
        assert {*drums.tolist()} <= known


def test_parts_without_a_note_in_the_range_are_named_once(dataset):
    ranges = training_ranges(dataset)
    spec = RECIPE.generation.model_copy(update={"pitch_range": "C5-C8"})
    assert ranges["bass"][1] < 72 <= ranges["strings"][1]
    (warning,) = parts_outside(dataset, spec, ("strings", "bass", "drums"))
    assert warning.startswith("--pitch-range: C5-C8 has no note of some parts, which do not play (bass C2 to E3); ")
    assert parts_outside(dataset, spec, ("strings", "drums")) == []
    assert parts_outside(dataset, spec.model_copy(update={"any_pitch": True}), ("bass",)) == []
    assert parts_outside(dataset, RECIPE.generation, ("bass",)) == []


def test_the_warning_of_a_part_without_a_note_in_the_range_comes_with_the_music(store, prepared, models):
    settings = {"pitch_range": "C4-C8", "num_outputs": 1, "num_events": 2, "min_events": 1}
    ref = make_music(store, prepared.dataset, models, RECIPE.generation.model_copy(update=settings), 1)
    assert [said for said in store.open(ref).facts["warnings"] if "which do not play (bass" in said]


@pytest.mark.operation
def test_only_the_instruments_that_were_named_play(dataset, music):
    for made in music(instruments="Strings, piano", temperature=dict.fromkeys(STREAMS_OF_PARTS, 3.0)):
        playing = {dataset.vocabularies["part"].value(token) for token in made.tokens[:, PART_COLUMN].tolist()}
        assert playing <= {"strings", "piano"}
    with pytest.raises(RecipeError, match=r"^--instruments: expected some of piano, bass, strings, drums; got 'flute'"):
        music(instruments="flute")


def test_a_prompt_of_drums_alone_has_no_key_to_move(dataset, store):
    piece = band_piece(21)
    drums = PromptMidi("drums.mid", write_midi(replace(piece, notes=piece.notes[piece.notes["is_drum"]])), "midi")

    def prompt_for(key):
        spec = RECIPE.generation.model_copy(update={"num_outputs": 1, "prompt_events": 20, "key": key})
        (origin,) = choose_prompts(store, dataset, spec, 1, drums)
        return origin

    moved, plain = prompt_for("A minor"), prompt_for("")
    assert moved.warnings == (*plain.warnings, "drums.mid: --key moves nothing here, because drums have no key")
    assert (moved.moved, moved.segment.tokens.tolist()) == (0, plain.segment.tokens.tolist())
    assert moved.segment.key_signature == plain.segment.key_signature


def test_drums_join_a_prompt_without_them_and_play_in_every_bar(dataset, music):
    piece = band_piece(21)
    kept = piece.notes[~piece.notes["is_drum"]]
    prompt = PromptMidi("mine.mid", write_midi(replace(piece, notes=kept)), "midi")
    asked = {"instruments": "piano", "temperature": dict.fromkeys(STREAMS_OF_PARTS, 3.0), "prompt_events": 20}
    steps = np.array([0] * SPECIAL_IDS + [dataset.events.grid.steps(v) for v in dataset.vocabularies["offset"].values])
    for made in music(prompt, add_drums=True, **asked):
        parts = np.array([dataset.vocabularies["part"].value(token) for token in made.tokens[:, PART_COLUMN].tolist()])
        assert set(parts) == {"piano", "drums"}
        passed = np.concatenate([[0], np.cumsum(steps[made.tokens[1:, 0]])])
        assert "drums" in parts[passed == 0]
        bar = (passed + made.facts["first_position_steps"]) // (4 * dataset.events.grid.steps_per_quarter)
        assert all("drums" in parts[bar == number] for number in range(bar[0], bar[-1]))
        assert len(encode(read_midi(made.midi), dataset.events)) == len(parts)
    few = {**asked, "num_events": 4, "min_events": 4}
    assert not any("drums" in {part["name"] for part in made.facts["parts"]} for made in music(prompt, **few))


def notes_of_part(piece, name):
    parts, of_note = parts_of(piece)
    own = piece.notes[np.array([part.name == name for part in parts])[of_note]]
    return sorted(own[["onset_ticks", "pitch", "duration_ticks"]].tolist())


@pytest.mark.parametrize(
    ("part", "name", "track"),
    [
        ("drums", "Drums", 5),
        pytest.param("bass", "Bass", 4, marks=pytest.mark.operation),
        pytest.param("3", "Strings", 3, marks=pytest.mark.operation),
    ],
)
def test_the_given_part_is_in_every_result_and_the_others_play_beside_it(dataset, music, store, part, name, track):
    """The bass and the drums are the last parts of an onset, and of two violins one alone is given."""
    piece = band_piece(22, quarters=2)
    melody = Melody(PromptMidi("mine.mid", write_midi(piece), "midi"), part)
    own = piece.notes[piece.notes["track"] == track]
    given = sorted(own[["onset_ticks", "pitch", "duration_ticks"]].tolist())
    temperature = dict.fromkeys(STREAMS_OF_PARTS, 3.0)
    for made in music(melody=melody, temperature=temperature, prompt="none", num_outputs=3):
        read = read_midi(made.midi)
        assert notes_of_part(read, name) == given
        events = encode(read, dataset.events)
        assert len(events) == len(made.tokens) == len(read.notes) > len(given)
        assert made.facts["given"]["notes"] == len(given)
        ends = read.notes["onset_ticks"] + read.notes["duration_ticks"]
        assert ends.max() == (own["onset_ticks"] + own["duration_ticks"]).max()
        parts, vocabulary = made.tokens[:, PART_COLUMN], dataset.vocabularies["part"]
        assert [vocabulary.value(token) for token in parts] == events.part


def test_nobody_is_left_to_accompany_the_given_part(music):
    melody = Melody(PromptMidi("mine.mid", write_midi(band_piece(22, quarters=2)), "midi"), "bass")
    with pytest.raises(RecipeError, match=r"--instruments: expected another part than the given bass, got 'bass'"):
        music(melody=melody, instruments="bass")
    drums = replace(melody, part="drums")
    with pytest.raises(RecipeError, match="--add-drums: the given part is the drums"):
        music(melody=drums, add_drums=True)


@pytest.mark.operation
def test_parallels_are_avoided_where_the_settings_say_so(dataset, music):
    wild = {"num_outputs": 16, "num_events": 64, "min_events": 64, "temperature": dict.fromkeys(STREAMS_OF_PARTS, 3.0)}
    parts = dataset.vocabularies["part"].values

    def parallels(**settings):
        found = VoiceLeading()
        for made in music(**wild, **settings):
            found += voice_leading(
                in_parts(dataset, read_midi(made.midi)), [parts.index("strings"), parts.index("bass")]
            )
        return found.parallel_fifths + found.parallel_octaves + found.parallel_unisons

    assert parallels() > 3 * parallels(
        avoid_parallels=True
    )  # the strings play chords, whose other notes are not compared


def test_parallels_of_music_without_parts_are_refused(store):
    spec = RECIPE.generation.model_copy(update={"avoid_parallels": True})
    with pytest.raises(RecipeError, match=r"^--avoid-parallels: needs a recipe with parts"):
        go_on(store, SimpleNamespace(vocabularies={"note": None}), {}, spec, 1, [])


def test_drums_and_ranges_that_cannot_be_are_refused_before_models_are_loaded(dataset, store):
    def refused(dataset, **settings):
        no_models = {"note": None}
        with pytest.raises(RecipeError) as raised:
            go_on(store, dataset, no_models, RECIPE.generation.model_copy(update=settings), 1, [])
        return str(raised.value)

    known = SimpleNamespace(vocabularies={"part": SimpleNamespace(values=("alto", "bass"))})
    assert refused(known, add_drums=True).startswith("--add-drums: the models know no drums (they know alto, bass)")
    assert refused(dataset, pitch_range="C9-G9").startswith("--pitch-range: expected notes of the training pieces")


@pytest.mark.operation
def test_a_file_keeps_its_parts_and_the_most_similar_one_plays_what_is_not_known(dataset, music):
    piece = band_piece(20)
    notes = piece.notes.copy()
    notes["program"][notes["track"] == 2] = 73  # a flute, which no training piece has
    given = replace(piece, notes=notes)
    (made, *_) = music(PromptMidi("mine.mid", write_midi(given), "midi"), include_prompt=True, prompt_events=20)
    asked, begun = encode(given, dataset.events), encode(read_midi(made.midi), dataset.events)
    assert {"pipe", "piano", "drums"} <= set(asked.part[-20:])
    assert sorted(begun.part[:20]) == sorted("strings" if part == "pipe" else part for part in asked.part[-20:])


def test_a_copy_in_another_key_is_found_with_its_drums(dataset):
    index = build(
        [event_reader(dataset).read(dataset.tokens[span.start : span.stop]) for span in dataset.spans["train"]]
    )
    span = dataset.spans["train"][1]
    copied = np.asarray(dataset.tokens[span.start : span.stop][10:50])
    higher = copied.copy()
    higher[:, NOTE] = dataset.transposition(RECIPE.windows)[RECIPE.windows.shifts.index(2)][copied[:, NOTE]]
    drums = np.array([note.startswith("drum") for note in dataset.vocabularies["note"].values])
    assert 0 < drums[copied[:, NOTE] - SPECIAL_IDS].sum() < len(copied)
    begins = int(np.argmin(drums[copied[:, NOTE] - SPECIAL_IDS]))  # with a pitch
    shared = index.longest(event_reader(dataset).read(higher[begins:]))
    assert (shared.length_events, shared.piece, shared.start_in_piece) == (40 - begins, 1, 10 + begins)
    assert shared.transposition_semitones == 2

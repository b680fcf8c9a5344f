"""Music out of models: files that read back as what was made, the same for the same seed, and traced to their sources."""

import io
import json
from dataclasses import replace
from itertools import accumulate
from xml.etree import ElementTree as ET

import mido
import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece, tiny_recipe, write_folder

from lstm_music.encoding.events import encode
from lstm_music.encoding.places import place_tokens
from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import NotEnoughMusicError, RejectedInputError, SourceError
from lstm_music.generation.grammar import training_range
from lstm_music.generation.loop import Made
from lstm_music.midi.notes import KeySignature
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music import candidates as module
from lstm_music.stages.music.candidates import make_music, music_stage, picture, read_music
from lstm_music.stages.music.prompt_files import PromptMidi, read_prompt_midi
from lstm_music.store import Store

FORMS = (("prompt", "mid"), ("result", "mid"), ("result", "json"))


@pytest.fixture
def spied(monkeypatch):
    """Keep what the loop makes, an element an output."""
    kept = []
    make = module.generate_tokens

    def make_and_keep(*arguments):
        kept[:] = make(*arguments)
        return kept

    monkeypatch.setattr(module, "generate_tokens", make_and_keep)
    return kept


@pytest.fixture
def copy(made, trained, tmp_path):
    return made.copy(tmp_path / "storage")


def files(store, ref):
    artifact = store.open(ref)
    return {name: artifact.file(name).read_bytes() for name in artifact.manifest["files"]}


def values(dataset, tokens):
    """The texts of tokens [events, columns], an event a row."""
    return [
        tuple(dataset.vocabularies[stream].value(int(token)) for stream, token in zip(STREAMS, row, strict=False))
        for row in tokens
    ]


def read_back(dataset, data):
    """Read a MIDI file as a table of events, (offset, note, duration) each."""
    events, grid = encode(read_midi(data), dataset.events), dataset.events.grid
    assert (events.merged, events.drums) == (0, 0)
    steps = zip(events.offset_steps.tolist(), events.note, events.duration_steps.tolist(), strict=True)
    return [(grid.text(offset), note, grid.text(duration)) for offset, note, duration in steps], events


def test_the_same_seed_makes_the_same_bytes_which_read_back_as_what_was_made(made, trained, copy, spied, tmp_path):
    second, spec = made.copy(tmp_path / "second"), made.recipe.generation
    ref = make_music(second.store, second.prepared.dataset, trained, spec, 1)
    kept = list(spied)
    new = [one.tokens for one in kept]
    assert make_music(copy.store, copy.prepared.dataset, trained, spec, 1) == ref
    made_files = files(second.store, ref)
    assert files(copy.store, ref) == made_files
    other = files(copy.store, make_music(copy.store, copy.prepared.dataset, trained, spec, 2))
    assert other["result_001.mid"] != made_files["result_001.mid"]
    names = [
        f"{name}_{n:03d}.{form}"
        for n in (1, 2, 3)
        for name, form in (("prompt", "mid"), ("result", "mid"), ("result", "json"))
    ]
    assert sorted(made_files) == sorted([*names, "tokens.npy"])
    candidates = read_music(copy.store, ref)
    for number, tokens in enumerate(new, start=1):
        written, events = read_back(made.dataset, made_files[f"result_{number:03d}.mid"])
        wanted = values(made.dataset, tokens)
        assert written[1:] == wanted[1:]
        assert written[0][1:] == wanted[0][1:]
        assert events.onset_steps[0] < 48  # within the first bar, where its place is that of the tokens
        assert np.array_equal(place_tokens(events.position_in_bar_steps, made.recipe.events.grid), tokens[:, 3:5])
        assert made.recipe.events.grid.on_grid(events.onset_steps).all()
        one = candidates[number - 1]
        assert np.array_equal(one.tokens, tokens)
        assert one.facts["events"] == len(tokens) == len(written) >= spec.min_events
        assert one.facts["nats_per_event"] == pytest.approx(kept[number - 1].nats.mean(), abs=1e-4)
        assert one.midi == made_files[f"result_{number:03d}.mid"]
        assert ET.fromstring(picture(one)) is not None


def test_a_prompt_is_a_place_in_a_held_out_piece(made, trained, copy):
    ref = make_music(copy.store, copy.prepared.dataset, trained, copy.recipe.generation, 2)
    pieces = {row["name"]: row for row in read_pieces(copy.store, copy.prepared.notes)}
    held_out = {span.piece_id for side in ("validation", "test") for span in copy.dataset.spans[side]}
    for number in (1, 2, 3):
        said = json.loads(files(copy.store, ref)[f"result_{number:03d}.json"])
        segment = said["prompt"]
        assert pieces[segment["piece"]]["piece_id"] in held_out
        whole = encode(small_piece(int(segment["piece"][-6:-4])), copy.dataset.events)
        written, events = read_back(copy.dataset, files(copy.store, ref)[f"prompt_{number:03d}.mid"])
        first = segment["first_event"]
        if not segment["replaced_values"]:
            assert [note for _, note, _ in written] == whole.note[first : first + 8]
            moved = whole.onset_steps[first : first + 8] - events.onset_steps
            assert len(set(moved.tolist())) == 1
            assert moved[0] % 48 == 0
        assert segment["events"] == 8
        assert segment["split"] in {"validation", "test"}


def test_with_its_prompt_a_result_begins_with_it(copy, trained, spied):
    spec = copy.recipe.generation.model_copy(update={"include_prompt": True, "num_outputs": 2})
    ref = make_music(copy.store, copy.prepared.dataset, trained, spec, 1)
    found = files(copy.store, ref)
    for number, tokens in enumerate([one.tokens for one in spied], start=1):
        seed, _ = read_back(copy.dataset, found[f"prompt_{number:03d}.mid"])
        result, events = read_back(copy.dataset, found[f"result_{number:03d}.mid"])
        assert result[:8] == seed
        assert result[8:] == values(copy.dataset, tokens)
        assert copy.recipe.events.grid.on_grid(events.onset_steps).all()


def test_a_file_to_start_from_is_mapped_to_known_values_and_counted(copy, trained, spied, tmp_path):
    strange = piece_of([(0, QUARTER, 60), (2 * QUARTER, 9 * QUARTER, 64), (9 * QUARTER, QUARTER, 67)], tempo=400_000)
    path = write_folder(tmp_path, {"<b>\x1bstrange.mid": strange}) / "<b>\x1bstrange.mid"
    prompt_midi = read_prompt_midi(path)
    spec = copy.recipe.generation.model_copy(update={"include_prompt": True, "num_outputs": 2})
    ref = make_music(copy.store, copy.prepared.dataset, trained, spec, 1, prompt_midi)
    found = files(copy.store, ref)
    said = json.loads(found["result_001.json"])
    assert said["prompt"] == {
        "events": 3,
        "bars": [1, 3],
        "first_event": 0,
        "piece": "<b>\ufffdstrange.mid",
        "title": "<b>\ufffdstrange",
        "replaced_values": 3,
        **dict.fromkeys(("split", "composer", "source", "licence"), ""),
    }
    kept = copy.store.open(ref).manifest["spec"]["prompt_midi"]
    assert kept == {"name": "<b>\ufffdstrange.mid", "sha256": prompt_midi.sha256}
    assert read_midi(found["result_001.mid"]).tempos[0].microseconds_per_quarter == 400_000
    for number, tokens in enumerate([one.tokens for one in spied], start=1):
        result, events = read_back(copy.dataset, found[f"result_{number:03d}.mid"])
        assert [note for _, note, _ in result[:3]] == ["C4", "E4", "G4"]
        assert result[3:] == values(copy.dataset, tokens)
        assert copy.recipe.events.grid.on_grid(events.onset_steps).all()
    other = PromptMidi("other.mid", write_midi(small_piece(77)), "midi")
    args = (copy.prepared.dataset, trained, spec, 1)
    assert len({music_stage(*args, seed).ref for seed in (None, prompt_midi, other)}) == 3


def test_files_have_a_named_track_per_hand_a_key_a_tempo_and_programs_at_time_0(copy, trained):
    """Read by mido; and every pitch lies in the range of the training pieces."""
    song = replace(small_piece(41), key_signatures=(KeySignature(0, -2, is_minor=True),), track_names=("Song", "Piano"))
    spec = copy.recipe.generation.model_copy(update={"num_outputs": 2})
    prompt_midi = PromptMidi("song.mid", write_midi(song), "midi")
    ref = make_music(copy.store, copy.prepared.dataset, trained, spec, 1, prompt_midi)
    lowest, highest = training_range(copy.dataset.vocabularies["note"], copy.dataset.events.encoding)
    for name, data in files(copy.store, ref).items():
        if not name.endswith(".mid") or name.startswith("file"):  # the user's own
            continue
        read = mido.MidiFile(file=io.BytesIO(data))
        conductor, right, left = read.tracks[:3]
        title = "After Song" if name.startswith("result") else "Song"
        assert [track.name for track in (conductor, right, left)] == [title, "Piano (right hand)", "Piano (left hand)"]
        assert all(track.name.startswith("Piano (") for track in read.tracks[3:])
        begun = {message.type: message for message in conductor if not message.time}
        assert {"key_signature", "time_signature", "set_tempo"} <= set(begun)
        assert begun["key_signature"].key == "Gm"
        for track in read.tracks[1:]:
            assert all(message.type in {"track_name", "program_change"} for message in track[:2] if not message.time)
        channels = {message.channel for track in read.tracks for message in track if message.type == "note_on"}
        ticks = [
            (message.channel, tick)
            for track in read.tracks
            for tick, message in zip(accumulate(one.time for one in track), track, strict=True)
            if message.type == "program_change"
        ]
        assert sorted(ticks) == [(channel, 0) for channel in sorted(channels)]
        if name.startswith("result"):
            assert {lowest <= note["pitch"] <= highest for note in read_midi(data).notes} == {True}


def test_a_score_may_be_started_from(copy, trained):
    prompt_midi = PromptMidi("tune.abc", b"X:1\nM:3/4\nL:1/4\nK:C\nC D E|F3|\n", "abc")
    spec = copy.recipe.generation.model_copy(update={"num_outputs": 1, "num_events": 6})
    found = files(copy.store, make_music(copy.store, copy.prepared.dataset, trained, spec, 1, prompt_midi))
    assert read_midi(found["prompt_001.mid"]).notes["pitch"].tolist() == [60, 62, 64, 65]


def test_what_was_made_is_not_made_again(copy, trained, monkeypatch):
    spec = copy.recipe.generation.model_copy(update={"num_outputs": 2, "num_events": 6})
    ref = make_music(copy.store, copy.prepared.dataset, trained, spec, 1)
    monkeypatch.setattr(module, "load_dataset", None)
    assert make_music(copy.store, copy.prepared.dataset, trained, spec, 1) == ref


@pytest.mark.parametrize("data", [b"Dear Clara", b"", b"MThd"])
def test_a_file_without_music_is_refused(copy, trained, data):
    with pytest.raises(RejectedInputError, match=r"song\.mid: .*; give a file with notes to go on from"):
        make_music(
            copy.store, copy.prepared.dataset, trained, copy.recipe.generation, 1, PromptMidi("song.mid", data, "midi")
        )
    assert list(copy.store.refs("music")) == []


def test_drums_alone_are_refused(copy, trained):
    drums = write_midi(piece_of([(0, QUARTER, 36)], drums=True))
    with pytest.raises(
        RejectedInputError, match=r"only drums \(1 note on channel 10\), and these models know no drums"
    ):
        make_music(
            copy.store, copy.prepared.dataset, trained, copy.recipe.generation, 1, PromptMidi("song.mid", drums, "midi")
        )


def test_a_file_that_is_none_or_no_music_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"notes\.txt: not a music file by its extension"):
        read_prompt_midi(tmp_path / "notes.txt")
    with pytest.raises(SourceError, match=r"gone\.mid: cannot be read.*No such file or directory"):
        read_prompt_midi(tmp_path / "gone.mid")


def test_a_prompt_is_one_tune_of_a_book(tmp_path):
    book = tmp_path / "book.abc"
    book.write_text("X:1\nT:One\nK:C\nc|\n\nX:2\nT:Two\nK:C\nd|\n", encoding="utf-8")
    tune = read_prompt_midi(book / "2")
    assert (tune.name, tune.data, tune.format) == ("book.abc/2 Two.abc", b"X:2\nT:Two\nK:C\nd|\n", "abc")
    with pytest.raises(SourceError, match=r"expected one of its 2 tunes, such as book\.abc/1 One"):
        read_prompt_midi(book)
    with pytest.raises(SourceError, match="got '3', which names none of them"):
        read_prompt_midi(book / "3")


def test_held_out_pieces_have_to_be_long_enough(copy, trained):
    spec = copy.recipe.generation.model_copy(update={"prompt_events": 999})
    with pytest.raises(NotEnoughMusicError, match="the 999 events of a prompt"):
        make_music(copy.store, copy.prepared.dataset, trained, spec, 1)


def test_without_held_out_pieces_a_file_is_asked_for(trained, tmp_path):
    store, recipe = Store(tmp_path / "alone"), tiny_recipe()
    folder = write_folder(tmp_path / "music", {"a.mid": small_piece(1)})
    dataset = prepare(store, recipe, ingest(store, recipe, str(folder))).dataset
    with pytest.raises(NotEnoughMusicError, match="no piece is held out"):
        make_music(store, dataset, trained, recipe.generation, 1)


def test_a_segment_that_nothing_can_follow_is_said(copy, trained, monkeypatch):
    monkeypatch.setattr(module, "generate_tokens", lambda *_: [Made(np.zeros((0, 5), np.int32), np.zeros(0), 0)] * 3)
    with pytest.raises(NotEnoughMusicError, match="no offset that the models know leads from the end"):
        make_music(copy.store, copy.prepared.dataset, trained, copy.recipe.generation, 1)
    assert list(copy.store.refs("music")) == []

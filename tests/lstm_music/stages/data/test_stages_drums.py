"""Drums between recipes and pieces: files of drums alone, and held-out drums that no training piece has."""

from dataclasses import replace

import numpy as np
import pytest
from band_music import band_piece
from small_music import tiny_recipe, write_folder

from lstm_music.errors import NotEnoughMusicError
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest, reading_of
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music.prompts import DRUMS_LEFT_OUT, PromptMidi, choose_prompts
from lstm_music.stages.music.segments import cut
from lstm_music.store import Store

PIANO = tiny_recipe()
BAND = tiny_recipe(events={"parts": "families"})
BY_FOLDER = tiny_recipe(events={"parts": "families"}, split={"by": "folder"}, generation={"num_outputs": 4})


def only(piece: PieceNotes, *, drums: bool) -> PieceNotes:
    return replace(piece, notes=piece.notes[piece.notes["is_drum"] == drums])


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


def test_a_file_of_drums_alone_is_music_to_recipes_with_drums(store, tmp_path):
    pieces = {f"band {number}.mid": band_piece(number) for number in range(4)}
    music = write_folder(tmp_path / "music", {**pieces, "kit.mid": only(band_piece(9), drums=True)})
    prepared = {}
    for recipe in (PIANO, BAND):  # the second finds what the first read
        inputs = ingest(store, recipe, str(music))
        assert reading_of(store, inputs).drums_alone == (recipe is BAND)
        prepared[recipe.events.parts] = prepare(store, recipe, inputs)
    assert len(list(store.refs("parsed"))) == 1
    names = {parts: {row["name"] for row in read_pieces(store, one.notes)} for parts, one in prepared.items()}
    assert names == {"none": {*pieces}, "families": {*pieces, "kit.mid"}}
    dataset = load_dataset(store, prepared["families"].dataset)
    kit = PromptMidi("kit.mid", write_midi(only(band_piece(10), drums=True)), "midi")
    (origin, *_) = choose_prompts(store, dataset, BAND.generation, 1, kit)
    part = origin.segment.tokens[:, dataset.streams.index("part")]
    assert {dataset.vocabularies["part"].value(token) for token in part.tolist()} == {"drums"}


@pytest.fixture
def held_out_drums(store, tmp_path):
    """A dataset whose training pieces have no drums; those of a held-out piece are half of its notes, those of another all."""
    train = {f"train/{number}.mid": only(band_piece(number), drums=False) for number in range(4)}
    mostly = only(band_piece(11), drums=True)
    held_out = {"validation/band.mid": band_piece(10), "test/kit.mid": mostly}
    music = write_folder(tmp_path / "music", {**train, **held_out})
    return load_dataset(store, prepare(store, BY_FOLDER, ingest(store, BY_FOLDER, str(music))).dataset)


def test_drums_that_no_training_piece_has_are_left_out_of_prompts_and_said(store, held_out_drums):
    dataset = held_out_drums
    assert "drums" not in dataset.vocabularies["part"].values
    origins = choose_prompts(store, dataset, BY_FOLDER.generation, 1, None)
    assert {origin.segment.name for origin in origins} == {"validation/band.mid"}
    assert any(origin.warnings == (DRUMS_LEFT_OUT,) for origin in origins)
    for origin in origins:
        tokens = origin.segment.tokens
        assert len(tokens) == BY_FOLDER.generation.prompt_events
        notes = [dataset.vocabularies["note"].value(token) for token in tokens[:, 1].tolist()]
        assert not any(note.startswith("drum") for note in notes)


def test_segments_near_the_end_begin_earlier_and_pieces_of_drums_have_none(store, held_out_drums):
    (span,), (kit,) = held_out_drums.spans["validation"], held_out_drums.spans["test"]
    last = span.events - 8
    found = cut(store, held_out_drums, [(span.piece_id, 0), (span.piece_id, last), (kit.piece_id, 0)], 8)
    assert found.keys() == {(span.piece_id, 0), (span.piece_id, last)}
    piece = only(band_piece(10), drums=False)
    end = found[span.piece_id, last]
    assert end.last_onset_steps == np.max(piece.notes["onset_ticks"]) * 12 // piece.ticks_per_quarter
    assert found[span.piece_id, 0].drums_left_out > 0
    spec = BY_FOLDER.generation.model_copy(update={"prompt": "kit"})
    with pytest.raises(
        NotEnoughMusicError, match=r"test/kit\.mid: has fewer than the 8 events of a prompt beside its drums"
    ):
        choose_prompts(store, held_out_drums, spec, 1, None)

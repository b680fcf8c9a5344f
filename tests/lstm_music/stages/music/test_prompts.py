"""Where generation starts from: good places, any places, a place that was named, or nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece, tiny_recipe

from lstm_music.encoding.events import encode
from lstm_music.encoding.splits import SPLITS
from lstm_music.encoding.vocabulary import START
from lstm_music.errors import NotEnoughMusicError, RecipeError, SourceError
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.notes import KeySignature, sorted_notes
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music import prompts
from lstm_music.stages.music.overrides import settings_of
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.segments import cut, piece_rows
from lstm_music.store import Store


@pytest.fixture
def choose(made):
    """Choose segments of 8 events."""

    def run(random_seed=1, **settings):
        spec = GenerationSpec(**{"prompt_events": 8, "num_outputs": 6, **settings})
        return choose_prompts(made.store, made.dataset, spec, random_seed, None)

    return run


@pytest.fixture(scope="module")
def names(made):
    """The names of the pieces of each side."""
    rows = piece_rows(made.store, made.dataset)
    return {side: {rows[span.piece_id]["name"] for span in made.dataset.spans[side]} for side in SPLITS}


@pytest.mark.parametrize("way", ["auto", "random"])
def test_segments_come_from_held_out_pieces_and_follow_the_random_seed(choose, names, way):
    found = choose(prompt=way)
    assert {one.segment.name for one in found} <= names["validation"] | names["test"]
    assert {one.split for one in found} <= {"validation", "test"}
    places = [(one.segment.name, one.segment.first) for one in found]
    assert places == [(one.segment.name, one.segment.first) for one in choose(prompt=way)]
    assert places != [(one.segment.name, one.segment.first) for one in choose(2, prompt=way)]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("way", ["auto", "random"])
def test_a_piece_whose_bar_is_longer_than_the_music_gives_no_prompt(choose, names, monkeypatch, way):
    held_out = sorted(names["validation"] | names["test"])
    slow = held_out[:1]

    def cut_slowly(*arguments):
        return {
            place: replace(one, microseconds_per_quarter=1_000_000) if one.name in slow else one
            for place, one in cut(*arguments).items()
        }

    monkeypatch.setattr(prompts, "cut", cut_slowly)
    found = [one.segment.name for one in choose(prompt=way, seconds=3, num_outputs=20)]
    assert len(found) == 20
    assert set(found) == {*held_out[1:]}
    assert set(slow) <= {one.segment.name for one in choose(prompt=way, seconds=4, num_outputs=20)}
    sentence = r"^--seconds: expected at least 4, which is a bar of 4/4 after "
    with pytest.raises(RecipeError, match=sentence + held_out[0]):
        choose(prompt=held_out[0], seconds=3)
    slow[:] = held_out
    with pytest.raises(RecipeError, match=sentence):
        choose(prompt=way, seconds=3)


def test_chords_that_the_models_do_not_know_in_another_key_are_said(made, tmp_path):
    store, recipe = Store(tmp_path / "storage"), tiny_recipe(events={"chords": "normal_order"})
    dataset = load_dataset(store, prepare(store, recipe, ingest(store, recipe, str(made.folder))).dataset)

    def warnings(prompt, key):
        spec = GenerationSpec(prompt_events=8, num_outputs=20, prompt=prompt, key=key)
        found = choose_prompts(store, dataset, spec, 1, None)
        replaced = max(one.segment.replaced for one in found)
        return replaced, {said for one in found for said in one.warnings if "not known" in said}

    replaced, said = warnings("random", "F# major")
    assert replaced
    assert said == {
        "chords of some prompts are not known to the models in F# major; the nearest known ones stand for them"
    }
    own = {sentence for row in piece_rows(store, dataset).values() for sentence in warnings(row["name"], "F# major")[1]}
    assert any(
        re.match(r"composer/piece \d\d\.mid: \d of 8 chords of the prompt are not known to the", one) for one in own
    )


def test_good_places_are_of_different_pieces_first(choose, names):
    held_out = names["validation"] | names["test"]
    assert {one.segment.name for one in choose(num_outputs=len(held_out))} == held_out


def test_more_segments_than_places_begin_anew(choose):
    places = [(one.segment.name, one.segment.first) for one in choose(num_outputs=200)]
    distinct = len(set(places))
    assert distinct < 200
    assert places[distinct:] == places[: 200 - distinct]


def test_a_place_may_be_named_by_a_part_of_its_piece_and_an_event(choose, names, made):
    name = min(names["train"])
    for asked in (f"{name}:7", f"{name.removesuffix('.mid')[-6:].upper()}:7"):
        (found,) = choose(prompt=asked, num_outputs=1)
        assert (found.segment.name, found.segment.first, found.split) == (name, 7, "train")
        whole = encode(small_piece(int(name[-6:-4])), made.dataset.events)
        assert found.segment.bars == (whole.bar[7], whole.bar[14])
    (best,) = choose(prompt=name, num_outputs=1)
    assert best.segment.name == name


def test_an_unknown_prompt_is_an_error_that_says_what_is_expected(choose, names):
    name = min(names["train"])
    with pytest.raises(SourceError, match=r"--prompt: expected .* or a piece \(.*, got 'moonlight', .* of no piece"):
        choose(prompt="moonlight")
    with pytest.raises(SourceError, match=r"got '\.mid', which is in the names of \d+ pieces"):
        choose(prompt=".mid")
    with pytest.raises(SourceError, match=r"--prompt: expected an event from 0 to \d+ of .*, got 9999"):
        choose(prompt=f"{name}:9999")
    with pytest.raises(NotEnoughMusicError, match="give a smaller --prompt-events"):
        choose(prompt=name, prompt_events=9999)
    with pytest.raises(NotEnoughMusicError, match="the 9999 events of a prompt"):
        choose(prompt_events=9999)
    with pytest.raises(
        SourceError, match=r"--composer: expected a composer of the held-out pieces \(.*\), got 'Satie'"
    ):
        choose(composer="Satie")


def test_a_composer_has_the_pieces_of_their_folder(choose, made):
    rows = piece_rows(made.store, made.dataset)
    composers = {rows[span.piece_id]["composer"] for side in SPLITS[1:] for span in made.dataset.spans[side]}
    for composer in composers - {""}:
        found = choose(composer=composer.upper())
        assert {one.composer for one in found} == {composer}


def from_file(made, piece, prompt_events=8, name="waltz.mid"):
    spec = GenerationSpec(prompt_events=prompt_events, num_outputs=2)
    first, second = choose_prompts(made.store, made.dataset, spec, 1, PromptMidi(name, write_midi(piece), "midi"))
    assert first is second
    return first


def test_the_end_of_a_longer_file_is_the_prompt_and_said_to_be(made):
    piece = replace(
        small_piece(40), track_names=("Waltz in A", "Piano"), key_signatures=(KeySignature(0, 3, is_minor=False),)
    )
    whole = encode(piece, made.dataset.events)
    events = len(whole)
    found = from_file(made, piece)
    segment = found.segment
    assert (segment.first, len(segment.tokens), segment.title) == (events - 8, 8, "Waltz in A")
    assert segment.key_signature == KeySignature(0, 3, is_minor=False)
    (warning,) = found.warnings
    assert warning.startswith(
        f"waltz.mid: the prompt is the last 8 of {events} events (bars {whole.bar[-8]} to {whole.bar[-1]}); "
    )
    assert warning.endswith(f"--prompt-events {events} takes all")
    shorter = from_file(made, piece, prompt_events=events)
    assert (shorter.segment.first, len(shorter.segment.tokens), shorter.warnings) == (0, events, ())


def test_other_instruments_and_drums_are_named_in_a_sentence_each(made):
    piano, drums = piece_of([(at * QUARTER, QUARTER, 60) for at in range(8)]), piece_of([(0, QUARTER, 40)], drums=True)
    strings, brass = (piano.notes.copy() for _ in range(2))
    for notes, program in ((strings, 40), (brass, 61)):
        notes["program"] = notes["channel"] = program % 8 + 1
        notes["program"] = program
        notes["pitch"] += program % 8 + 1
    band = replace(piano, notes=sorted_notes(np.concatenate([piano.notes, strings, brass, drums.notes])))
    found = from_file(made, band, prompt_events=99)
    assert found.warnings == (
        "waltz.mid: the piano plays the notes of strings and brass, because the models know one instrument",
        "waltz.mid: 1 drum note is left out",
    )


def test_nothing_is_the_start_of_a_piece(choose):
    found = choose(prompt="none")
    assert len(found) == 6
    segment = found[0].segment
    assert segment.tokens.shape == (0, 13)
    assert np.all(segment.before == START)
    assert (segment.name, segment.bar_steps, found[0].split) == ("", 4 * 12, "")


def test_a_score_is_read_with_the_repeats_of_the_recipe(made, tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text("X:1\nM:4/4\nL:1/4\nK:C\n|:C D E F:|\n", encoding="utf-8")
    events = {}
    for repeats in ("once", "as_played"):
        recipe = tiny_recipe(reading={"repeats": repeats})
        prompt_midi = settings_of(recipe, recipe.name, {"prompt_midi": path}).prompt_midi
        spec = recipe.generation.model_copy(update={"prompt_events": 100})
        (origin, *_) = choose_prompts(made.store, made.dataset, spec, 1, prompt_midi)
        events[repeats] = len(origin.segment.tokens)
        assert prompt_midi.spec.get("repeats", "once") == repeats  # it decides the key of the music
    assert events == {"once": 4, "as_played": 8}
    as_midi = PromptMidi("a.mid", b"", "midi", "as_played")
    assert "repeats" not in as_midi.spec

"""Where generation starts from: good places, any places, a place that was named, or nothing."""

import numpy as np
import pytest
from small_music import small_piece

from lstm_music.encoding.events import encode
from lstm_music.encoding.splits import SPLITS
from lstm_music.encoding.vocabulary import START
from lstm_music.errors import NotEnoughMusicError, SourceError
from lstm_music.generation.spec import GenerationSpec
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.segments import piece_rows


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


def test_what_cannot_be_found_is_said_with_what_would_be_right(choose, names):
    name = min(names["train"])
    with pytest.raises(SourceError, match="--prompt: got 'moonlight', and no piece is called so; one of them"):
        choose(prompt="moonlight")
    with pytest.raises(SourceError, match=r"--prompt: got '\.mid', and \d+ pieces have that in their names"):
        choose(prompt=".mid")
    with pytest.raises(SourceError, match=r"got event 9999 of .*, where 0 to \d+ would be right"):
        choose(prompt=f"{name}:9999")
    with pytest.raises(NotEnoughMusicError, match="a smaller --prompt-events would be right"):
        choose(prompt=name, prompt_events=9999)
    with pytest.raises(NotEnoughMusicError, match="the 9999 events of a prompt"):
        choose(prompt_events=9999)
    with pytest.raises(
        SourceError, match="--composer: got 'Satie', where one of those of held-out pieces would be right"
    ):
        choose(composer="Satie")


def test_a_composer_has_the_pieces_of_their_folder(choose, made):
    rows = piece_rows(made.store, made.dataset)
    composers = {rows[span.piece_id]["composer"] for side in SPLITS[1:] for span in made.dataset.spans[side]}
    for composer in composers - {""}:
        found = choose(composer=composer.upper())
        assert {one.composer for one in found} == {composer}


def test_nothing_is_the_start_of_a_piece(choose):
    found = choose(prompt="none")
    assert len(found) == 6
    segment = found[0].segment
    assert segment.tokens.shape == (0, 13)
    assert np.all(segment.before == START)
    assert (segment.name, segment.bar_steps, found[0].split) == ("", 4 * 12, "")

"""A score that met a limit is read once more when its source is ingested again."""

from functools import partial

import pytest
from tiny_music import write_pieces

from lstm_music.recipe import Recipe
from lstm_music.scores.reading import read_scores
from lstm_music.stages.data import parse
from lstm_music.stages.data.attempts import try_again
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.stages.data.prepare import prepare
from lstm_music.store import Store

ABC = "X:1\nM:4/4\nL:1/4\nK:C\n" + "CDEF|" * 200
LIMITED = partial(read_scores, cpu_seconds=0.001)


@pytest.fixture
def music(tmp_path):
    folder = write_pieces(tmp_path / "music")
    (folder / "tune.abc").write_text(ABC)
    return folder


def made(store, music):
    recipe = Recipe(name="tiny")
    with store.session():
        inputs = try_again(store, ingest(store, recipe, str(music)))
        prepared = prepare(store, recipe, inputs)
    rows = {row.name: row for row in read_inputs(store, prepared.notes)}
    return prepared, rows["tune.abc"]


def test_what_met_a_limit_is_read_when_the_command_is_given_again(tmp_path, music, monkeypatch):
    store = Store(tmp_path / "storage")
    with monkeypatch.context() as patch:
        patch.setattr(parse, "read_scores", LIMITED)
        first, refused = made(store, music)
        again, still_refused = made(store, music)
    assert refused.status == still_refused.status == "rejected"
    assert refused.reason.startswith("takes more than 0.0")  # of CPU time or, on a busy machine, by the clock
    assert again == first  # an attempt in vain changes nothing
    later, read = made(store, music)
    assert read.status == "accepted"
    assert store.open(later.notes).counts["pieces"] == store.open(first.notes).counts["pieces"] + 1
    assert made(store, music)[0] == later

"""From a table of inputs to a dataset: planned before it is made, made once, recorded."""

import pytest
from small_music import small_collection, tiny_recipe, write_folder

from lstm_music.encoding.windows import window_count
from lstm_music.errors import MissingArtifactError
from lstm_music.parquet import read_table
from lstm_music.stages.data import prepare as prepare_module
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.parse import ParseBatch
from lstm_music.stages.data.prepare import (
    MIDI_FILES_BY_ONE_PROCESS,
    SCORES_BY_ONE_PROCESS,
    describe,
    has_prepared,
    is_small,
    last_prepared,
    plan,
    prepare,
)
from lstm_music.store import Store


def test_the_plan_names_the_artifacts_before_they_are_made(tmp_path):
    store, recipe = Store(tmp_path / "storage"), tiny_recipe()
    inputs = ingest(store, recipe, str(write_folder(tmp_path / "music", small_collection(3))))
    planned = plan(recipe, inputs)
    assert not any(store.has(ref) for ref in (planned.notes, planned.events, planned.dataset))
    assert prepare(store, recipe, inputs) == planned
    assert all(store.has(ref) for ref in (planned.notes, planned.events, planned.dataset))


def test_finished_stages_do_not_run_again(made, monkeypatch):
    monkeypatch.setattr(prepare_module, "plan_batches", None)
    monkeypatch.setattr(Store, "write", None)
    assert prepare(made.store, made.recipe, made.prepared.inputs) == made.prepared


def test_recipes_share_artifacts_that_do_not_depend_on_them(made, tmp_path):
    copy = made.copy(tmp_path / "storage")
    other = plan(tiny_recipe(name="other", events={"chords": "pitch_set"}), made.prepared.inputs)
    assert other.notes == made.prepared.notes
    assert other.events != made.prepared.events
    assert plan(tiny_recipe(model={"units": 9}), made.prepared.inputs) == made.prepared
    assert plan(tiny_recipe(split={"test": 0.3}), made.prepared.inputs).events == made.prepared.events
    assert plan(tiny_recipe(split={"test": 0.3}), made.prepared.inputs).dataset != made.prepared.dataset
    assert copy.store.has(other.notes)


def test_the_latest_prepared_data_of_a_recipe_is_recorded(made):
    assert has_prepared(made.store, "tiny")
    assert last_prepared(made.store, "tiny") == made.prepared
    assert not has_prepared(made.store, "other")
    with pytest.raises(MissingArtifactError, match="nothing was prepared for recipe 'other' yet; begin with"):
        last_prepared(made.store, "other")


def test_the_description_matches_the_artifacts(made):
    described = describe(made.store, made.recipe, made.prepared)
    assert (described["pieces"], described["rejected"], described["duplicates"]) == (8, 0, 0)
    events = read_table(described["events_parquet"])
    assert described["events"] == events.num_rows
    assert described["notes"] == made.store.open(made.prepared.notes).counts["notes"]
    assert described["classes"] == {
        stream: len(set(events.column(stream).to_pylist())) for stream in ("offset", "note", "duration")
    }
    for split, spans in made.dataset.spans.items():
        assert described["windows"][split] == window_count([span.events for span in spans], 16)


def test_a_few_batches_are_small():
    def batch(count, form):
        return ParseBatch(tuple((str(number), form) for number in range(count)))

    midi, scores = batch(MIDI_FILES_BY_ONE_PROCESS - SCORES_BY_ONE_PROCESS, "midi"), batch(SCORES_BY_ONE_PROCESS, "abc")
    assert is_small([midi, scores])
    assert not is_small([midi, scores, batch(1, "midi")])
    assert not is_small([batch(SCORES_BY_ONE_PROCESS + 1, "abc")])

"""What is asked of bars: it is heard in the results, said in their facts, and refused by models that were not taught it."""

import numpy as np
import pytest
from small_music import QUARTER, tiny_recipe

from lstm_music.encoding.controls import CONTROLS, Played, control_tokens
from lstm_music.encoding.harmony import read_chord
from lstm_music.errors import RecipeError
from lstm_music.generation.plan import read_plan, written_plan
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.notes import NOTE_DTYPE
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music.asked import compare
from lstm_music.stages.music.asked_bars import compared_bars, plan_like
from lstm_music.stages.music.candidates import make_music, new_notes, read_music
from lstm_music.store import Store

BAR = 4 * QUARTER


@pytest.fixture(scope="module")
def taught(made, publish_untrained, tmp_path_factory):
    """Models that read every control, as they are before a training."""
    store = Store(tmp_path_factory.mktemp("taught"))
    recipe = tiny_recipe(model={"controls": [*CONTROLS], "experts": ["ngrams"]})
    prepared = prepare(store, recipe, ingest(store, recipe, str(made.folder)))
    return store, recipe, prepared.dataset, publish_untrained(store, recipe, prepared.dataset)


def results_of(taught, **asked):
    store, recipe, dataset, models = taught
    said = {**recipe.generation.model_dump(), "num_outputs": 4, "bars": 3, **asked}
    spec = GenerationSpec.model_validate(said)
    return spec, read_music(store, make_music(store, dataset, models, spec, 1))


def test_the_columns_of_a_dataset_say_what_follows_from_its_pieces(taught):
    dataset = load_dataset(taught[0], taught[2])
    assert [*dataset.sizes][-len(CONTROLS) :] == [*CONTROLS]
    span = dataset.spans["train"][0]
    tokens = np.asarray(dataset.tokens[span.start : span.stop]).astype(np.int64)
    values = {stream: vocabulary.values for stream, vocabulary in dataset.vocabularies.items()}
    grid = dataset.events.grid
    offset, duration = (
        np.array([grid.steps(values[name][token - 3]) for token in tokens[:, place]])
        for name, place in (("offset", 0), ("duration", 2))
    )
    pitches = np.array(
        [
            ["C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B"].index(values["note"][token - 3][:-1])
            + 12
            + 12 * int(values["note"][token - 3][-1])
            for token in tokens[:, 1]
        ]
    )
    onset = np.cumsum(offset)
    bar, position = np.divmod(onset, 4 * grid.steps_per_quarter)
    played = Played(np.zeros(len(tokens), np.int64), onset, duration, pitches, 1 + bar, position)
    np.testing.assert_array_equal(tokens[:, -len(CONTROLS) :], control_tokens(played, grid.steps_per_quarter, CONTROLS))


def test_bars_have_the_notes_that_are_asked(taught):
    plan = [{"bars": "2", "mean_pitch": "C5", "key": "G major"}]
    spec, results = results_of(taught, num_outputs=2, bars=2, prompt="none", density=5, plan=plan)
    for one in results:
        notes = new_notes(one)
        in_first = notes["onset_ticks"] < BAR
        assert 5 <= in_first.sum() <= 9, "a bar with enough notes is left as fast as the few known offsets allow"
        assert notes["pitch"][in_first].mean() + 3 < notes["pitch"][~in_first].mean()
        said = {one.name: one.asked for one in compare(spec, one)}
        assert said["notes a bar"] == "5"
        assert said["mean pitch"] == "C5"


def test_models_that_were_not_taught_say_so(made, trained, taught):
    spec = GenerationSpec.model_validate({**made.recipe.generation.model_dump(), "chords": "Am F"})
    with pytest.raises(
        RecipeError, match=r"--chords: expected models that were taught 'chord'; these were taught no controls"
    ):
        make_music(made.store, made.prepared.dataset, trained, spec, 1)


def test_chords_and_notes_at_once_are_compared_with_what_sounds():
    rows = [(0, BAR, pitch) for pitch in (57, 60, 64)] + [(BAR, BAR, pitch) for pitch in (53, 57, 72)]
    notes = np.array([(1, 0, 0, False, pitch, 80, onset, lasts) for onset, lasts, pitch in rows], NOTE_DTYPE)

    def compared(**asked):
        return {one.name: one for one in compared_bars(GenerationSpec(**asked), notes, QUARTER, BAR)}

    kept = compared(chords="Am F", polyphony=3, density=3)
    assert [one.is_kept for one in kept.values()] == [True, True, True]
    assert kept["chords"].found == "in 100% of quarters"
    assert kept["notes at once"].found == "3 on average, 3 to 3"
    lost = compared(chords="G", polyphony=1, density=9, mean_pitch="C6")
    assert [one.is_kept for one in lost.values()] == [False] * 4
    assert read_chord("Am").root == 9


def test_a_plan_is_read_from_files_and_from_json_and_written_again(tmp_path):
    toml = tmp_path / "plan.toml"
    toml.write_text('[[plan]]\nbars = "1-4"\ndensity = 8\nchords = "Amin F"\n[[plan]]\nbars = "3"\nkey = "am"\n')
    plan = read_plan(str(toml))
    assert written_plan(plan) == '[{"bars": "1-4", "density": 8.0, "chords": "Am F"}, {"bars": "3", "key": "A minor"}]'
    assert read_plan(written_plan(plan)) == plan
    spec = GenerationSpec(plan=plan, density=2)
    assert spec.of_bars("density", 5) == [8, 8, 8, 8, 2]
    assert [" ".join(map(str, chords)) for chords in spec.chords_of_bars(6)] == ["Am", "F", "Am", "F", "", ""]
    assert spec.asks == {"density": "--density", "chord": "--plan", "key": "--plan"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("missing.toml", r"--plan: expected the path of a TOML or JSON file, got 'missing.toml'"),
        ("", "--plan: expected the path of a TOML or JSON file"),
        ('[{"bars": "1-4"}]', "entry 1: expected something that is asked of bars 1-4; leave the entry out"),
        ('[{"density": 3}]', "entry 1: bars: this key is missing"),
        ('[{"bars": "4-1", "density": 3}]', "entry 1: bars: expected the first and the last bar"),
        ('[{"bars": "0-1", "density": 3}]', "entry 1: bars: expected bars from 1"),
        ('[{"bars": "1", "density": 3}, {"bars": "2", "loud": 3}]', "entry 2: loud: unknown key; expected"),
        ('[{"bars": "1", "density": -3}]', "entry 1: density: expected at least 0, got -3"),
        ('[{"bars": "1", "chords": "H"}]', "entry 1: chords: expected chords such as"),
        ('{"bars": 3}', "expected entries that begin with"),
        ("{", "cannot be read as a plan"),
    ],
)
def test_a_wrong_plan_gets_one_sentence(text, sentence):
    with pytest.raises(RecipeError, match=sentence) as raised:
        read_plan(text)
    assert "\n" not in str(raised.value)


def test_the_plan_of_notes_asks_for_what_they_have():
    rows = [
        (0, QUARTER, 60),
        (QUARTER, QUARTER, 64),
        (2 * BAR, BAR, 48),
        (2 * BAR, BAR, 50),
    ]  # the second bar is silent
    notes = np.array([(1, 0, 0, False, pitch, 80, onset, lasts) for onset, lasts, pitch in rows], NOTE_DTYPE)
    plan = plan_like(notes, QUARTER, BAR, CONTROLS)
    assert written_plan(plan) == (
        '[{"bars": "1", "density": 2.0, "polyphony": 0.5, "mean_pitch": "D4"}, '
        '{"bars": "3", "density": 2.0, "polyphony": 2.0, "mean_pitch": "C#3"}]'
    )
    assert written_plan(plan_like(notes, QUARTER, BAR, ("density",))) == (
        '[{"bars": "1", "density": 2.0}, {"bars": "3", "density": 2.0}]'
    )
    assert all(one.is_kept for one in compared_bars(GenerationSpec(plan=plan), notes, QUARTER, BAR))

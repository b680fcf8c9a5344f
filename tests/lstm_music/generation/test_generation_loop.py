"""The loop: what it makes is what single steps make, obeys the grammar, and ends where it may."""

import dataclasses

import numpy as np
import pytest
from inferred import inferred

from lstm_music.encoding.echoes import ECHOES
from lstm_music.encoding.knowledge import Knowledge
from lstm_music.encoding.ngrams import count, joined, occasions
from lstm_music.encoding.places import PLACES, place_tokens
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START
from lstm_music.evaluation.loops import place, repeats
from lstm_music.generation.drums import Drums
from lstm_music.generation.grammar import make_grammar
from lstm_music.generation.guess import Guesser
from lstm_music.generation.loop import Prompts, generate_tokens
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec
from lstm_music.stages.music.prompts import choose_prompts

OUTPUTS = 30
HIGHEST_NOTE = SPECIAL_IDS + 127
PLACED = slice(len(STREAMS), len(STREAMS) + len(PLACES))


@pytest.fixture(scope="module")
def dataset(made):
    return made.dataset


@pytest.fixture(scope="module")
def grammar(dataset):
    return make_grammar(dataset.events, dataset.vocabularies, any_pitch=True)


@pytest.fixture
def experts():
    """The experts of the models; a test may have others."""
    return ()


@pytest.fixture
def knowledge(dataset, experts, grammar, tmp_path):
    """What the tokens of these models say, counted on the training pieces."""
    found = Knowledge.of(experts, STREAMS)
    if "ngrams" not in experts:
        return found
    tokens = dataset.tokens[:, : len(STREAMS)].astype(np.int64)
    pieces = (occasions(tokens[span.start : span.stop], grammar.shapes) for span in dataset.spans["train"])
    return dataclasses.replace(found, table=joined([*count(pieces, tmp_path)]))


@pytest.fixture
def models(tensorflow, dataset, experts, knowledge):
    """Untrained models whose guesses differ much from moment to moment."""
    from lstm_music.models.architectures import build_model

    sizes = {**dataset.sizes, **knowledge.sizes({stream: dataset.sizes[stream] for stream in STREAMS})}
    columns = Columns(STREAMS, sizes, dataset.offset_quarters, 16)
    spec = ModelSpec(units=8, experts=experts)
    found = {stream: build_model(spec, stream, columns, 3) for stream in STREAMS}
    for model in found.values():
        model.head.kernel.assign(model.head.kernel * 12)
    return found


@pytest.fixture
def make(made, dataset, grammar, models, knowledge):
    """Generate; give the new tokens, and the prompts."""

    def run(outputs=2, rules=grammar, drums=None, **settings):
        spec = GenerationSpec(**{"num_outputs": outputs, "prompt_events": 8, **settings})
        origins = choose_prompts(made.store, dataset, spec, 5, None)
        segments = [origin.segment for origin in origins]

        def column(name):
            return np.array([getattr(segment, name) for segment in segments], np.int32)

        tokens = np.stack([with_knowledge(segment.tokens, dataset, knowledge) for segment in segments], axis=1)
        before = column("before")
        prompts = Prompts(
            tokens,
            np.pad(before, ((0, 0), (0, tokens.shape[2] - before.shape[1]))),
            column("last_onset_steps"),
            column("last_position_in_bar_steps"),
            column("bar_steps"),
        )
        guesser = Guesser(knowledge.table, grammar.shapes, dataset.sizes) if knowledge.table else None
        outcome = generate_tokens([*map(inferred, models.values())], rules, spec, prompts, 9, guesser, drums)
        run.loops_left = [one.loops_left for one in outcome]
        run.end_nats = [one.end_nats for one in outcome]
        return [one.tokens for one in outcome], prompts

    return run


def with_knowledge(tokens, dataset, knowledge):
    """Give the tokens of a prompt, or of a part of a piece, with what is known beside streams and places."""
    known = knowledge.tokens(tokens[:, : len(STREAMS)].astype(np.int64), dataset.vocabularies, dataset.events.grid)
    return np.concatenate([tokens[:, : PLACED.stop], known.astype(np.int32)], axis=1)


def fits(grid, stream, token, last, current, onset, offsets):
    """Say whether a value may stand here, by the words of the grammar."""
    if token < SPECIAL_IDS:
        return False
    if stream == "offset":
        return bool(grid.on_grid(onset + offsets[token])) and (offsets[token] > 0 or last[1] != HIGHEST_NOTE)
    return stream != "note" or offsets[current[0]] > 0 or token > last[1]


@pytest.mark.parametrize("experts", [(), ("piece", "ngrams")], ids=" and ".join)
def test_at_temperature_zero_it_takes_what_single_steps_find_likeliest(make, models, dataset, grammar, knowledge):
    (found, _), prompts = make(num_events=12, min_events=12, temperature=0)
    grid, offsets = dataset.events.grid, grammar.offset_steps.tolist()
    heard = list(prompts.tokens[:, 0])
    before = prompts.before[0]
    steppers = {stream: inferred(model) for stream, model in models.items()}
    states = {
        stream: model.after(np.concatenate([before[None, None], prompts.tokens[:, :1]]))
        for stream, model in steppers.items()
    }
    before = heard[-1]

    def logits_of(stream, before, now):
        (logits,), states[stream] = steppers[stream].step(before[None], now[None], states[stream])
        return logits[0]

    onset, position = int(prompts.onsets[0]), int(prompts.positions[0])
    for event in found:
        now = np.zeros_like(before)
        for column, stream in enumerate(STREAMS):
            if column:
                now = with_knowledge(np.array([*heard, now]), dataset, knowledge)[-1]
            logits = logits_of(stream, before, now)
            allowed = [fits(grid, stream, token, before, now, onset, offsets) for token in range(len(logits))]
            now[column] = np.where(allowed, logits, -np.inf).argmax()
            if column == 0:
                onset, position = onset + offsets[now[0]], (position + offsets[now[0]]) % int(prompts.bars[0])
                now[PLACED] = place_tokens(position, grid)
        heard.append(now)
        now = with_knowledge(np.array(heard), dataset, knowledge)[-1]
        assert event.tolist() == now.tolist()
        before = now
    assert len({tuple(event) for event in found.tolist()}) > 3


def test_all_that_is_made_obeys_the_grammar_and_ends_where_it_may(make, models, dataset, grammar):
    bias = models["offset"].head.bias.numpy()
    bias[END] = 3
    models["offset"].head.bias.assign(bias)
    found, prompts = make(OUTPUTS, num_events=40, min_events=10, temperature=1.2, top_p=0.95)
    grid, offsets = dataset.events.grid, grammar.offset_steps.tolist()
    assert len(found) == OUTPUTS
    assert {len(tokens) >= 10 for tokens in found} == {True}
    assert 10 < np.mean([len(tokens) for tokens in found]) < 40
    at_once = 0
    for number, tokens in enumerate(found):
        last, onset, position = prompts.tokens[-1, number], int(prompts.onsets[number]), int(prompts.positions[number])
        for event in tokens:
            for column, stream in enumerate(STREAMS):
                assert fits(grid, stream, event[column], last, event, onset, offsets)
                assert event[column] < dataset.sizes[stream]
            onset, position = onset + offsets[event[0]], (position + offsets[event[0]]) % int(prompts.bars[number])
            assert event[PLACED].tolist() == place_tokens(position, grid).tolist()
            at_once += offsets[event[0]] == 0
            last = event
    assert at_once > 20


def test_where_chords_are_events_notes_need_not_ascend(make, models, grammar):
    """With all notes equally likely and no time passing, some note is not above the one before."""
    models["note"].head.kernel.assign(models["note"].head.kernel * 0)
    still = np.where(grammar.offset_steps == 0, grammar.on_grid, False)
    rules = dataclasses.replace(grammar, on_grid=still, ascending=False)
    found, _ = make(rules=rules, num_events=10, min_events=10, temperature=1, top_p=1)
    assert all((grammar.offset_steps[tokens[:, 0]] == 0).all() for tokens in found)
    assert any((np.diff(tokens[:, 1]) <= 0).any() for tokens in found)


@pytest.mark.parametrize("ascending", [True, False])
def test_only_notes_of_the_range_are_made_also_at_its_top(make, grammar, ascending):
    """With few pitches allowed, the music reaches the highest one often; then time has to go on."""
    few = np.zeros_like(grammar.notes)
    few[SPECIAL_IDS + 60 : SPECIAL_IDS + 63] = True
    rules = dataclasses.replace(grammar, notes=few, ascending=ascending)
    found, _ = make(OUTPUTS, rules=rules, num_events=20, min_events=20, temperature=1.5, top_p=1)
    chosen = np.concatenate([tokens[:, 1] for tokens in found])
    assert set(chosen.tolist()) == {SPECIAL_IDS + 60, SPECIAL_IDS + 61, SPECIAL_IDS + 62}
    for tokens in found:
        at_once = grammar.offset_steps[tokens[1:, 0]] == 0
        assert not ascending or (np.diff(tokens[:, 1])[at_once] > 0).all()


def test_a_piece_ends_where_no_offset_may_follow(make, grammar):
    nothing = dataclasses.replace(grammar, on_grid=np.zeros_like(grammar.on_grid))
    found, _ = make(rules=nothing, num_events=3, min_events=3)
    assert [len(tokens) for tokens in found] == [0, 0]


def test_the_end_has_odds_after_each_event_also_where_a_piece_fills_the_room(make):
    (full, _), _ = make(num_events=3, min_events=3)
    assert len(full) == 3
    assert [np.isinf(nats).tolist() for nats in make.end_nats] == [[False, False, True]] * 2


def test_drums_rule_the_offsets_by_what_is_left_of_the_bar(make, grammar):
    seen = []

    class Half(Drums):
        """Only offsets of half a quarter."""

        def offsets(self, _beat, allowed, rest_of_bar, bars):
            seen.append((rest_of_bar[0], bars[0]))
            return allowed & (grammar.offset_steps == grammar.steps_per_quarter // 2)[None]

    (found, _), prompts = make(num_events=4, min_events=4, drums=Half())
    assert grammar.offset_steps[found[:, 0]].tolist() == [grammar.steps_per_quarter // 2] * 4
    bar, half = int(prompts.bars[0]), grammar.steps_per_quarter // 2
    assert seen == [(bar - (int(prompts.positions[0]) + turn * half) % bar, bar) for turn in range(4)]


def test_the_guard_leads_out_of_loops(make, models, dataset, grammar):
    """At temperature 0 untrained models say the same for ever, where they do not hear how long they do."""
    for model in models.values():
        kernel = model.stack[0].cell.kernel
        rows = np.concatenate([np.full(dataset.sizes[field], field not in ECHOES) for field in model.fields])
        kernel.assign(kernel * rows[:, None].astype(np.float32))

    def loops(max_repeats):
        found, prompts = make(OUTPUTS, num_events=300, min_events=300, temperature=0, max_repeats=max_repeats)
        counts = []
        for number, tokens in enumerate(found):
            onsets = np.cumsum(grammar.offset_steps[tokens[:, 0]])
            bar, position = place(onsets, int(prompts.bars[number]), int(prompts.positions[number]))
            counts.append(repeats(bar, position, tokens[:, 1], tokens[:, 2], int(prompts.bars[number])).loops)
        return sum(counts), sum(make.loops_left)

    free, never = loops(0)
    guarded, stepped_in = loops(4)
    assert free > 3
    assert (never, guarded) == (0, 0)
    assert stepped_in >= free


def test_from_nothing_the_first_event_is_what_models_say_of_a_start(dataset, grammar, models):
    columns = dataset.tokens.shape[1]
    nothing = np.zeros(1, np.int32)
    start = np.full((1, columns), START, np.int32)
    prompts = Prompts(np.zeros((0, 1, columns), np.int32), start, nothing, nothing, nothing + 48)
    spec = GenerationSpec(num_outputs=1, num_events=1, min_events=1, temperature=0)
    (found,) = generate_tokens([*map(inferred, models.values())], grammar, spec, prompts, random_seed=9)
    logits = models["offset"].outputs(models["offset"].rows(start[None], start[None])).numpy()[0, 0]
    allowed = grammar.on_grid[0]
    assert found.tokens[0, 0] == np.where(allowed, logits, -np.inf).argmax()
    assert found.nats[0] > 0

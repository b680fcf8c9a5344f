"""The comparison of generated with held-out music: which excerpts, which artifact, what is refused."""

import numpy as np
import pytest

from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.encoding.windows import PieceSpan
from lstm_music.errors import NotEnoughMusicError
from lstm_music.evaluation import music_card as music_card_module
from lstm_music.evaluation.music_card import Sample, halve, music_card
from lstm_music.evaluation.music_table import music_tables
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music import quality as module
from lstm_music.stages.music.measures import Excerpt
from lstm_music.stages.music.quality import (
    choose_excerpts,
    excerpt_events,
    measure_quality,
    note_list,
    quality_stage,
    read_quality,
)
from lstm_music.stages.music.segments import cut

EVENTS, PROMPT = 20, 8


@pytest.fixture
def spec(made):
    return made.recipe.generation.model_copy(
        update={"num_outputs": 8, "num_events": EVENTS, "min_events": 1, "prompt_events": PROMPT}
    )


def spans(*events: int) -> list[PieceSpan]:
    starts = np.cumsum([0, *events])
    return [
        PieceSpan(f"piece {number}", int(start), int(start) + length)
        for number, (start, length) in enumerate(zip(starts[:-1], events, strict=True))
    ]


def test_excerpts_and_their_prompts_do_not_overlap_and_come_piece_by_piece():
    given = spans(100, 35, 29, 300)
    found = choose_excerpts(given, PROMPT, EVENTS, 12, 1)
    assert sorted(piece for piece, _ in found[:4]) == ["piece 0", "piece 1", "piece 2", "piece 3"]
    assert len(found) == 12
    for piece in {piece for piece, _ in found}:
        first = sorted(first for name, first in found if name == piece)
        assert all(np.diff(first) >= PROMPT + EVENTS)
        assert first[-1] + PROMPT + EVENTS <= given[int(piece[-1])].events
    assert choose_excerpts(list(reversed(given)), PROMPT, EVENTS, 12, 1) == found
    assert choose_excerpts(given, PROMPT, EVENTS, 12, 2) != found
    assert choose_excerpts(given, PROMPT, 8, 12, 1) == []  # too short for patterns


def test_excerpts_are_shorter_where_a_quarter_of_the_pieces_is_too_short(spec):
    assert excerpt_events([10, 100, 200, 300, 400], spec) == EVENTS
    assert excerpt_events([10, 24, 200, 300, 400], spec) == 24 - PROMPT
    assert excerpt_events([2, 3], spec) == excerpt_events([], spec) == 0


def test_halves_share_no_piece_and_are_about_equal():
    pieces = [str(number // 3) for number in range(40)]
    for random_seed in range(20):
        half = halve(pieces, np.random.default_rng(random_seed))
        assert abs(int(half.sum()) - 20) <= 2
        assert not {piece for piece, in_b in zip(pieces, half, strict=True) if in_b} & {
            piece for piece, in_b in zip(pieces, half, strict=True) if not in_b
        }


def test_music_beside_itself_is_no_worse_than_the_floor_and_strange_music_is(monkeypatch):
    monkeypatch.setattr(music_card_module, "AREA_HALVINGS", 1)
    rng = np.random.default_rng(1)

    def sample(piece: int, is_strange: bool) -> Sample:
        pitch = np.cumsum(rng.choice([7, -5, 4, -6] if is_strange else [2, -2, 1, -1], 60)) + 60
        onset = np.arange(60) * 2
        notes = module.NoteList.of(onset, onset % 16, pitch, np.full(60, 2), 4)
        statistics = {"pitch_range": float(np.ptp(pitch)), "note_length": float(rng.normal())}
        return Sample(str(piece), notes, 16, statistics, most_repeats=1, loops=0, longest_copy=3)

    real, alike, strange = ([sample(number // 2, kind == 2) for number in range(24)] for kind in range(3))
    good, bad = (music_card(made, real, 1) for made in (alike, strange))
    assert good["classifier"]["low"] < 0.5 < good["classifier"]["high"]
    assert bad["classifier"]["low"] > good["classifier"]["high"]
    assert good["classifier"]["floor"] == bad["classifier"]["floor"] == pytest.approx(0.5, abs=0.15)
    assert bad["frechet"]["generated"] > 2 * good["frechet"]["generated"]
    assert bad["overlapped_area"]["generated"]["mean"] < good["overlapped_area"]["generated"]["mean"]
    assert bad["classifier"]["by_kind"]["melody"] > 0.9
    assert bad["classifier"]["by_kind"]["rhythm"] == 0.5  # all rhythms are equal
    assert {tell["feature"].partition(":")[0] for tell in bad["classifier"]["tells"]} == {"melody"}


def test_the_notes_of_a_held_out_excerpt_lie_where_they_lie_in_their_bars(made):
    dataset = load_dataset(made.store, made.prepared.dataset)
    span = dataset.spans[TRAIN][0]
    segment = cut(made.store, dataset, [(span.piece_id, 3)], 24)[span.piece_id, 3]
    notes = note_list(dataset, segment.tokens)
    assert len(notes.pitch) >= 24
    assert int(notes.position[0]) == segment.position_in_bar_steps
    bar = (notes.position - notes.position[0] - notes.onset + notes.onset[0]) % Excerpt.of(segment).bar_steps
    assert not bar.any()


def test_the_card_is_made_once_and_the_same_settings_give_the_same_artifact(made, trained, spec, tmp_path, monkeypatch):
    monkeypatch.setattr(music_card_module, "HALVINGS", 2)
    monkeypatch.setattr(music_card_module, "AREA_HALVINGS", 1)
    copies = [made.copy(tmp_path / name) for name in ("one", "two")]
    stages: list[str] = []
    refs = [
        measure_quality(copy.store, copy.prepared.dataset, trained, spec, 1, TRAIN, stages.append) for copy in copies
    ]
    first, second = (copy.store.open(ref) for copy, ref in zip(copies, refs, strict=True))
    assert first.manifest["files"] == second.manifest["files"]
    assert stages[: len(stages) // 2] == stages[len(stages) // 2 :]
    assert stages[0].startswith("Loading the models and generating ")
    card = read_quality(copies[0].store, refs[0])
    assert card["pieces"] >= 4
    assert np.load(first.file("tokens.npy")).shape[:2] == (card["excerpts"], card["events"])
    shown = music_tables(card)
    assert all(len(row) == len(table.columns) for table in shown for row in table.rows)
    monkeypatch.setattr(module, "go_on", None)
    assert measure_quality(copies[0].store, copies[0].prepared.dataset, trained, spec, 1, TRAIN) == refs[0]


def test_what_decides_the_music_is_part_of_the_key_and_what_has_no_part_is_not(made, trained, spec):
    def key(split=VALIDATION, random_seed=1, **settings):
        return quality_stage(made.prepared.dataset, trained, spec.model_copy(update=settings), random_seed, split).ref

    assert key(min_events=5, prompt="none", best_of=3, instrument="violin", include_prompt=True) == key()
    reversed_models = dict(reversed(trained.items()))
    assert quality_stage(made.prepared.dataset, reversed_models, spec, 1).ref == key()
    others = [key("test"), key(random_seed=2), key(num_outputs=9), key(max_repeats=2), key(prompt_events=9)]
    others.append(key(temperature=dict.fromkeys(spec.temperature, 0.5)))
    assert len({key(), *others}) == 7


def test_too_few_held_out_pieces_are_refused_with_their_number(made, trained, spec):
    expected = r"the validation split has \d+ excerpts from [0-3] pieces, .* needs 8 from 4; train on more music"
    with pytest.raises(NotEnoughMusicError, match=expected):
        measure_quality(made.store, made.prepared.dataset, trained, spec, 1)


def test_a_card_of_fewer_or_shorter_excerpts_warns():
    card = {"split": "test", "excerpts": 30, "pieces": 9, "events": 100, "asked": {"excerpts": 64, "events": 100}}
    assert module._warnings(card) == [
        "The test split has only 30 excerpts, of 9 pieces, so 30 pieces are compared and not 64"
    ]
    shorter = {**card, "excerpts": 64, "events": 80}
    assert module._warnings(shorter) == [
        "The excerpts have 80 events and not 100: a quarter of the pieces is too short for more"
    ]

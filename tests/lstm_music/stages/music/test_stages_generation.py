"""What a person opens: the best candidates, rendered, and the page, the same for the same seed and beside held-out music."""

import dataclasses
import html
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from lstm_music.encoding.events import encode
from lstm_music.errors import SourceError
from lstm_music.evaluation.copies import CopyIndex
from lstm_music.evaluation.statistics import METRICS
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.parts import Part, in_parts
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.piano_roll import PIXELS_PER_QUARTER
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.music import generation as module
from lstm_music.stages.music.candidates import picture, read_music
from lstm_music.stages.music.copies import event_reader, index_copies, load_index
from lstm_music.stages.music.generation import Plan, describe_generation, generate
from lstm_music.stages.music.index import write_index
from lstm_music.stages.music.measures import Excerpt, measure
from lstm_music.stages.music.names import read_names
from lstm_music.stages.music.ranking import PENALTIES
from lstm_music.stages.music.reference import BOUNDS, measure_reference, read_reference, usual_events
from lstm_music.stages.music.segments import piece_rows
from lstm_music.stages.music.settings import GenerationSettings

QUICK = RenderingSpec(audio=("ogg",), sheet_music=False)


@pytest.fixture(scope="module")
def copy(made, trained, tmp_path_factory):
    """One storage for all: what was made for one test is found by the next."""
    return made.copy(tmp_path_factory.mktemp("generations") / "storage")


@pytest.fixture
def plan(copy, trained):
    """Plan a generation with some settings."""

    def run(rendering=QUICK, soundfont=None, **settings):
        usual = GenerationSettings.of(copy.recipe, "tiny")
        settings = dataclasses.replace(
            usual, spec=usual.spec.model_copy(update=settings), rendering=rendering, soundfont=soundfont
        )
        return Plan(settings, copy.prepared.dataset, trained)

    return run


def test_all_that_a_person_opens_is_there_and_the_same_twice(copy, plan, made, tmp_path):
    told = []
    ref = generate(copy.store, plan())
    artifact = copy.store.open(ref)
    names = [path.name for path in artifact.files()]
    assert names == sorted(
        ["index.html"]
        + [f"result_{n:03d}.{form}" for n in (1, 2, 3) for form in ("json", "mid", "ogg", "svg")]
        + [f"prompt_{n:03d}.{form}" for n in (1, 2, 3) for form in ("mid", "ogg")]
    )
    page = artifact.file("index.html").read_text()
    assert page.count("<audio") == 3 + 3 + 6
    assert "lstm-music generate --recipe tiny --random-seed 2" in page
    second = made.copy(tmp_path / "second")
    assert generate(second.store, plan(), lambda done, wanted: told.append((done, wanted))) == ref
    assert told[-1][0] == told[-1][1] == len(told) == 3 + 3 + 6
    assert {path.name: path.read_bytes() for path in second.store.open(ref).files()} == {
        path.name: path.read_bytes() for path in artifact.files()
    }
    said = describe_generation(copy.store, ref)
    for output in said["outputs"]:
        assert output["sheet_music"] is None
        for kind in ("midi", "audio", "picture", "settings", "prompt_midi"):
            assert Path(output[kind]).stat().st_size > 0
    assert Path(said["page"]).read_text() == page


def test_what_was_made_is_not_made_again(copy, plan, monkeypatch):
    ref = generate(copy.store, plan())
    monkeypatch.setattr(module, "make_music", None)
    assert generate(copy.store, plan()) == ref
    directory = describe_generation(copy.store, ref, Path("elsewhere"))["directory"]
    assert directory == "elsewhere"


def test_the_least_suspicious_of_more_tries_are_kept(copy, plan):
    asked = plan(num_outputs=2, best_of=3)
    ref = generate(copy.store, asked)
    candidates = read_music(copy.store, asked.music)
    assert len(candidates) == 6
    artifact = copy.store.open(ref)
    kept = [json.loads(artifact.file(f"result_{n:03d}.json").read_bytes()) for n in (1, 2)]
    assert [artifact.file(f"result_{n:03d}.mid").read_bytes() for n in (1, 2)] == [
        candidates[one["candidate"] - 1].midi for one in kept
    ]
    assert set(kept[0]["penalties"]) == set(PENALTIES)
    page = artifact.file("index.html").read_text()
    assert page.count('<th scope="row">candidate ') == 6
    shares = [sum(one["penalties"].values()) for one in kept]
    everything = module.score_candidates(
        copy.dataset,
        load_index(copy.store, asked.copies),
        read_reference(copy.store, asked.reference(copy.store)),
        candidates,
    )
    assert sorted(shares) == pytest.approx(sorted(one.penalty for one in everything)[:2])


def test_a_result_that_was_copied_is_found_with_its_place(copy):
    index = load_index(copy.store, index_copies(copy.store, copy.prepared.dataset))
    assert isinstance(index, CopyIndex)
    span = copy.dataset.spans["train"][1]
    tokens = np.asarray(copy.dataset.tokens[span.start + 3 : span.start + 23])
    found = measure(copy.dataset, index, event_reader(copy.dataset), Excerpt(tokens, 0, 48))
    assert found.longest_copy == 20
    assert found.copied_from == (1, 3)


def test_held_out_music_is_what_results_are_compared_with(copy):
    copies = index_copies(copy.store, copy.prepared.dataset)
    ref = measure_reference(copy.store, copy.prepared.dataset, copies, 24)
    reference = read_reference(copy.store, ref)
    artifact = copy.store.open(ref)
    assert reference.events == 24
    assert artifact.counts["held_out"] == len(reference.held_out) == len(reference.names)
    assert len(set(reference.names)) > 1
    for number, one in enumerate(reference.held_out, start=1):
        events = encode(read_midi(artifact.file(f"held_out_{number:03d}.mid").read_bytes()), copy.dataset.events)
        assert len(events) == 24
        assert set(one.statistics) > set(METRICS)
        assert one.longest_copy < 24
    assert set(reference.areas) == set(BOUNDS)
    longer = read_reference(copy.store, measure_reference(copy.store, copy.prepared.dataset, copies, 9999))
    lengths = [span.events for side in ("validation", "test") for span in copy.dataset.spans[side]]
    assert longer.events == int(np.median(lengths))


def test_sheet_music_and_other_audio_are_made_where_they_are_wished_for(copy, plan):
    ref = generate(copy.store, plan(RenderingSpec(audio=("mp3", "ogg")), num_outputs=1))
    names = [path.name for path in copy.store.open(ref).files("result")]
    forms = ("json", "mid", "mp3", "musicxml", "ogg", "pdf", "score.svg", "svg")
    assert names == [f"result_001.{form}" for form in forms]
    page = copy.store.open(ref).file("index.html").read_text()
    assert "data:audio/mpeg;base64," in page
    assert "Sheet music" in page


def test_without_audio_there_is_a_page_all_the_same(copy, plan):
    ref = generate(copy.store, plan(RenderingSpec(audio=(), sheet_music=False), num_outputs=1, prompt="none"))
    names = [path.name for path in copy.store.open(ref).files()]
    assert names == ["index.html", "result_001.json", "result_001.mid", "result_001.svg"]
    assert "<audio" not in copy.store.open(ref).file("index.html").read_text()


def test_held_out_music_is_as_long_as_music_of_a_number_of_bars(copy, plan):
    asked = plan(RenderingSpec(audio=(), sheet_music=False), num_outputs=2, bars=2)
    generate(copy.store, asked)
    lengths = copy.store.open(asked.music).facts["events"]
    reference = read_reference(copy.store, asked.reference(copy.store))
    assert reference.events == pytest.approx(np.median(lengths), rel=0.1)
    assert reference.events < copy.recipe.generation.num_events
    for events in range(1, 500):
        assert abs(usual_events([1, events, 999]) - events) <= 0.1 * events + 0.5


def test_a_result_that_begins_with_its_prompt_does_not_play_it_twice(copy, plan):
    """The player under the piano roll plays the result alone; the prompt keeps a player of its own."""
    page = (
        copy.store.open(generate(copy.store, plan(num_outputs=1, include_prompt=True))).file("index.html").read_text()
    )
    assert "data-prompt-x" not in page
    assert "Play both" not in page.partition("<script>")[0]
    assert 'id="result-1-prompt"' in page
    assert "Prompt and result" in page
    apart = copy.store.open(generate(copy.store, plan(num_outputs=1))).file("index.html").read_text()
    assert "data-prompt-x" in apart
    assert "Play both" in apart.partition("<script>")[0]


def test_a_page_names_its_recipe_and_the_titles_of_its_prompts(copy, plan):
    page = copy.store.open(generate(copy.store, plan(num_outputs=2))).file("index.html").read_text()
    assert "<title>Music by tiny, random seed " in page
    assert re.search(r"continues <cite>Piece \d\d</cite> by Composer, bars", page)


@pytest.mark.parametrize("settings", [{}, {"include_prompt": True}, {"prompt": "none"}])
def test_the_playhead_is_where_notes_are_drawn(copy, plan, settings):
    """The first note of a result is drawn where the playhead is when it sounds, and told apart from the prompt's."""
    asked = plan(num_outputs=1, **settings)
    page = copy.store.open(generate(copy.store, asked)).file("index.html").read_text()
    (made,) = read_music(copy.store, asked.music)
    start = float(re.search(r'data-result-x="([\d.]+)"', page)[1])
    notes = read_midi(made.midi)
    events = made.facts["prompt"]["events"]
    new = notes.notes[events:] if settings.get("include_prompt") else notes.notes
    drawn = [float(x) for x in re.findall(r'class="result (?:right|left)" x="([\d.]+)"', picture(made))]
    assert len(drawn) == len(new) == made.facts["events"]
    expected = start + new["onset_ticks"] / notes.ticks_per_quarter * PIXELS_PER_QUARTER
    assert sorted(drawn) == pytest.approx(sorted(expected), abs=0.6)
    assert picture(made).count('class="prompt ') == events


def test_the_settings_of_a_result_are_strict_json(copy, plan):
    """Of one note some statistics have no answer."""
    ref = generate(copy.store, plan(QUICK, num_outputs=1, num_events=1, min_events=1))
    text = copy.store.open(ref).file("result_001.json").read_text()
    said = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert None in said["measured"]["statistics"].values()


def test_every_command_of_a_page_is_one_that_the_program_takes(copy, plan, made):
    """Also where what chose the prompt cannot be said of the segment itself."""
    rows = piece_rows(copy.store, copy.dataset)
    composer = next(rows[span.piece_id]["composer"] for span in copy.dataset.spans["test"])
    asked = plan(RenderingSpec(audio=(), sheet_music=False), num_outputs=2, composer=composer)
    page = html.unescape(copy.store.open(generate(copy.store, asked)).file("index.html").read_text())
    commands = set(re.findall(r"lstm-music generate [^<]+", page))
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command)
        given = {name: words[words.index(f"--{name}") + 1] for name in ("prompt", "composer") if f"--{name}" in words}
        GenerationSpec(**{name.replace("-", "_"): value for name, value in given.items()})


def test_a_soundfont_that_is_none_is_said(copy, plan, tmp_path):
    (tmp_path / "piano.sf2").write_bytes(b"RIFF but not really")
    before = list(copy.store.refs("generations"))
    with pytest.raises(SourceError, match=r"piano\.sf2: is no soundfont"):
        generate(copy.store, plan(soundfont=tmp_path / "piano.sf2"))
    assert list(copy.store.refs("generations")) == before


def test_what_was_asked_stands_beside_what_was_measured(copy, plan):
    ref = generate(copy.store, plan(RenderingSpec(audio=(), sheet_music=False), num_outputs=1, tempo=92.0, velocity=9))
    asked = json.loads(copy.store.open(ref).file("result_001.json").read_bytes())["asked"]
    assert [(one["name"], one["asked"], one["found"], one["is_kept"]) for one in asked] == [
        ("tempo", "92", "92", True),
        ("velocity", "9", "9", True),
    ]
    page = copy.store.open(ref).file("index.html").read_text()
    assert '<th scope="row">tempo</th><td>92</td><td><span class="fine">✓ 92</span></td>' in page
    (output,) = describe_generation(copy.store, ref)["outputs"]
    assert output["asked"] == asked
    assert "Asked for" not in copy.store.open(generate(copy.store, plan(num_outputs=1))).file("index.html").read_text()


def test_the_index_leads_to_every_generation(made, trained, plan, tmp_path):
    copy = made.copy(tmp_path / "storage")
    refs = [generate(copy.store, plan(num_outputs=number)) for number in (1, 2)]
    path = write_index(copy.store)
    assert path == copy.store.root / "generations" / "index.html"
    page = path.read_text()
    for ref in refs:
        assert f'href="{read_names(copy.store).of(ref)}/index.html"' in page
    assert page.count("<path d=") == 3
    assert not copy.store.verify().bad


def test_the_commands_name_each_setting_that_differs_from_the_recipe(plan):
    asked = plan(temperature={"offset": 0.5, "note": 0.9, "duration": 0.7}, prompt="a piece.mid:7", max_repeats=0)
    words = (
        "lstm-music generate --recipe tiny --prompt 'a piece.mid:7' "
        "--temperature offset=0.5,note=0.9,duration=0.7 --max-repeats 0 --random-seed {} --no-sheet-music"
    )
    assert asked.settings.command == words.format(1)
    assert asked.settings.command_for_more == words.format(2)


def test_music_of_several_parts_becomes_a_score_and_a_pdf_for_each_part(copy, plan, monkeypatch):
    parts = (Part("Clarinet", 71), Part("Violin 1", 40), Part("Drum Kit", is_drum=True))

    def shared_out(store, ref):
        return [
            dataclasses.replace(
                one,
                midi=write_midi(in_parts(piece, parts, np.arange(len(piece.notes)) % 3)),
                facts={**one.facts, "parts": [dataclasses.asdict(part) for part in parts]},
            )
            for one in read_music(store, ref)
            for piece in [read_midi(one.midi)]
        ]

    monkeypatch.setattr(module, "read_music", shared_out)
    ref = generate(copy.store, plan(RenderingSpec(audio=(), parts=True), num_outputs=1, prompt="none"))
    names = [path.name for path in copy.store.open(ref).files("result")]
    sheets = ["result_001_clarinet.pdf", "result_001_drum_kit.pdf", "result_001_violin_1.pdf"]
    assert sorted(names) == sorted(
        [*(f"result_001.{form}" for form in ("json", "mid", "musicxml", "pdf", "score.svg", "svg")), *sheets]
    )
    score = copy.store.open(ref).file("result_001.musicxml").read_text()
    assert re.findall("<part-name>(.*)</part-name>", score) == ["Clarinet", "Drum Kit", "Violin 1"]
    (output,) = describe_generation(copy.store, ref)["outputs"]
    assert [Path(path).name for path in output["part_sheets"]] == sheets
    page = copy.store.open(ref).file("index.html").read_text()
    assert all(f'download="{name}"' in page for name in sheets)


def test_a_generation_without_single_parts_keeps_its_key(plan):
    rendering = plan().stage.spec["rendering"]
    assert rendering == {"audio": ["ogg"], "sheet_music": False}

"""A generation of ensembles: files by part, a page with a legend, and pictures by part; that of the piano stays as it was."""

import dataclasses
import json
import re

import numpy as np
import pytest
from small_music import piece_of

from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.ensemble import declared_parts
from lstm_music.rendering.ensemble_score import ensemble_score
from lstm_music.rendering.hands import in_two_tracks
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.music import generation as module
from lstm_music.stages.music.candidates import Candidate, read_music
from lstm_music.stages.music.generation import Plan, describe_generation, generate
from lstm_music.stages.music.index import write_index
from lstm_music.stages.music.players import Players
from lstm_music.stages.music.settings import GenerationSettings

PIECE = piece_of([(0, 480, 72), (0, 480, 60), (480, 480, 64), (960, 480, 36)])
PARTS = (Part("Violin", 40), Part("Cello <b>", 42), Part("Tacet", 60), Part("Drums", is_drum=True))


def arranged(midi: bytes | None, *, is_prompt: bool = False) -> bytes | None:
    """Give the higher notes to the violin, the lower ones to the cello, two to a drum that no soundfont has, and of a prompt one
    to a part that rests in the result.
    """
    if midi is None:
        return None
    piece = read_midi(midi)
    part = (piece.notes["pitch"] < np.median(piece.notes["pitch"])).astype(np.int64)
    part[:2] = 3
    if is_prompt:
        part[-1] = 2
    piece.notes["pitch"][:2] = 5
    return write_midi(in_parts(piece, PARTS, part, "A title"))


def ensembles(store, ref) -> list[Candidate]:
    facts = {"parts": [dataclasses.asdict(part) for part in PARTS]}
    return [
        dataclasses.replace(
            one,
            midi=arranged(one.midi),
            prompt_midi=arranged(one.prompt_midi, is_prompt=True),
            facts={**one.facts, **facts},
        )
        for one in read_music(store, ref)
    ]


@pytest.fixture
def made_music(made, trained, tmp_path, monkeypatch):
    """Generate with some rendering; the candidates are arranged for several parts, as a model of ensembles makes them."""
    copy = made.copy(tmp_path / "storage")
    monkeypatch.setattr(module, "read_music", ensembles)

    def run(instrument="", **rendering):
        usual = GenerationSettings.of(copy.recipe, "tiny")
        spec = usual.spec.model_copy(update={"num_outputs": 1, "instrument": instrument})
        form = RenderingSpec(**{"sheet_music": False, **rendering})
        plan = Plan(dataclasses.replace(usual, spec=spec, rendering=form), copy.prepared.dataset, trained)
        ref = generate(copy.store, plan)
        return copy.store, ref, copy.store.open(ref)

    return run


def test_an_ensemble_has_stems_a_legend_and_a_picture_by_part(made_music):
    store, ref, artifact = made_music(stems=True)
    playing = {"prompt": (1, 2, 3, 4), "result": (1, 2, 4)}
    stems = {kind: [f"{kind}_001_part_{number}.ogg" for number in numbers] for kind, numbers in playing.items()}
    found = {path.name for path in artifact.files() if "_part_" in path.name}
    assert found == {*stems["prompt"], *stems["result"]}
    described = describe_generation(store, ref)
    assert [path.rsplit("/", 1)[-1] for path in described["outputs"][0]["stems"]] == stems["result"]
    assert described["warnings"] == ["the soundfont has no sound for Drums; give another one with --soundfont"]
    assert "--stems" in described["command"]
    assert json.loads(artifact.file("result_001.json").read_bytes())["parts"][1]["name"] == "Cello <b>"
    page = artifact.file("index.html").read_text()
    assert page.count("data-mute aria") == page.count("data-solo aria") == page.count("data-prompt-stem=") == 4
    assert page.count("data-stem download") == 3
    assert re.search(r'Cello &lt;b&gt;</span> <span class="soft">cello</span>', page)
    assert re.search(r'Tacet</span> <span class="soft">french horn, rests here</span>', page)
    assert re.search(r'Drums</span> <span class="soft"></span> <span class="notice">▲ not heard', page)
    roll = page[page.index('class="lstm-roll lstm-parts"') :]
    assert "Violin" not in roll[: roll.index("</svg>")]  # the page has a legend of its own
    picture = artifact.file("result_001.svg").read_text()
    assert [picture.count(f'data-part="{part}"') for part in range(4)] == [1] * 4
    assert ">Violin</text>" in picture
    (thumbnail,) = artifact.facts["thumbnails"]
    assert [bool(path) for path in thumbnail] == [True, True, False, True]
    index = write_index(store).read_text()
    assert f'<path class="stroke colour-1 pattern-1" d="{thumbnail[1]}"/>' in index
    assert ".lstm-parts .colour-1" in index


def test_without_stems_the_page_says_how_to_get_them(made_music):
    store, ref, artifact = made_music()
    assert not [path.name for path in artifact.files() if "_part_" in path.name]
    assert "stems" not in describe_generation(store, ref)["outputs"][0]
    page = artifact.file("index.html").read_text()
    assert "make the page again with the option <code>--stems</code>" in page
    assert "data-mute aria" not in page


def test_music_for_the_piano_has_no_stems_and_its_page_no_mixer(made_music, monkeypatch):
    monkeypatch.setattr(module, "read_music", read_music)
    _, without, plain = made_music()
    _, ref, artifact = made_music(stems=True)
    assert ref != without
    assert {path.name for path in plain.files()} == {path.name for path in artifact.files()}
    assert plain.file("result_001.ogg").read_bytes() == artifact.file("result_001.ogg").read_bytes()
    pages = [one.file("index.html").read_text() for one in (plain, artifact)]
    for page in pages:
        assert "mixer" not in page.lower()
        assert "lstm-parts" not in page
    assert ["none: the music has one part" in page for page in pages] == [False, True]


def test_another_instrument_plays_the_same_notes(made_music, monkeypatch):
    monkeypatch.setattr(module, "read_music", read_music)
    _, ref, piano = made_music()
    store, other, strings = made_music(instrument="string ensemble 1")
    assert other != ref
    assert len(list(store.refs("music"))) == 1  # the models made no other music for it
    for name in ("result_001.mid", "prompt_001.mid"):
        before, now = (read_midi(one.file(name).read_bytes()) for one in (piano, strings))
        assert set(now.notes["program"].tolist()) == {48}
        assert rows(now) == rows(before)
    assert json.loads(strings.file("result_001.json").read_bytes())["parts"] == [
        {"name": "String ensemble 1", "program": 48, "is_drum": False}
    ]
    assert piano.file("result_001.ogg").read_bytes() != strings.file("result_001.ogg").read_bytes()
    assert "String ensemble 1" in strings.file("index.html").read_text()
    assert "--instrument 'string ensemble 1'" in strings.facts["command"]


def rows(piece):
    names = ["onset_ticks", "pitch", "duration_ticks", "velocity"]
    return np.sort(piece.notes[names], order=names).tolist()


def test_the_sheet_music_is_that_of_the_instrument():
    made = Candidate(1, write_midi(in_two_tracks(PIECE)), None, {}, np.zeros((4, 4)))
    played = Players({"": 71}).of_candidate(made)
    (part,) = ensemble_score(read_midi(played.midi), declared_parts(played.facts)).parts
    assert (part.part, part.name) == (Part("Clarinet", 71), "Clarinet in B♭")


def test_instruments_of_parts_give_them_their_names():
    piece = in_parts(PIECE, PARTS, np.array([0, 1, 2, 3]), "A title")
    facts = {"parts": [dataclasses.asdict(part) for part in PARTS]}
    made = Candidate(1, write_midi(piece), None, facts, np.zeros((4, 4)))
    played = Players({"Violin": 73, "Tacet": 73, "Oboe": 68}).of_candidate(made)
    wanted = (Part("Flute 1", 73), PARTS[1], Part("Flute 2", 73), PARTS[3])
    assert declared_parts(played.facts) == parts_of(read_midi(played.midi))[0] == wanted
    assert rows(read_midi(played.midi)) == rows(piece)
    assert read_midi(played.midi).track_names[0] == "A title"
    (warning,) = Players({"Violin": 73, "Oboe": 68}).unused([made])
    assert warning == "no result has the part Oboe, so its instrument is not heard"
    assert [part.name for part in Players({"Violin": 40, "Tacet": 42})._renamed([*PARTS, Part("Cello", 42)])] == [
        "Violin",
        "Cello <b>",
        "Cello 1",
        "Drums",
        "Cello",
    ]

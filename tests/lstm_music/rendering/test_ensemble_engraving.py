"""The pages of an ensemble's score: names before the staves, systems that fit on a page, and what MuseScore makes of it."""

import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

import pytest
from small_ensembles import ensemble, part, quartet_and_drums

from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.engraving import score_svg
from lstm_music.rendering.ensemble_files import write_ensemble
from lstm_music.rendering.ensemble_score import ensemble_score
from lstm_music.rendering.ensemble_xml import ensemble_musicxml
from lstm_music.rendering.score_size import USUAL_MILLIMETRES, staff_height

SVG = "{http://www.w3.org/2000/svg}"


def of_class(svg, name):
    return [one for one in ET.fromstring(svg).iter(SVG + "g") if one.get("class") == name]


def texts(svg, name):
    return ["".join(one.itertext()).strip() for one in of_class(svg, name)]


@pytest.fixture(scope="module")
def score():
    return ensemble_score(quartet_and_drums())


def test_names_stand_before_the_first_system_and_abbreviations_before_the_others(score):
    page = score_svg(ensemble_musicxml(score, "a title", "somebody"))[0]
    assert sorted(texts(page, "label")) == ["Clarinet in B♭", "Contrabass", "Drums", "Piano"]
    assert set(texts(page, "labelAbbr")) == {"Cl.", "Dr.", "Pno.", "Cb."}
    (head,) = of_class(page, "pgHead")
    assert ["".join(text.itertext()) for text in head.iter(SVG + "text")] == ["a title", "somebody"]


def test_an_excerpt_counts_bars_and_not_those_of_all_parts(score):
    (excerpt,) = score_svg(ensemble_musicxml(score, ""), bars=(9, 99))
    assert len(of_class(excerpt, "measure")) == 2


def test_a_single_part_has_its_name_in_the_head_and_its_tempo_above_its_rest(score):
    (page,) = score_svg(ensemble_musicxml(score, "a title", only=0))
    (head,) = of_class(page, "pgHead")
    assert sorted("".join(text.itertext()) for text in head.iter(SVG + "text")) == ["Clarinet in B♭", "a title"]
    assert (texts(page, "label"), texts(page, "labelAbbr")) == ([], [])
    assert len(of_class(page, "tempo")) == 1
    assert len(of_class(page, "multiRest")) == 1
    assert len(of_class(page, "measure")) == 10 - 3


@pytest.mark.parametrize("staves", [3, 7, 12, 15, 24, 40])
def test_a_system_of_any_height_fits_on_the_page(staves):
    parts = [part(f"Violin {number}", "violin") for number in range(1, staves + 1)]
    piece = ensemble(parts, [(who, beat, 1, 55 + 3 * beat) for who in range(staves) for beat in range(8)])
    page = score_svg(ensemble_musicxml(ensemble_score(piece), "a title"))[0]
    assert len(of_class(page, "staff")) >= staves
    (margin,) = of_class(page, "page-margin")
    height = float(re.search(r'class="definition-scale"[^>]* viewBox="0 0 \d+ (\d+)"', page)[1])
    lines = [
        float(y) for path in margin.iter(SVG + "path") for y in re.findall(r"[ML]-?\d+ (-?\d+)", path.get("d", ""))
    ]
    assert 0 < max(lines) < 0.97 * height


def test_staves_get_smaller_the_more_there_are_and_a_piano_keeps_its_size():
    assert staff_height(1) == staff_height(2) == USUAL_MILLIMETRES
    assert all(3.0 < staff_height(staves) <= 6.4 for staves in range(3, 25))


def test_files_of_an_ensemble_lie_beside_its_midi_file(tmp_path):
    midi = tmp_path / "result_001.mid"
    parts = [part("Fl./öte", "flute"), part("Drums"), part("Tuba", "tuba")]
    midi.write_bytes(write_midi(ensemble(parts, [(0, 0, 4, 72), (1, 0, 1, 38)])))
    write_ensemble(midi, parts, "a title", "", 8, has_single_parts=True)
    forms = ["drums.pdf", "fl_ote.pdf", "tuba.pdf"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(f"result_001.{form}" for form in ("mid", "musicxml", "pdf", "score.svg")),
        *(f"result_001_{form}" for form in forms),
    ]
    assert all((tmp_path / f"result_001_{form}").read_bytes().startswith(b"%PDF") for form in forms)
    assert "<part-name>Tuba</part-name>" in (tmp_path / "result_001.musicxml").read_text()


@pytest.mark.operation
@pytest.mark.skipif(shutil.which("mscore3") is None, reason="needs MuseScore 3")
def test_musescore_names_the_instruments_and_plays_the_notes(score, tmp_path, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    source = tmp_path / "score.musicxml"
    source.write_text(ensemble_musicxml(score, "a title"), encoding="utf-8")
    for form in ("mscx", "mid"):
        command = ["mscore3", "-o", str(tmp_path / f"out.{form}"), str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    names = re.findall(r"<longName>(.*)</longName>", (tmp_path / "out.mscx").read_text())
    assert names == ["Clarinet", "Drums", "Piano", "Contrabass"]
    piece, played = quartet_and_drums(), read_midi((tmp_path / "out.mid").read_bytes())

    def rows(one):
        columns = (one.notes["onset_ticks"] / one.ticks_per_quarter, one.notes["pitch"], one.notes["is_drum"])
        return {(float(at), int(pitch), bool(is_drum)) for at, pitch, is_drum in zip(*columns, strict=True)}

    assert rows(played) == rows(piece)

"""`lstm-music inspect`, as a user runs it."""

import json
import xml.etree.ElementTree as ET

import pytest

KERN = "**kern\t**kern\n*Icello\t*Iflt\n*M3/4\t*M3/4\n*MM90\t*MM90\n4C\t4ee\n=1\t=1\n2.BB-\t2.ff\n==\t==\n*-\t*-\n"

pytestmark = pytest.mark.slow  # each program reads scores in a child process, which imports music21


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.krn"
    path.write_text(KERN)
    return path


def test_a_file_is_described_and_drawn(tune, lstm_music, tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    svg = tmp_path / "roll.svg"
    found = lstm_music("inspect", tune, tmp_path / "bad.mid", "--svg", svg)
    assert (found.code, found.errors) == (0, "")
    for line in (
        "tune.krn: 4 notes in 2 parts, 4 quarters",
        "Bars: 1 bar in 3/4, after a pickup of 1 quarter",
        "Tempo: 90 quarters per minute",
        "Rejected bad.mid: ",
        f"Made {svg}",
    ):
        assert line in found.out
    rows = [line.split() for line in found.out.splitlines()]
    assert ["0", "Flute", "73", "E5", "to", "F5", "2"] in rows
    assert ["1", "Violoncello", "42", "B♭2", "to", "C3", "2"] in rows
    drawn = ET.parse(svg).getroot()
    lines = [one.get("x1") for one in drawn.iter("{http://www.w3.org/2000/svg}line") if one.get("class") == "bar"]
    assert lines == ["28.0", "60.0"]  # the pickup is a quarter long
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["tune.krn", "Flute", "Violoncello"]


def test_files_are_compared_for_a_program(tune, lstm_music, tmp_path):
    other = tmp_path / "other.krn"
    other.write_text(KERN.replace("2.ff", "2ff").replace("4C", "4D"))
    found = lstm_music("inspect", tune, "--compare-with", other, "--json")
    assert found.code == 0
    said = json.loads(found.out)
    assert [note["position_in_bar"] for note in said["pieces"][0]["notes"]] == [2, 2, 0, 0]
    assert said["rejected"] == []
    (differences,) = said["differences"]
    assert differences["same"] == 2
    assert [(note["onset"], note["pitch"]) for note in differences["only_first"]] == [(0, 48)]
    assert [(note["onset"], note["pitch"]) for note in differences["only_second"]] == [(0, 50)]
    assert [(note["duration"], note["other_duration"]) for note in differences["lengths"]] == [(3, 2)]
    assert "2 notes the same, 1 only in the first, 1 only in the second, 1 of another length" in found.errors


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["absent.mid"], 3, "'absent.mid': not found"),
        (["tune.krn", "--svg", "roll.png"], 2, "--svg: expected a file name that ends with .svg, got 'roll.png'"),
        (["tune.krn", "--svg", "nowhere/roll.svg"], 6, "--svg: nowhere/roll.svg cannot be written"),
        (["bad.mid"], 4, "found no piece to read in bad.mid; the first: bad.mid"),
    ],
)
def test_a_mistake_is_one_sentence(options, code, sentence, tune, lstm_music, tmp_path):
    for name, data in (("tune.krn", tune.read_bytes()), ("bad.mid", b"MThd")):
        (tmp_path / "home" / name).write_bytes(data)
    found = lstm_music("inspect", *options)
    assert found.code == code
    assert sentence in found.errors
    assert len(found.errors.splitlines()) == 1

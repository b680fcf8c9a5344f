#!/usr/bin/env bash
# music21 10.5.1 gives a <forward> at the end of a MusicXML measure no time: the parts of a score come apart.
#
# Two parts have two measures of 4/4. In the first measure, the upper part has a quarter note and a <forward> of three quarters,
# the lower part a whole note. Expected: the second measure starts at 4 quarters in both parts. Seen: in the upper part it
# starts at 1, three quarters before the lower part. No error and no warning. verovio 6 and MuseScore 3 give 4 in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check music21==10.5.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from music21 import converter


def note(step, octave, duration):
    return f"<note><pitch><step>{step}</step><octave>{octave}</octave></pitch><duration>{duration}</duration></note>"


ATTRIBUTES = (
    "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)
PARTS = {
    "upper": (note("C", 5, 1) + "<forward><duration>3</duration></forward>", note("D", 5, 4)),
    "lower": (note("C", 3, 4), note("D", 3, 4)),
}
listed = "".join(f'<score-part id="{name}"><part-name>{name}</part-name></score-part>' for name in PARTS)
written = "".join(
    f'<part id="{name}"><measure number="1">{ATTRIBUTES}{first}</measure><measure number="2">{second}</measure></part>'
    for name, (first, second) in PARTS.items()
)
text = f'<score-partwise version="4.0"><part-list>{listed}</part-list>{written}</score-partwise>'
score = converter.parse(text, format="musicxml")
starts = {part.partName: [float(one.offset) for one in part.getElementsByClass("Measure")] for part in score.parts}
print("the measures of each part start at:", starts)
sys.exit(0 if starts == {"upper": [0.0, 1.0], "lower": [0.0, 4.0]} else 1)
PYTHON

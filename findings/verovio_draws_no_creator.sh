#!/usr/bin/env bash
# verovio 6.4.1 draws no <creator type="composer"> of MusicXML on the page: only a <credit> is drawn.
#
# MusicXML's <identification> is where notation programs keep the composer, and they show it above the music (MuseScore 3 and 4
# do). Expected: the composer's name in the SVG of the first page, as the work's title is, with the header option "auto". Seen: the
# title of <work-title> is drawn, the name of <creator> is not. A <credit> with the name is drawn.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check verovio==6.4.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import verovio

SCORE = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0">
  <work><work-title>Evening Tune</work-title></work>
  <identification><creator type="composer">Ada Example</creator></identification>
  {credit}
  <part-list><score-part id="P1"><part-name>Piano</part-name></score-part></part-list>
  <part id="P1"><measure number="1">
    <attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time>
      <clef><sign>G</sign><line>2</line></clef></attributes>
    <note><pitch><step>C</step><octave>5</octave></pitch><duration>4</duration><type>whole</type></note>
  </measure></part>
</score-partwise>"""
CREDIT = '<credit page="1"><credit-words default-x="1000" default-y="1400" justify="right">Ada Example</credit-words></credit>'


def svg(credit: str) -> str:
    toolkit = verovio.toolkit()
    toolkit.setOptions({"header": "auto"})
    assert toolkit.loadData(SCORE.format(credit=credit))
    return toolkit.renderToSVG(1)


by_creator, by_credit = svg(""), svg(CREDIT)
print("by <creator>: title drawn", "Evening Tune" in by_creator, "- composer drawn", "Ada Example" in by_creator)
print("by <credit>:  composer drawn", "Ada Example" in by_credit)
sys.exit(0 if "Ada Example" not in by_creator and "Ada Example" in by_credit else 1)
PYTHON

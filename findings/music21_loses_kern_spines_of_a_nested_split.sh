#!/usr/bin/env bash
# music21 10.5.1 loses notes of a Humdrum **kern score, without a warning, where a spine is split twice and joined once.
#
# In Humdrum `*^` splits a spine into two, again for each half, and neighbouring `*v` join any number of them. Three sub-spines that
# begin together are usual in piano music. Expected: the four notes C4, E4, G4 and C5, or an error. Seen: fewer notes, in
# silence. KernScores' movement 1 of Beethoven's fourth sonata has 4,005 notes, of which 2,631 are read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check music21==10.5.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import music21

TEXT = "**kern\n*M2/4\n=1\n*^\n*^\t*\n2c\t2e\t2g\n*v\t*v\t*v\n=2\n2cc\n==\n*-\n"
score = music21.converter.parseData(TEXT, format="humdrum")
found = sorted(pitch.nameWithOctave for pitch in score.flatten().pitches)
print("music21", music21.__version__, "reads", found, "of ['C4', 'C5', 'E4', 'G4']")
sys.exit(0 if len(found) < 4 else 1)
PYTHON

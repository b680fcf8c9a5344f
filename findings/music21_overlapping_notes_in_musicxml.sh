#!/usr/bin/env bash
# music21 10.5.1 writes notes that overlap in one part one after another into MusicXML: their onsets move.
#
# A part holds a whole note at 0 and a quarter note at 1 (in quarter lengths), both inserted at their onsets.
# Expected of the written file, read back: onsets 0 and 1. Seen: 0 and 4, so the second note sounds three quarters late.
# No error and no warning. Calling makeVoices() on each measure first keeps the onsets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check music21==10.5.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from music21 import converter, meter, note, stream

measure = stream.Measure(number=1)
measure.insert(0, meter.TimeSignature("4/4"))
measure.insert(0, note.Note("C5", quarterLength=4))
measure.insert(1, note.Note("E4", quarterLength=1))
part = stream.Part([measure])
inserted = sorted(float(one.getOffsetInHierarchy(part)) for one in part.recurse().notes)
path = stream.Score([part]).write("musicxml", "overlap.musicxml")
read = converter.parse(path)
written = sorted(float(one.getOffsetInHierarchy(read)) for one in read.recurse().notes)
print("onsets inserted:", inserted)
print("onsets written: ", written)
sys.exit(0 if inserted == [0.0, 1.0] and written != inserted else 1)
PYTHON

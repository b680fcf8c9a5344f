#!/usr/bin/env bash
# abc2midi of Debian's abcmidi 20230208 begins the notes of a chord one after another, and an accidental alters every octave.
#
# Expected, by the ABC standard 2.1: the notes of [ceg] begin together (4.17), and in `^c c'` only the first is sharp (11.3: the default
# of %%propagate-accidentals is `pitch`, the octave of the note; abcjs does the same). Seen: the second and third note of the chord
# begin 10 and 20 ticks late (of 480), and c' is sharp. Datasets made with abc2midi have both. `%%MIDI chordattack 0` ends the first.
# Runs on Debian 12, which has this version.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet abcmidi=20230208+ds1-1 > /dev/null 2>&1
dpkg -x abcmidi_*.deb .
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mido==1.3.3
printf "X:1\nT:t\nM:4/4\nL:1/4\nK:C\n[ceg]2 ^c c'|\n" > tune.abc
usr/bin/abc2midi tune.abc -o tune.mid > /dev/null
venv/bin/python - <<'PYTHON'
import itertools
import sys

import mido

file = mido.MidiFile("tune.mid")
notes = []
for track in file.tracks:
    ticks = itertools.accumulate(message.time for message in track)
    notes += [(tick, message.note) for tick, message in zip(ticks, track) if message.type == "note_on" and message.velocity]
print("ticks per quarter", file.ticks_per_beat, "- (tick, pitch):", notes)
sys.exit(0 if notes == [(1, 72), (11, 76), (21, 79), (961, 73), (1441, 85)] else 1)
PYTHON

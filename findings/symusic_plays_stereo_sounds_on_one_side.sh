#!/usr/bin/env bash
# symusic 0.5.9 plays the harp, the soprano and the baritone sax of TimGM6mb on one channel alone: the other one is silent.
#
# A note of one second, middle C at velocity 100, with the soundfont of Debian's timgm6mb-soundfont 1.3-5. Expected: both channels
# sound, as TinySoundFont plays them from the same file: at most 4 dB apart. Seen: the right channel of the harp (program 46), and the
# left one of the saxes (64 and 67, counted from 0), are exactly 0. Runs on Debian 12, which has this version of the soundfont.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet timgm6mb-soundfont=1.3-5 > /dev/null 2>&1
dpkg -x timgm6mb-soundfont_*.deb .
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check symusic==0.5.9 numpy==2.4.6
venv/bin/pip install --quiet --disable-pip-version-check --no-deps tinysoundfont==0.3.7  # what it depends on only plays aloud
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import symusic
import tinysoundfont

FONT, RATE = "usr/share/sounds/sf2/TimGM6mb.sf2", 44_100
synthesiser = symusic.Synthesizer(FONT, RATE)


def by_symusic(program: int) -> np.ndarray:
    score, track = symusic.Score(480), symusic.Track("one", program, False)
    score.tempos.append(symusic.Tempo(0, 120))
    track.notes.append(symusic.Note(0, 960, 60, 100))
    score.tracks.append(track)
    return np.asarray(synthesiser.render(score, True))[:, :RATE]


def by_tinysoundfont(program: int) -> np.ndarray:
    synth = tinysoundfont.Synth(samplerate=RATE)
    synth.program_select(0, synth.sfload(FONT), 0, program)
    synth.noteon(0, 60, 100)
    return np.frombuffer(bytes(synth.generate(RATE)), np.float32).reshape(-1, 2).T


def shown(samples: np.ndarray) -> str:
    loud = np.sqrt((samples.astype(float) ** 2).mean(1))
    return " ".join(f"{20 * np.log10(one):6.1f} dB" if one else "   silent" for one in loud)


as_described = []
for program, silent in ((46, 1), (64, 0), (67, 0)):
    ours, theirs = by_symusic(program), by_tinysoundfont(program)
    print(f"program {program}: left and right by symusic {shown(ours)}; by TinySoundFont {shown(theirs)}")
    left, right = (float(np.sqrt((side.astype(float) ** 2).mean())) for side in theirs)
    as_described.append(not ours[silent].any() and ours[1 - silent].any() and abs(20 * np.log10(left / right)) < 4)
sys.exit(0 if all(as_described) else 1)
PYTHON

#!/usr/bin/env bash
# midirenderer 0.1.3 gives less reverberation at a lower channel volume: the volume changes more than the loudness.
#
# A note of half a second, middle C of a French horn at velocity 127, with the soundfont of Debian's timgm6mb-soundfont 1.3-5, at channel
# volume (controller 7) 127 and at 32. Expected: the second is the first by (32 / 127)², as the General MIDI guidelines say, while
# the note sounds and after it. Seen: so it is in its first 20 ms. What is heard 0.2 to 0.4 s after its end is 3 times softer
# than that, because rustysynth 1.3.1 leaves out what would enter its reverberation and chorus with a gain below 0.001. So audio
# that clips cannot be played at a lower volume and made louder afterwards. Runs on Debian 12, which has this version of the soundfont.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet timgm6mb-soundfont=1.3-5 > /dev/null 2>&1
dpkg -x timgm6mb-soundfont_*.deb .
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check midirenderer==0.1.3 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import midirenderer
import numpy as np

FONT, RATE = Path("usr/share/sounds/sf2/TimGM6mb.sf2").read_bytes(), 48_000


def played(volume: int) -> np.ndarray:
    """As it would be at volume 127."""
    events = bytes([0, 0xB0, 7, volume, 0, 0xC0, 60, 0, 0x90, 60, 127, 0x83, 0x60, 0x80, 60, 64])
    events += bytes([0x87, 0x40, 0xFF, 0x2F, 0])  # one second for the sound to die away
    head = b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 480 // 256, 480 % 256])
    wav = midirenderer.render_wave_from(FONT, head + b"MTrk" + len(events).to_bytes(4, "big") + events)
    return np.frombuffer(wav, "<i2", offset=44).reshape(-1, 2) * (127 / volume) ** 2


def ratio(start: float, end: float) -> float:
    loud, soft = (one[round(start * RATE) : round(end * RATE)] for one in (played(127), played(32)))
    return float(np.sqrt((soft**2).mean() / (loud**2).mean()))


during, after = ratio(0, 0.02), ratio(0.7, 0.9)
print(f"volume 32 made as loud as volume 127: {during:.2f} times as loud at the beginning of the note, {after:.2f} times after it")
sys.exit(not (0.9 < during < 1.1 and after < 0.5))
PYTHON

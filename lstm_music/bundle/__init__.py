"""A bundle: one file that gives trained models away, and how it is written, checked and described.

It is a zip of a small storage. `bundle.json` comes first and lists every other member with its size and SHA-256; the comment of
the zip is the SHA-256 of all bytes before it. There is no code in it and no pickle: weights are safetensors, other arrays are
`.npy` without objects, tables are Parquet, the rest is JSON, MIDI and one README.
"""

from lstm_music.bundle.manifest import Contents, Keys, Manifest, Member
from lstm_music.bundle.reading import read_bundle
from lstm_music.bundle.writing import write_bundle

__all__ = ["Contents", "Keys", "Manifest", "Member", "read_bundle", "write_bundle"]

"""Where everything that is made lies: artifacts under the key of what made them, raw bytes under their SHA-256.

storage/
  format.json                          which version of this layout it is
  <kind>/<key>/<name>-<16 hex>.<ext>   an artifact's files, named by their own SHA-256
  <kind>/<key>/manifest.json           what it is and what it was made from; created last, only if absent
  <kind>/<key>/provenance.json         when and on what it was made, outside of every digest
  blobs/ab/<sha256>                    raw bytes of inputs
  current.json                         per recipe what is in use: the one mutable file
  inbox/                               where people put new music, by default; nothing in it is ever touched
  .partial/                            what is being written; swept when nobody writes
"""

from lstm_music.store.artifact import Artifact
from lstm_music.store.stage import ArtifactRef, Stage
from lstm_music.store.store import Store
from lstm_music.store.verify import BadFile, VerifyReport
from lstm_music.store.writer import ArtifactWriter

__all__ = ["Artifact", "ArtifactRef", "ArtifactWriter", "BadFile", "Stage", "Store", "VerifyReport"]

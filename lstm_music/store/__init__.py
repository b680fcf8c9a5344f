"""The storage: artifacts under the key of what made them, raw bytes under their SHA-256.

storage/
  format.json                          which version of this layout it is
  <kind>/<key>/<name>-<16 hex>.<ext>   an artifact's files, named by their own SHA-256
  <kind>/<key>/manifest.json           what it is and what it was made from; created last, only if absent
  <kind>/<key>/provenance.json         when and on what it was made, outside of every digest
  blobs/ab/<sha256>                    raw bytes of inputs
  current.json                         per recipe, what is prepared and promoted
  generations/names.json               names of generations for people, also links beside it: 2026-11-28_demo_3, latest
  generations/kept.json                generations that `prune` leaves alone
  inputs/forgotten.json                contents that are not ingested again
  latest/events.parquet, ...           links to the tables that were prepared last
  inbox/                               the default folder for new music; the store changes nothing in it
  .leases/                             in a bucket: who uses it now
  .partial/                            the staging folder: files being written; swept while no process writes
"""

from lstm_music.store.artifact import Artifact
from lstm_music.store.stage import ArtifactRef, Stage
from lstm_music.store.store import Store
from lstm_music.store.verify import BadFile, VerifyReport
from lstm_music.store.writer import ArtifactWriter

__all__ = ["Artifact", "ArtifactRef", "ArtifactWriter", "BadFile", "Stage", "Store", "VerifyReport"]

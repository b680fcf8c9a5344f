"""How often the estimated pickup of a MIDI file is right: on scores whose bars are known, without their bars.

Run: python benchmarks/pickups.py [FOLDER…]

Without a folder, the chorales of music21's corpus. Each score is taken without its bars, as a MIDI file without a sign of its
pickup. "none" is how often it is right to assume no pickup.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lstm_music.encoding.pickups import estimated_pickup
from lstm_music.midi.notes import PieceNotes
from lstm_music.scores.reading import read_scores
from lstm_music.sources.books import pieces_of
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import Entry, Found, music_format
from lstm_music.sources.folder import Folder


def scores(entries: Iterable[Entry]) -> Iterator[PieceNotes]:
    """Read each content once; yield those with bars and one time signature."""
    found = {entry.data: entry.name for entry in entries if isinstance(entry, Found)}
    formats = [(name, music_format(name) or "", data) for data, name in found.items()]
    for _, piece in read_scores([item for item in formats if item[1] not in {"", "midi"}]):
        if isinstance(piece, PieceNotes) and piece.bars and len(piece.notes):
            signatures = {(sign.numerator, sign.denominator) for sign in piece.time_signatures}
            if len(signatures) == 1:
                yield piece


def true_pickup(piece: PieceNotes) -> int:
    """Return the length of the pickup that the bars say, in ticks."""
    first = piece.bars[0]
    return first.nominal_ticks - first.begins_at_ticks if first.begins_at_ticks else 0


def main() -> None:
    """Print a row for each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*")
    sources = {folder: pieces_of(Folder(folder).entries()) for folder in parser.parse_args().folders}
    print(
        "| source | scores | none is right | the estimate is right | made right | made wrong |\n|---|---|---|---|---|---|"
    )
    for name, entries in (sources or {"chorales": Corpus().entries()}).items():
        pairs = [(true_pickup(piece), estimated_pickup(replace(piece, bars=()))) for piece in scores(entries)]
        none, right = sum(not true for true, _ in pairs), sum(true == found for true, found in pairs)
        made_right = sum(true == found != 0 for true, found in pairs)
        made_wrong = sum(true == 0 != found for true, found in pairs)
        print(
            f"| {name} | {len(pairs)} | {none / len(pairs):.1%} | {right / len(pairs):.1%} | {made_right} | {made_wrong} |"
        )


if __name__ == "__main__":
    main()

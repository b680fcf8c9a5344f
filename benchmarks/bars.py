"""Where chorales end: how many of the demo's chorales in 4/4 have their last onset on beat 1 or 3 of a bar.

Run: python benchmarks/bars.py

A chorale ends on a strong beat, so this says whether bars are read as they are written, pickups above all. Beside it stands what
the time signatures alone would say.
"""

from lstm_music.encoding.bars import place_in_bars, places_of
from lstm_music.encoding.grid import Grid
from lstm_music.midi.notes import PieceNotes
from lstm_music.recipe import load_recipe
from lstm_music.scores.reading import read_scores
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import Found, music_format

GRID = Grid((4, 3))
STRONG = (0, 2)  # quarters from the start of a bar of 4/4


def chorales() -> list[PieceNotes]:
    """Read the demo's chorales, each content once, and keep those that are in 4/4 throughout."""
    recipe = load_recipe("demo")
    found = {
        entry.data: entry.name for entry in Corpus().entries() if isinstance(entry, Found) and recipe.takes(entry.name)
    }
    items = [(name, music_format(name) or "", data) for data, name in found.items()]
    pieces = [piece for _, piece in read_scores(items) if isinstance(piece, PieceNotes)]
    return [
        piece for piece in pieces if {(sign.numerator, sign.denominator) for sign in piece.time_signatures} == {(4, 4)}
    ]


def ends_on_a_strong_beat(piece: PieceNotes, *, has_bars: bool = True) -> bool:
    """Say where the last onset lies, by the bars of the score or by its time signatures alone."""
    last = GRID.onsets([piece.notes["onset_ticks"].max()], piece.ticks_per_quarter)
    _, position = (
        places_of(piece, last, GRID)
        if has_bars
        else place_in_bars(last, piece.time_signatures, piece.ticks_per_quarter, GRID)
    )
    return position[0] / GRID.steps_per_quarter in STRONG


def main() -> None:
    """Print the shares."""
    pieces = chorales()
    pickups = sum(bool(piece.bars) and piece.bars[0].number == 0 for piece in pieces)
    for named, has_bars in (("by their bars", True), ("by their time signatures", False)):
        strong = sum(ends_on_a_strong_beat(piece, has_bars=has_bars) for piece in pieces)
        print(f"{named}: {strong} of {len(pieces)} chorales end on beat 1 or 3 ({strong / len(pieces):.1%})")
    print(f"{pickups} begin with a pickup")


if __name__ == "__main__":
    main()

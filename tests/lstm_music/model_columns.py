"""The columns of the tokens that tests of models read."""

import numpy as np

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.echoes import echo_sizes
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.places import place_sizes
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary
from lstm_music.models.columns import Columns

GRID = Grid((4,))
STREAM_SIZES = {"offset": 7, "note": 40, "duration": 6}
SIZES = {**STREAM_SIZES, **place_sizes(GRID), **echo_sizes(STREAM_SIZES)}
WINDOW = 12
NOTES = PITCH_NAMES[40 : 40 + SIZES["note"] - SPECIAL_IDS]
SHAPES = shapes_of(Vocabulary("note", NOTES, (1,) * len(NOTES), 0.0))
QUARTERS = np.array([0, 0, 0, 0.0, 0.25, 0.5, 1.0], np.float32)  # of the offset ids
COLUMNS = Columns(STREAMS, SIZES, QUARTERS, WINDOW)

"""The columns of the tokens that tests of models read."""

import numpy as np

from lstm_music.encoding.grid import Grid
from lstm_music.encoding.places import place_sizes
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.columns import Columns

GRID = Grid((4,))
SIZES = {"offset": 7, "note": 40, "duration": 6, **place_sizes(GRID)}
WINDOW = 12
QUARTERS = np.array([0, 0, 0, 0.0, 0.25, 0.5, 1.0], np.float32)  # of the offset ids
COLUMNS = Columns(STREAMS, SIZES, QUARTERS, WINDOW)

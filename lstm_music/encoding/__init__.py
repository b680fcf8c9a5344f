"""Notes ⇄ events ⇄ tokens: the grid, chord encodings, vocabularies, splits and windows."""

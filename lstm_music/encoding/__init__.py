"""Notes ⇄ events ⇄ tokens: grid, chord encodings, vocabularies, splits and windows."""

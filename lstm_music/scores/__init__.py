"""Scores (MusicXML, ABC, kern) → the notes of a piece."""

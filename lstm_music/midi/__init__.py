"""MIDI files ⇄ the note table."""

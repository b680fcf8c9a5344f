"""MIDI files and scores ⇄ the note table."""

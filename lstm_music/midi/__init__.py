"""Standard MIDI File bytes and scores ⇄ the note table."""

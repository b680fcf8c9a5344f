"""Meaning: a pure library that turns MIDI into models of music and models into MIDI. It knows no orchestrator."""

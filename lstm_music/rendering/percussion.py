"""How the drums of General MIDI's percussion map are written: place in the staff, notehead, and which limb plays them.

Places and noteheads of the drum set are the common ones: cymbals are crosses above the staff, feet play at its foot. Others, for
which there is no custom, have places of their own. Names are those of the General MIDI percussion map, GM 2 included.
"""

from dataclasses import dataclass

NORMAL, CROSS, CIRCLED, DIAMOND, TRIANGLE, SLASH = "normal", "x", "circle-x", "diamond", "triangle", "slash"


@dataclass(frozen=True, slots=True)
class Drum:
    """How a drum is written: its name, its place as a note in the treble clef ("C5"), its notehead, and if a foot plays it."""

    name: str
    place: str
    head: str = NORMAL
    is_foot: bool = False


_DRUMS = {
    27: Drum("High Q", "C6", SLASH),
    28: Drum("Slap", "D5", SLASH),
    29: Drum("Scratch Push", "C5", SLASH),
    30: Drum("Scratch Pull", "B4", SLASH),
    31: Drum("Sticks", "A4", SLASH),
    32: Drum("Square Click", "F5", SLASH),
    33: Drum("Metronome Click", "G5", SLASH),
    34: Drum("Metronome Bell", "A5", SLASH),
    35: Drum("Acoustic Bass Drum", "E4", is_foot=True),
    36: Drum("Bass Drum", "F4", is_foot=True),
    37: Drum("Side Stick", "C5", CROSS),
    38: Drum("Snare Drum", "C5"),
    39: Drum("Hand Clap", "B4", CROSS),
    40: Drum("Electric Snare", "C5", CIRCLED),
    41: Drum("Low Floor Tom", "G4"),
    42: Drum("Closed Hi-Hat", "G5", CROSS),
    43: Drum("High Floor Tom", "A4"),
    44: Drum("Pedal Hi-Hat", "D4", CROSS, is_foot=True),
    45: Drum("Low Tom", "B4"),
    46: Drum("Open Hi-Hat", "G5", CIRCLED),
    47: Drum("Low-Mid Tom", "D5"),
    48: Drum("Hi-Mid Tom", "E5"),
    49: Drum("Crash Cymbal 1", "A5", CROSS),
    50: Drum("High Tom", "F5"),
    51: Drum("Ride Cymbal 1", "F5", CROSS),
    52: Drum("Chinese Cymbal", "C6", CIRCLED),
    53: Drum("Ride Bell", "F5", DIAMOND),
    54: Drum("Tambourine", "C5", TRIANGLE),
    55: Drum("Splash Cymbal", "A5", CIRCLED),
    56: Drum("Cowbell", "E5", TRIANGLE),
    57: Drum("Crash Cymbal 2", "B5", CROSS),
    58: Drum("Vibraslap", "G4", DIAMOND),
    59: Drum("Ride Cymbal 2", "D5", CROSS),
    60: Drum("High Bongo", "F5", TRIANGLE),
    61: Drum("Low Bongo", "D5", TRIANGLE),
    62: Drum("Mute High Conga", "B4", CIRCLED),
    63: Drum("Open High Conga", "B4", TRIANGLE),
    64: Drum("Low Conga", "G4", TRIANGLE),
    65: Drum("High Timbale", "E5", CIRCLED),
    66: Drum("Low Timbale", "D5", CIRCLED),
    67: Drum("High Agogo", "G5", TRIANGLE),
    68: Drum("Low Agogo", "E5", SLASH),
    69: Drum("Cabasa", "C5", DIAMOND),
    70: Drum("Maracas", "A4", DIAMOND),
    71: Drum("Short Whistle", "B5", TRIANGLE),
    72: Drum("Long Whistle", "B5", SLASH),
    73: Drum("Short Guiro", "D5", DIAMOND),
    74: Drum("Long Guiro", "B4", DIAMOND),
    75: Drum("Claves", "E5", CROSS),
    76: Drum("High Wood Block", "G5", DIAMOND),
    77: Drum("Low Wood Block", "E5", DIAMOND),
    78: Drum("Mute Cuica", "A4", CROSS),
    79: Drum("Open Cuica", "A4", TRIANGLE),
    80: Drum("Mute Triangle", "A5", DIAMOND),
    81: Drum("Open Triangle", "A5", TRIANGLE),
    82: Drum("Shaker", "A4", CIRCLED),
    83: Drum("Jingle Bell", "B5", DIAMOND),
    84: Drum("Bell Tree", "C6", TRIANGLE),
    85: Drum("Castanets", "F5", CIRCLED),
    86: Drum("Mute Surdo", "F4", CROSS),
    87: Drum("Open Surdo", "F4", TRIANGLE),
}


def drum_of(key: int) -> Drum:
    """Return how a key of the percussion map is written; one without a name stands in the middle of the staff."""
    return _DRUMS.get(key) or Drum(f"Percussion {key}", "B4")

"""How the instruments of General MIDI are written: family, abbreviation, clefs, staves, transposition, MusicXML sound.

Transpositions, clefs and abbreviations are the usual ones, as in MuseScore's list of instruments; sounds are those of MusicXML's
sounds.xml. Instruments with keys get two staves, and so do others that may play chords over a wide range (`Style.staves` 0) where
one staff would have many ledger lines.
"""

from dataclasses import dataclass

WOODWINDS, BRASS, PERCUSSION, PLUCKED, KEYBOARDS, SYNTHS = (
    *("woodwinds", "brass", "percussion", "plucked"),
    *("keyboards", "synthesizers"),
)
VOICES, STRINGS, BASS, DRUM_SET = "voices", "strings", "bass", "drum set"
ORCHESTRA = (WOODWINDS, BRASS, PERCUSSION, DRUM_SET, PLUCKED, KEYBOARDS, SYNTHS, VOICES, STRINGS, BASS)
"""The order of families in a score with bowed strings, from the top."""
BAND = (VOICES, WOODWINDS, BRASS, STRINGS, PERCUSSION, PLUCKED, KEYBOARDS, SYNTHS, BASS, DRUM_SET)
"""The order of families in one without: the rhythm section stands at the bottom."""

TREBLE, TREBLE_8, ALTO, TENOR, BASS_CLEF, PERCUSSION_CLEF = "treble", "treble-8", "alto", "tenor", "bass", "percussion"


@dataclass(frozen=True, slots=True)
class Transposition:
    """From the written to the sounding pitch: steps of the staff and semitones, both without `octaves`.

    `key` is what the instrument is in, such as "B♭"; "" in C.
    """

    steps: int = 0
    semitones: int = 0
    octaves: int = 0
    key: str = ""

    @property
    def total(self) -> int:
        """All semitones from the written to the sounding pitch."""
        return self.semitones + 12 * self.octaves


@dataclass(frozen=True, slots=True)
class Style:
    """How an instrument is written. `clefs` are those that its players read, the usual one first.

    `staves` is 0 where the range decides between one and two. `sound` is that of MusicXML, "" for none.
    """

    family: str
    abbreviation: str
    clefs: tuple[str, ...] = (TREBLE, BASS_CLEF)
    sound: str = ""
    staves: int = 1
    transposition: Transposition = Transposition()


_CONCERT = Transposition()
_B_FLAT, _TENOR_B_FLAT = Transposition(-1, -2, 0, "B♭"), Transposition(-1, -2, -1, "B♭")
_E_FLAT, _BARITONE_E_FLAT = Transposition(-5, -9, 0, "E♭"), Transposition(-5, -9, -1, "E♭")
_F = Transposition(-4, -7, 0, "F")
_UP, _DOWN, _UP_TWO = Transposition(octaves=1), Transposition(octaves=-1), Transposition(octaves=2)
_HIGH, _LOW, _GUITAR = (TREBLE,), (BASS_CLEF, TENOR), (TREBLE_8,)
_BOTH = (TREBLE, BASS_CLEF)


def _wood(short: str, sound: str, transposition: Transposition = _CONCERT, clefs: tuple[str, ...] = _HIGH) -> Style:
    return Style(WOODWINDS, short, clefs, f"wind.{sound}", 1, transposition)


def _brass(
    short: str, sound: str, transposition: Transposition = _CONCERT, clefs: tuple[str, ...] = _HIGH, staves: int = 1
) -> Style:
    return Style(BRASS, short, clefs, f"brass.{sound}", staves, transposition)


def _struck(short: str, sound: str, transposition: Transposition = _CONCERT, staves: int = 1) -> Style:
    return Style(PERCUSSION, short, _BOTH if staves == 0 else _HIGH, sound, staves, transposition)


def _guitar(short: str, sound: str) -> Style:
    return Style(PLUCKED, short, _GUITAR, f"pluck.{sound}")


def _keys(short: str, sound: str, transposition: Transposition = _CONCERT) -> Style:
    return Style(KEYBOARDS, short, _BOTH, f"keyboard.{sound}", 2, transposition)


def _bass(sound: str) -> Style:
    return Style(BASS, "B.", (BASS_CLEF,), f"pluck.bass{sound}", 1, _DOWN)


def _bowed(short: str, sound: str, clefs: tuple[str, ...] = _BOTH, staves: int = 0) -> Style:
    return Style(STRINGS, short, clefs, f"strings.{sound}", staves)


STYLES = {
    "piccolo": _wood("Picc.", "flutes.flute.piccolo", _UP),
    "flute": _wood("Fl.", "flutes.flute"),
    "recorder": _wood("Rec.", "flutes.recorder"),
    "pan flute": _wood("Pan Fl.", "flutes.panpipes"),
    "blown bottle": _wood("Bottle", "flutes.blown-bottle"),
    "shakuhachi": _wood("Shak.", "flutes.shakuhachi"),
    "whistle": _wood("Wh.", "flutes.whistle"),
    "ocarina": _wood("Oc.", "flutes.ocarina"),
    "oboe": _wood("Ob.", "reed.oboe"),
    "english horn": _wood("E. Hn.", "reed.english-horn", _F),
    "shanai": _wood("Sh.", "reed.shenai"),
    "clarinet": _wood("Cl.", "reed.clarinet.bflat", _B_FLAT),
    "soprano sax": _wood("S. Sax.", "reed.saxophone.soprano", _B_FLAT),
    "alto sax": _wood("A. Sax.", "reed.saxophone.alto", _E_FLAT),
    "tenor sax": _wood("T. Sax.", "reed.saxophone.tenor", _TENOR_B_FLAT),
    "baritone sax": _wood("Bar. Sax.", "reed.saxophone.baritone", _BARITONE_E_FLAT),
    "bassoon": _wood("Bsn.", "reed.bassoon", clefs=_LOW),
    "harmonica": _wood("Harm.", "reed.harmonica"),
    "bagpipe": _wood("Bagp.", "pipes.bagpipes"),
    "french horn": _brass("Hn.", "french-horn", _F),
    "trumpet": _brass("Tpt.", "trumpet.bflat", _B_FLAT),
    "muted trumpet": _brass("Tpt.", "trumpet.bflat", _B_FLAT),
    "trombone": _brass("Tbn.", "trombone", clefs=_LOW),
    "tuba": _brass("Tba.", "tuba", clefs=(BASS_CLEF,)),
    "brass section": _brass("Br.", "group", clefs=_BOTH, staves=0),
    "synth brass 1": _brass("Syn. Br.", "group.synth", clefs=_BOTH, staves=0),
    "synth brass 2": _brass("Syn. Br.", "group.synth", clefs=_BOTH, staves=0),
    "timpani": Style(PERCUSSION, "Timp.", (BASS_CLEF,), "drum.timpani"),
    "glockenspiel": _struck("Glock.", "pitched-percussion.glockenspiel", _UP_TWO),
    "xylophone": _struck("Xyl.", "pitched-percussion.xylophone", _UP),
    "vibraphone": _struck("Vib.", "pitched-percussion.vibraphone", staves=0),
    "marimba": _struck("Mar.", "pitched-percussion.marimba", staves=0),
    "tubular bells": _struck("Tub. B.", "pitched-percussion.tubular-bells"),
    "music box": _struck("Mus. Box", "pitched-percussion.music-box", staves=0),
    "dulcimer": _struck("Dulc.", "pitched-percussion.hammer-dulcimer", staves=0),
    "kalimba": _struck("Kal.", "pitched-percussion.kalimba"),
    "steel drums": _struck("St. Dr.", "metal.steel-drums", staves=0),
    "orchestral harp": Style(PLUCKED, "Hp.", _BOTH, "pluck.harp", 2),
    "acoustic guitar (nylon)": _guitar("Gtr.", "guitar.nylon-string"),
    "acoustic guitar (steel)": _guitar("Gtr.", "guitar.steel-string"),
    "electric guitar (jazz)": _guitar("E. Gtr.", "guitar.electric"),
    "electric guitar (clean)": _guitar("E. Gtr.", "guitar.electric"),
    "electric guitar (muted)": _guitar("E. Gtr.", "guitar.electric"),
    "overdriven guitar": _guitar("E. Gtr.", "guitar.electric"),
    "distortion guitar": _guitar("E. Gtr.", "guitar.electric"),
    "guitar harmonics": _guitar("E. Gtr.", "guitar.electric"),
    "banjo": _guitar("Bj.", "banjo"),
    "sitar": _guitar("Sit.", "sitar"),
    "shamisen": _guitar("Sham.", "shamisen"),
    "koto": Style(PLUCKED, "Koto", _BOTH, "pluck.koto", 0),
    "celesta": _keys("Cel.", "celesta", _UP),
    "accordion": _keys("Acc.", "accordion"),
    "tango accordion": _keys("Band.", "bandoneon"),
    "harpsichord": _keys("Hpsd.", "harpsichord"),
    "clavinet": _keys("Clav.", "clavichord.synth"),
    "acoustic grand piano": _keys("Pno.", "piano"),
    "bright acoustic piano": _keys("Pno.", "piano"),
    "electric grand piano": _keys("E. Pno.", "piano.electric"),
    "honky-tonk piano": _keys("Pno.", "piano.honky-tonk"),
    "electric piano 1": _keys("E. Pno.", "piano.electric"),
    "electric piano 2": _keys("E. Pno.", "piano.electric"),
    "drawbar organ": _keys("Org.", "organ.drawbar"),
    "percussive organ": _keys("Org.", "organ.percussive"),
    "rock organ": _keys("Org.", "organ.rotary"),
    "church organ": _keys("Org.", "organ.pipe"),
    "reed organ": _keys("Harm.", "organ.reed"),
    "choir aahs": Style(VOICES, "Choir", _BOTH, "voice.aa", 0),
    "voice oohs": Style(VOICES, "Choir", _BOTH, "voice.oo", 0),
    "synth voice": Style(VOICES, "Syn. Vo.", _BOTH, "voice.synth", 0),
    "fiddle": _bowed("Fid.", "violin", _HIGH, 1),
    "violin": _bowed("Vln.", "violin", _HIGH, 1),
    "viola": _bowed("Vla.", "viola", (ALTO, TREBLE), 1),
    "cello": _bowed("Vc.", "cello", (BASS_CLEF, TENOR, TREBLE), 1),
    "contrabass": Style(STRINGS, "Cb.", (BASS_CLEF, TENOR), "strings.contrabass", 1, _DOWN),
    "tremolo strings": _bowed("Str.", "group"),
    "pizzicato strings": _bowed("Str.", "group"),
    "string ensemble 1": _bowed("Str.", "group"),
    "string ensemble 2": _bowed("Str.", "group"),
    "synth strings 1": _bowed("Syn. Str.", "group.synth"),
    "synth strings 2": _bowed("Syn. Str.", "group.synth"),
    "acoustic bass": _bass(".acoustic"),
    "electric bass (finger)": _bass(".electric"),
    "electric bass (pick)": _bass(".electric"),
    "fretless bass": _bass(".fretless"),
    "slap bass 1": _bass(".electric"),
    "slap bass 2": _bass(".electric"),
    "synth bass 1": _bass(".synth"),
    "synth bass 2": _bass(".synth"),
}
"""The name of a program → how it is written; in the order of a score, within a family."""

DRUMS = Style(DRUM_SET, "Dr.", (PERCUSSION_CLEF,), "drum.group.set")
OTHERS = Style(SYNTHS, "Syn.", _BOTH, "", 0)
OTHER_FAMILIES = {
    "synth lead": OTHERS,
    "synth pad": OTHERS,
    "percussive": Style(PERCUSSION, "Perc.", _BOTH, "", 0),
    "ethnic": Style(PLUCKED, "Inst.", _BOTH, "", 0),
}
"""A family of programs → how those are written that have no style of their own; other families have `OTHERS`."""

SINGERS = {
    "voice": Style(VOICES, "V.", _BOTH, "voice.vocals"),
    "canto": Style(VOICES, "C.", _HIGH, "voice.soprano"),
    "cantus": Style(VOICES, "C.", _HIGH, "voice.soprano"),
    "discantus": Style(VOICES, "D.", _HIGH, "voice.soprano"),
    "soprano": Style(VOICES, "S.", _HIGH, "voice.soprano"),
    "mezzo-soprano": Style(VOICES, "Mez.", _HIGH, "voice.mezzo-soprano"),
    "alto": Style(VOICES, "A.", (TREBLE, TREBLE_8), "voice.alto"),
    "altus": Style(VOICES, "A.", (TREBLE, TREBLE_8), "voice.alto"),
    "contralto": Style(VOICES, "A.", (TREBLE, TREBLE_8), "voice.alto"),
    "tenor": Style(VOICES, "T.", (TREBLE_8, BASS_CLEF), "voice.tenor"),
    "tenore": Style(VOICES, "T.", (TREBLE_8, BASS_CLEF), "voice.tenor"),
    "baritone": Style(VOICES, "Bar.", (BASS_CLEF,), "voice.baritone"),
    "bass": Style(VOICES, "B.", (BASS_CLEF,), "voice.bass"),
    "basso": Style(VOICES, "B.", (BASS_CLEF,), "voice.bass"),
    "bassus": Style(VOICES, "B.", (BASS_CLEF,), "voice.bass"),
}
"""The name that scores give to a voice → how it is written; in the order of a score."""

"""MusicXML for tests: small scores from short calls. There are 12 divisions in a quarter."""

DIVISIONS = 12
FOUR_FOUR = "<time><beats>4</beats><beat-type>4</beat-type></time>"


def score(*parts, listed=None, head=""):
    """Return a score; a part is a list of the contents of its measures, or of (attributes of the measure, content)."""
    entries = "".join(
        (listed or {}).get(place) or f'<score-part id="P{place}"><part-name>Part {place}</part-name></score-part>'
        for place in range(len(parts))
    )
    written = "".join(f'<part id="P{place}">{_measures(part)}</part>' for place, part in enumerate(parts))
    return f'<score-partwise version="4.0"><part-list>{head}{entries}</part-list>{written}</score-partwise>'


def _measures(part):
    pairs = [measure if isinstance(measure, tuple) else ("", measure) for measure in part]
    return "".join(
        f'<measure number="{number}" {attributes}>{attributes_of() if number == 1 else ""}{content}</measure>'
        for number, (attributes, content) in enumerate(pairs, start=1)
    )


def attributes_of(inside="", divisions=DIVISIONS):
    return f"<attributes><divisions>{divisions}</divisions>{inside}</attributes>"


def time(beats, unit):
    return f"<attributes><time><beats>{beats}</beats><beat-type>{unit}</beat-type></time></attributes>"


def note(name, quarters=1, inside="", after="", *, attributes="", start=""):
    """Return a note such as "C4", "F#5" or "Bb3"; `inside` follows its duration, `after` its voice."""
    step, octave = name[0], name[-1]
    alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(name[1], "")
    return (
        f"<note{attributes}>{start}<pitch><step>{step}</step>{alter}<octave>{octave}</octave></pitch>"
        f"<duration>{round(quarters * DIVISIONS)}</duration>{inside}<voice>1</voice>{after}</note>"
    )


def chord(name, quarters=1, **more):
    return note(name, quarters, start="<chord/>", **more)


def rest(quarters=1, attributes=""):
    return f"<note><rest{attributes}/><duration>{round(quarters * DIVISIONS)}</duration></note>"


def tied(name, quarters, *types, voice="1", staff="1"):
    ties = "".join(f'<tie type="{kind}"/>' for kind in types)
    whole = note(name, quarters, inside=ties, after=f"<staff>{staff}</staff>")
    return whole.replace("<voice>1</voice>", f"<voice>{voice}</voice>")


def move(tag, quarters):
    return f"<{tag}><duration>{round(quarters * DIVISIONS)}</duration></{tag}>"


def barline(inside, location="right"):
    return f'<barline location="{location}">{inside}</barline>'


def repeat(direction, **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return barline(f'<repeat direction="{direction}"{more}/>', "left" if direction == "forward" else "right")


def ending(number, kind, inside=""):
    return barline(f'<ending number="{number}" type="{kind}"/>{inside}', "left" if kind == "start" else "right")


def sound(**attributes):
    """Return a `sound` element; the names of attributes have no hyphens but `forward_repeat`."""
    listed = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<sound{listed}/>"

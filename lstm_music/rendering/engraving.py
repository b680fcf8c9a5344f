"""MusicXML → pictures: verovio engraves it as SVG, made ready to stand in a page of HTML or to become a PDF.

The pictures depend on neither the day nor chance: the same MusicXML gives the same bytes.
"""

import re
from pathlib import Path

from lstm_music.errors import RejectedInputError
from lstm_music.rendering.score_size import staff_height

_OPTIONS = {
    "footer": "none",
    "breaks": "auto",
    "svgViewBox": True,
    "svgFormatRaw": True,
    "svgRemoveXlink": True,
    "smuflTextFont": "none",
    "xmlIdSeed": 1,
}
_AS_PAGES = {"pageWidth": 2100, "pageHeight": 2970}  # A4 in tenths of a millimetre
_AS_EXCERPT = {"pageWidth": 2400, "pageHeight": 60_000, "adjustPageHeight": True, "header": "none"}
_LEAST_UNIT = 4.5  # half of a staff's space, in tenths of a millimetre
_LEAST_UNIT_ON_SCREEN = 7.0

_QUARTER_NOTE = "\ueca5"  # metNoteQuarterUp in SMuFL, the standard of music fonts
_TEMPO_NOTE = re.compile(
    rf'<text x="(\d+)" y="(\d+)"([^>]*)>(<tspan[^>]*><tspan[^>]*>)<tspan[^>]*>{_QUARTER_NOTE}</tspan>(</tspan></tspan>)'
)
_HEAD = re.compile(r'(class="pgHead[^>]*>.*?y=")\d+("[^>]*>(?:<tspan[^>]*>)*?<tspan font-size=")\d+px', re.DOTALL)
_TITLE_Y, _TITLE_SIZE = (
    416,
    607,
)  # in the units of the page: where verovio puts a title without a composer, and how large
_FONT = "Leipzig"
_NOTE_SCALE = 0.48  # of the font's units: as high as the digits beside it, and a bit
_NOTE_WIDTH = 302  # of the glyph, in the font's units


def score_svg(musicxml: str, *, bars: tuple[int, int] | None = None, prefix: str = "score") -> list[str]:
    """Draw MusicXML as SVG: A4 pages, or `bars` (from 1 on, both inclusive) as one picture that is as high as they need.

    A pickup bar counts as a bar. Every id begins with `prefix`; give different ones to pictures that stand in one page of HTML.
    They take the width that they are given and the colour of the text around them. Raises RejectedInputError for what is no
    MusicXML, and for bars that are not there.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(_OPTIONS | _size(_staves(musicxml), is_excerpt=bars is not None))
    if not toolkit.loadData(_with_credits(_without_layout(musicxml))):
        raise RejectedInputError("the score cannot be drawn: it is no MusicXML")
    if bars is not None:
        first, last = bars[0], min(bars[1], musicxml.partition("</part>")[0].count("<measure "))
        if not 1 <= first <= last:
            raise RejectedInputError(f"the score has no bars {bars[0]} to {bars[1]}")
        toolkit.select({"measureRange": f"{first}-{last}"})
        toolkit.redoLayout()
    glyphs = Path(toolkit.getResourcePath()) / _FONT
    pages = range(1, toolkit.getPageCount() + 1)
    drawn = [_HEAD.sub(rf"\g<1>{_TITLE_Y}\g<2>{_TITLE_SIZE}px", toolkit.renderToSVG(page), count=1) for page in pages]
    return [_inlined(_with_tempo_note(svg, glyphs), f"{prefix}-{page}") for page, svg in zip(pages, drawn, strict=True)]


def _staves(musicxml: str) -> int:
    """Count the staves of all parts."""
    return musicxml.count("<part id=") + sum(
        int(staves) - 1 for staves in re.findall(r"<staves>(\d+)</staves>", musicxml)
    )


def _size(staves: int, *, is_excerpt: bool) -> dict[str, object]:
    """Choose the size of the staves by how many there are, so that a system fits on a page; a very high one enlarges the page."""
    unit = staff_height(staves) * 10 / 8
    if is_excerpt:
        return _AS_EXCERPT | {"unit": max(unit, _LEAST_UNIT_ON_SCREEN)}
    larger = max(_LEAST_UNIT / unit, 1.0)
    return {name: round(length * larger) for name, length in _AS_PAGES.items()} | {"unit": max(unit, _LEAST_UNIT)}


def _without_layout(musicxml: str) -> str:
    """Take out the layout of the page, which is for notation programs: verovio would place credits by it."""
    return re.sub(r"\s*<defaults>.*?</defaults>", "", musicxml, count=1, flags=re.DOTALL)


def _with_credits(musicxml: str) -> str:
    """Add title and composer as credits: verovio draws a composer as a credit only, and MuseScore makes credits of its own."""
    title = re.search(r"<work-title>([^<]+)</work-title>", musicxml)
    composer = re.search(r'<creator type="composer">([^<]+)</creator>', musicxml)
    first = re.search("<credit |<part-list>", musicxml)  # a part that stands alone has its name as a credit
    if not (title and first and (composer or first[0] != "<part-list>")):
        return musicxml
    credit = '<credit page="1"><credit-type>{}</credit-type><credit-words justify="{}" valign="{}">{}</credit-words></credit>'
    both = credit.format("title", "center", "top", title[1])
    if composer:
        both += credit.format("composer", "right", "bottom", composer[1])
    return f"{musicxml[: first.start()]}{both}{musicxml[first.start() :]}"


def _with_tempo_note(svg: str, glyphs: Path) -> str:
    """Draw the note of a metronome mark as a glyph, as all other notes are: verovio writes it as text in a music font."""
    if not _TEMPO_NOTE.search(svg):
        return svg
    own = _root_id(svg)
    code = f"{ord(_QUARTER_NOTE):X}"
    glyph = (glyphs / f"{code}.xml").read_text(encoding="utf-8").strip().replace(f'id="{code}"', f'id="{code}-{own}"')

    def drawn(found: re.Match[str]) -> str:
        x, y = int(found[1]), int(found[2])
        note = f'<use href="#{code}-{own}" transform="translate({x}, {y}) scale({_NOTE_SCALE}, {_NOTE_SCALE})"/>'
        after = round(x + _NOTE_WIDTH * _NOTE_SCALE)
        return f'{note}<text x="{after}" y="{y}"{found[3]}>{found[4]}{found[5]}'

    return _TEMPO_NOTE.sub(drawn, svg).replace("</defs>", f"{glyph}</defs>", 1)


def _root_id(svg: str) -> str:
    root = re.search(r'<svg [^>]*\bid="([^"]+)"', svg)
    assert root is not None
    return root[1]


def _inlined(svg: str, name: str) -> str:
    """Make verovio's picture one that can stand in a page: ids of its own and no others, no tooltips, the page's colour."""
    root = _root_id(svg)
    own = re.escape(root)
    svg = re.sub(rf' id="(?![^"]*{own}")[^"]*"', "", svg)
    svg = re.sub(rf'(id="|href="#)(\w+)-{own}"', rf'\1{name}-\2"', svg)
    svg = svg.replace(root, name).replace(' color="black"', "")
    svg = re.sub(r'<g class="[^"]*placeholder[^"]*"><ellipse [^>]*/></g>', "", svg)  # hidden, where styles are read
    svg = re.sub(r"<desc>.*?</desc>|<title[ >].*?</title>", "", svg, flags=re.DOTALL)
    return svg.replace("<svg ", '<svg role="img" aria-label="score" fill="currentColor" ', 1)

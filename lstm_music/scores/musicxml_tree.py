"""The text of a MusicXML file → its parts, each a list of measures in XML, and the numbers in it.

A score-timewise is turned into the same parts. The parser of the standard library fetches nothing and stops at entities that
multiply; the limits of the child process hold besides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError, XMLParser

from lstm_music.errors import RejectedInputError

_NUMBER = re.compile(r"\s*([+-]?)(\d{1,9})?(?:\.(\d{0,9})\d*)?\s*")
_FIRST_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_REMEMBERED = 1 << 10  # the same few numbers stand in most notes
MOST_MEASURES_OF_PARTS = 200_000  # forty parts of an opera have 100,000
MOST_ELEMENTS = 1_500_000  # of about 280 bytes each in memory; a file of 16 MiB that is all notes has 1,200,000
_ROOTS = ("score-partwise", "score-timewise")


@dataclass(frozen=True, slots=True)
class PartTree:
    """A part: its entry in the list of parts (an empty element if it has none), and its measures.

    `family` is the number of the brace that joins its staves with those of other parts, as for a keyboard; 0 without one.
    """

    listed: Element
    measures: list[Element]
    family: int


def parts_of(text: str) -> list[PartTree]:
    """Parse a score. Raises RejectedInputError for text that is not well-formed XML, no score, or one with too many measures."""
    root = _parse(text)
    if root.tag not in _ROOTS:
        expected = " or ".join(_ROOTS)
        raise RejectedInputError(f"is not a MusicXML score: expected the element {expected}, got {root.tag[:40]}")
    listed, families = _listed(root)
    parts = list(_partwise(root) if root.tag == "score-partwise" else _timewise(root))
    check_measures(len(parts), max((len(measures) for _, measures in parts), default=0))
    return [
        PartTree(listed.get(name, Element("score-part")), measures, families.get(name, 0)) for name, measures in parts
    ]


def check_measures(parts: int, measures: int) -> None:
    """Raise RejectedInputError for a score with too many measures in all its parts, most of which would be empty."""
    if parts * measures > MOST_MEASURES_OF_PARTS:
        raise RejectedInputError(
            f"has too many measures: expected at most {MOST_MEASURES_OF_PARTS:,} in all parts together, got {parts:,} parts of "
            f"{measures:,}"
        )


@lru_cache(_REMEMBERED)
def number_of(text: str | None) -> Fraction | None:
    """Return a decimal number exactly; None for what is none, or has more than nine digits before the point."""
    found = _NUMBER.fullmatch(text or "")
    if not found or not (found[2] or found[3]):
        return None
    digits = found[3] or ""
    size = Fraction(int((found[2] or "0") + digits), 10 ** len(digits))
    return -size if found[1] == "-" else size


def first_number(text: str | None) -> Fraction | None:
    """Return the first number in a text, such as 60 in "c. 60-66"."""
    found = _FIRST_NUMBER.search(text or "")
    return Fraction(found[0]) if found else None


@lru_cache(_REMEMBERED)
def whole_number(text: str | None, least: int, most: int) -> int | None:
    """Return a whole number within bounds, else None."""
    number = number_of(text)
    return int(number) if number is not None and number.denominator == 1 and least <= number <= most else None


def plain_text(element: Element, path: str) -> str:
    """Return the text of a child on one line, "" if it is missing."""
    return " ".join((element.findtext(path) or "").split())


def _parse(text: str) -> Element:
    elements = text.count("<") - text.count("</")
    if elements > MOST_ELEMENTS:
        raise RejectedInputError(f"has too many elements: expected at most {MOST_ELEMENTS:,}, got about {elements:,}")
    parser = XMLParser()  # noqa: S314 (nothing is fetched, and expat limits entities)
    try:
        parser.feed(text.lstrip("\ufeff \t\n"))
        root: Element = parser.close()
    except (ParseError, ValueError) as error:
        raise RejectedInputError(f"is not well-formed XML ({' '.join(str(error).split())[:120]})") from error
    if "}" in root.tag:  # a default namespace says nothing here
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    return root


def _listed(root: Element) -> tuple[dict[str, Element], dict[str, int]]:
    """Return the entries of the list of parts by id, and the number of the brace around each."""
    listed: dict[str, Element] = {}
    families: dict[str, int] = {}
    open_braces: dict[str, int] = {}
    for place, element in enumerate(root.iterfind("part-list/*"), start=1):
        if element.tag == "part-group":
            number = element.get("number", "1")
            open_braces.pop(number, None)
            if element.get("type") == "start" and plain_text(element, "group-symbol") == "brace":
                open_braces[number] = place
        elif element.tag == "score-part":
            name = element.get("id", "")
            listed.setdefault(name, element)
            if open_braces:
                families[name] = max(open_braces.values())
    return listed, families


def _partwise(root: Element) -> Iterator[tuple[str, list[Element]]]:
    for part in root.iterfind("part"):
        yield part.get("id", ""), part.findall("measure")


def _timewise(root: Element) -> Iterator[tuple[str, list[Element]]]:
    """Yield the parts in the order in which they first appear; a part has an empty measure where it is left out."""
    measures = root.findall("measure")
    found: dict[str, list[Element]] = {}
    for place, measure in enumerate(measures):
        for part in measure.iterfind("part"):
            own = found.setdefault(part.get("id", ""), [])
            check_measures(len(found), len(measures))
            own.extend(Element("measure", other.attrib) for other in measures[len(own) : place])
            copy = Element("measure", measure.attrib)
            copy.extend(part)
            own.append(copy)
    yield from found.items()

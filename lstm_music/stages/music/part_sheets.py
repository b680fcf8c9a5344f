"""The sheet music of single parts as downloads of the listening page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_music.midi.parts import Part
from lstm_music.rendering.instrumentation import file_names
from lstm_music.rendering.listening_page import Download


def part_sheets(folder: Path, name: str, described: Sequence[Mapping[str, Any]]) -> Iterator[Download]:
    """Yield the PDFs of the parts of a result that has any: `described` are its parts, as in its JSON file."""
    parts = [Part(**part) for part in described]
    for part, own in zip(parts, file_names(parts), strict=True):
        path = folder / f"{name}_{own}.pdf"
        if path.exists():
            yield Download(f"Sheet music, {part.name}", path.name, "application/pdf", path.read_bytes())

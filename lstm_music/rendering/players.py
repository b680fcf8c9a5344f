"""Pieces as HTML for a notebook: a picture and a player each, with nothing outside the text."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MIME = {".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


@dataclass(frozen=True)
class Player:
    """One piece: what it is called, its picture (SVG, as this project draws it) and its audio; None where it has none."""

    title: str
    picture: Path | None
    audio: Path | None


def players(pieces: Sequence[Player]) -> str:
    """Give a figure per piece, with its picture and a player that holds the audio."""
    return "\n".join(map(_figure, pieces))


def _figure(piece: Player) -> str:
    parts = [f"<figcaption>{html.escape(piece.title)}</figcaption>"]
    if piece.picture is not None:
        picture = _data(piece.picture.read_bytes(), "image/svg+xml")
        parts.append(f'<img alt="piano roll of {html.escape(piece.title)}" src="{picture}" style="max-width:100%">')
    if piece.audio is not None:
        audio = _data(piece.audio.read_bytes(), MIME[piece.audio.suffix])
        parts.append(f'<audio controls preload="none" src="{audio}"></audio>')
    return f'<figure style="margin:0 0 1em">{"".join(parts)}</figure>'


def _data(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"

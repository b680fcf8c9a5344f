"""The rendered files of a generation, as the page plays them and offers them to be taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_music.rendering.listening_page import Clip, Download
from lstm_music.rendering.render import Rendered, stem_name

MIME = {"ogg": "audio/ogg", "mp3": "audio/mpeg"}
DOWNLOADS = {
    "mid": ("MIDI", "audio/midi"),
    "musicxml": ("MusicXML", "application/vnd.recordare.musicxml+xml"),
    "pdf": ("Sheet music", "application/pdf"),
    "ogg": ("Audio", MIME["ogg"]),
    "mp3": ("Audio, MP3", MIME["mp3"]),
}


@dataclass(frozen=True)
class Presented:
    """The rendered files: their folder, the formats of the audio, and what was heard of each clip by its name."""

    folder: Path
    audio: Sequence[str]
    rendered: Mapping[str, Rendered]

    def clip(self, name: str, label: str) -> Clip | None:
        """Return the audio of a file; None if there is none."""
        path = self._audio(name)
        if path is None:
            return None
        return Clip(label, MIME[self.audio[0]], path.read_bytes(), self.rendered[name].seconds)

    def downloads(self, name: str) -> list[Download]:
        """Return the files of a result."""
        paths = ((self.folder / f"{name}.{form}", form) for form in DOWNLOADS)
        return [
            Download(DOWNLOADS[form][0], path.name, DOWNLOADS[form][1], path.read_bytes())
            for path, form in paths
            if path.exists()
        ]

    def text(self, file_name: str) -> str | None:
        """Read a file; None if there is none."""
        path = self.folder / file_name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def stem(self, name: str, part: int) -> Download | None:
        """Return the audio of a part of a file, counted from 0; None if there is none."""
        path = self._audio(stem_name(name, part))
        return Download("Audio", path.name, MIME[self.audio[0]], path.read_bytes()) if path is not None else None

    def silent_parts(self, name: str) -> Sequence[str]:
        """Return the parts of a file that the soundfont has no sound for."""
        return self.rendered[name].silent if name in self.rendered else ()

    def _audio(self, name: str) -> Path | None:
        path = self.folder / f"{name}.{self.audio[0]}" if self.audio else None
        return path if path is not None and path.exists() else None

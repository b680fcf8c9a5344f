"""MIDI files → audio and sheet music, several at once, each in a child process.

Synthesiser and engraver are native code, which may crash a process, and use one core each.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_music.child import run_child
from lstm_music.errors import ChildError, RejectedInputError
from lstm_music.midi.parts import Part
from lstm_music.midi.reader import read_midi

if TYPE_CHECKING:
    from lstm_music.rendering.audio import Samples

EXCERPT_BARS = 8
"""How much of the sheet music the page shows; the MusicXML and the PDF hold all of it."""


@dataclass(frozen=True)
class Rendering:
    """A MIDI file to render, beside itself and under its own name: the forms of audio (`ogg`, `mp3`), and whether engraved.

    `title` and `composer` stand above the sheet music. Music of several `parts` is mixed, and becomes a score; each part gets
    audio of its own where `stems` are wanted, and a PDF where `part_sheets` are. Without parts it is a piano's.
    """

    midi: str
    audio: tuple[str, ...]
    sheet_music: bool
    title: str = ""
    composer: str = ""
    parts: tuple[Part, ...] = ()
    stems: bool = False
    part_sheets: bool = False


@dataclass(frozen=True)
class Rendered:
    """The length of the audio, 0 where there is none, and the names of the parts that the soundfont has no sound for."""

    seconds: float = 0.0
    silent: tuple[str, ...] = ()


def stem_name(name: str, part: int) -> str:
    """Give the name, without extension, of the audio of a part, counted from 0: `result_001_part_1`."""
    return f"{name}_part_{part + 1}"


def render_all(wanted: Sequence[Rendering], soundfont: Path | None, on_done: Callable[[], None]) -> dict[str, Rendered]:
    """Render files in one process per core; return what was heard of each MIDI file, by its path.

    Beside `NAME.mid` then lie `NAME.ogg` or `NAME.mp3` (not of music that is too long for audio), `NAME_part_1.ogg` and so on
    for stems, `NAME.musicxml`, `NAME.pdf` and `NAME.score.svg`, the first `EXCERPT_BARS` bars, and `NAME_violin_1.pdf` for a part
    of that name. `on_done` is called after each file. Raises SourceError for a file that is no soundfont.
    """
    processes = max(1, min(len(wanted), os.cpu_count() or 1))
    stopped = threading.Event()
    found: dict[str, Rendered] = {}
    with ThreadPoolExecutor(processes) as pool:
        try:
            for rendered in pool.map(partial(_render_share, soundfont, on_done, stopped), shares(wanted, processes)):
                found.update(rendered)
        finally:  # after an interrupt or a failure the others stop after their current file
            stopped.set()
    return found


def shares(wanted: Sequence[Rendering], processes: int) -> list[list[Rendering]]:
    """Share files out, the largest first, so that no process gets all the results, which last longer than prompts."""
    by_size = sorted(wanted, key=lambda one: -Path(one.midi).stat().st_size)
    return [by_size[number::processes] for number in range(processes)]


def _render_share(
    soundfont: Path | None, on_done: Callable[[], None], stopped: threading.Event, wanted: Sequence[Rendering]
) -> dict[str, Rendered]:
    def on_message(_message: dict[str, Any]) -> None:
        if stopped.is_set():
            raise ChildError("rendering was stopped")
        on_done()

    request = {"wanted": [asdict(one) for one in wanted], "soundfont": str(soundfont) if soundfont else None}
    heard: dict[str, dict[str, Any]] = run_child(
        "lstm_music.rendering.render:render", request, on_message=on_message, reads_foreign=True
    )
    return {midi: Rendered(one["seconds"], tuple(one["silent"])) for midi, one in heard.items()}


def render(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, dict[str, Any]]:
    """Render the files of a request, in the child process, and send a message after each."""
    soundfont = Path(request["soundfont"]) if request["soundfont"] else None
    heard = {}
    for one in map(_asked, request["wanted"]):
        play = _play_parts if one.parts else _play
        heard[one.midi] = asdict(play(one, soundfont) if one.audio else Rendered())
        if one.sheet_music:
            _engrave(one)
        send({"done": one.midi})
    return heard


def _asked(asked: dict[str, Any]) -> Rendering:
    """Make what was asked of what JSON made of it."""
    parts = tuple(Part(**part) for part in asked["parts"])
    return Rendering(**{**asked, "audio": tuple(asked["audio"]), "parts": parts})


def _play(one: Rendering, soundfont: Path | None) -> Rendered:
    from lstm_music.rendering.audio import SAMPLE_RATE, synthesise

    midi = Path(one.midi)
    try:
        samples = synthesise(read_midi(midi.read_bytes()), soundfont)
    except RejectedInputError:  # longer than an hour: the other files still get their audio
        return Rendered()
    _write(midi, one.audio, samples)
    return Rendered(len(samples) / SAMPLE_RATE)


def _play_parts(one: Rendering, soundfont: Path | None) -> Rendered:
    from lstm_music.rendering.audio import SAMPLE_RATE
    from lstm_music.rendering.ensemble import part_of_note
    from lstm_music.rendering.mixing import mix_parts

    midi = Path(one.midi)
    piece = read_midi(midi.read_bytes())
    of_note = part_of_note(piece, one.parts)
    try:
        mix = mix_parts(piece, one.parts, of_note, soundfont)
    except RejectedInputError:  # longer than an hour, as above
        return Rendered()
    _write(midi, one.audio, mix.samples)
    for part, stem in enumerate(mix.stems() if one.stems else ()):
        if stem is not None:  # the part rests
            _write(midi.with_name(f"{stem_name(midi.stem, part)}.mid"), one.audio, stem)
    return Rendered(len(mix.samples) / SAMPLE_RATE, tuple(one.parts[part].name for part in mix.silent))


def _write(path: Path, forms: Sequence[str], samples: "Samples") -> None:
    from lstm_music.rendering.audio import write_audio

    for form in forms:
        write_audio(path.with_suffix(f".{form}"), samples)


def _engrave(one: Rendering) -> None:
    from lstm_music.rendering.engraving import score_svg
    from lstm_music.rendering.pdf import score_pdf
    from lstm_music.rendering.sheet_music import musicxml

    midi = Path(one.midi)
    if one.parts:
        from lstm_music.rendering.ensemble import part_of_note
        from lstm_music.rendering.ensemble_files import write_ensemble

        playing = set(part_of_note(read_midi(midi.read_bytes()), one.parts).tolist())
        parts = [part for index, part in enumerate(one.parts) if index in playing]  # of the prompt alone: no staff
        write_ensemble(midi, parts, one.title, one.composer, EXCERPT_BARS, has_single_parts=one.part_sheets)
        return
    written = musicxml(read_midi(midi.read_bytes()), one.title, one.composer)
    midi.with_suffix(".musicxml").write_text(written, encoding="utf-8")
    (excerpt,) = score_svg(written, bars=(1, EXCERPT_BARS))
    midi.with_suffix(".score.svg").write_text(excerpt, encoding="utf-8")
    midi.with_suffix(".pdf").write_bytes(score_pdf(score_svg(written, bars=None)))

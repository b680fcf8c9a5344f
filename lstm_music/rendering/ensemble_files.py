"""The sheet music of an ensemble as files beside its MIDI file: score, first bars, and a PDF for each part."""

from collections.abc import Sequence
from pathlib import Path

from lstm_music.midi.parts import Part
from lstm_music.midi.reader import read_midi
from lstm_music.rendering.engraving import score_svg
from lstm_music.rendering.ensemble_score import ensemble_score
from lstm_music.rendering.ensemble_xml import ensemble_musicxml
from lstm_music.rendering.instrumentation import file_names
from lstm_music.rendering.pdf import score_pdf

_STAVES_OF_ALL_BARS = 6  # more would make the picture of the first bars too high for a page


def write_ensemble(
    midi: Path, parts: Sequence[Part], title: str, composer: str, excerpt_bars: int, *, has_single_parts: bool
) -> None:
    """Write `NAME.musicxml`, `NAME.pdf` and `NAME.score.svg`, the first bars, beside `NAME.mid`.

    A score of many staves shows half of the `excerpt_bars`. With `has_single_parts` each of the parts gets a PDF, such as
    `NAME_violin_1.pdf`. A part that is not in `parts` stands in the score alone.
    """
    score = ensemble_score(read_midi(midi.read_bytes()), parts)
    written = ensemble_musicxml(score, title, composer)
    midi.with_suffix(".musicxml").write_text(written, encoding="utf-8")
    staves = sum(len(part.clefs) for part in score.parts)
    shown = excerpt_bars if staves <= _STAVES_OF_ALL_BARS else max(excerpt_bars // 2, 1)
    (excerpt,) = score_svg(written, bars=(1, shown))
    midi.with_suffix(".score.svg").write_text(excerpt, encoding="utf-8")
    midi.with_suffix(".pdf").write_bytes(score_pdf(score_svg(written)))
    if has_single_parts:
        place = {one.part.name: number for number, one in enumerate(score.parts)}
        for part, own in zip(parts, file_names(parts), strict=True):
            alone = ensemble_musicxml(score, title, composer, only=place[part.name])
            midi.with_name(f"{midi.stem}_{own}.pdf").write_bytes(score_pdf(score_svg(alone)))

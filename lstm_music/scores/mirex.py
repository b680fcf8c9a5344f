"""The JSON of the MIREX task of piano continuation ⇄ notes: 4 bars of 4/4 and a pickup are given, 12 bars are written.

`{"prompt": [{"start": 16, "pitch": 72, "duration": 6}, …]}` is given, `{"generation": […]}` is answered. Times are whole
sixteenths. Steps 0 to 15 are the pickup, a whole bar that may be empty, steps 16 to 79 the four bars of the prompt, and new music
begins at step 80 and ends at step 272. There is no tempo and no loudness. Source: music-ir.org, MIREX wiki, "2025:Symbolic Music
Generation", section Data Format.
"""

import json
from typing import Any

import numpy as np

from lstm_music.errors import MismatchError, RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, Bar, PieceNotes, TimeSignature, sorted_notes

PROMPT, GENERATION = "prompt", "generation"
NOTE = {"start": 0, "pitch": 0, "duration": 1}
"""The keys of a note, and the least value of each."""

STEPS_PER_QUARTER = 4
STEPS_PER_BAR = 16
PROMPT_BARS = 5  # with the pickup, which is bar 0
NEW_BARS = 12
BEGINS = PROMPT_BARS * STEPS_PER_BAR
"""The step at which new music begins."""

ENDS = BEGINS + NEW_BARS * STEPS_PER_BAR
"""The step at which it ends."""

VELOCITY = 80
_HIGHEST = 127


def read_mirex(data: bytes) -> PieceNotes:
    """Read a prompt: a tick is a sixteenth, and the music begins with its pickup, which is bar 0, or else with bar 1.

    Raises RejectedInputError, with the reason, for anything that is not such a prompt.
    """
    notes = np.zeros(len(found := _notes_in(data)), NOTE_DTYPE)
    for index, note in enumerate(found):
        start, pitch, duration = _numbers(note, index)
        notes[index]["onset_ticks"], notes[index]["pitch"], notes[index]["duration_ticks"] = start, pitch, duration
    notes["velocity"] = VELOCITY
    begins = min(int(notes["onset_ticks"].min()), STEPS_PER_BAR)
    notes["onset_ticks"] -= begins
    whole = [Bar(number * STEPS_PER_BAR - begins, number, 0, STEPS_PER_BAR) for number in range(1, PROMPT_BARS)]
    pickup = [Bar(0, 0, begins, STEPS_PER_BAR)] if begins < STEPS_PER_BAR else []
    bars = (*pickup, *whole)
    return PieceNotes(
        STEPS_PER_QUARTER, sorted_notes(notes), time_signatures=(TimeSignature(0, 4, 4),), track_names=("",), bars=bars
    )


def write_mirex(piece: PieceNotes) -> bytes:
    """Write new music, whose bar 5 begins at tick 0, in the order of time and pitch.

    Raises MismatchError for a note that is not on sixteenths, or not within the 12 bars.
    """
    times = np.stack([piece.notes["onset_ticks"], piece.notes["duration_ticks"]], 1) * STEPS_PER_QUARTER
    (steps, beside), last = np.divmod(times, piece.ticks_per_quarter), ENDS - BEGINS
    if beside.any() or (steps[:, 1] < 1).any() or (steps < 0).any() or (steps.sum(1) > last).any():
        raise MismatchError(f"expected notes on sixteenths within {NEW_BARS} bars of 4/4, got others")
    rows = sorted(
        zip((steps[:, 0] + BEGINS).tolist(), piece.notes["pitch"].tolist(), steps[:, 1].tolist(), strict=True)
    )
    lines = ",\n".join(f"  {json.dumps(dict(zip(NOTE, row, strict=True)))}" for row in rows)
    return f'{{"{GENERATION}": [\n{lines}\n]}}\n'.encode()


def _notes_in(data: bytes) -> list[Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = f" (line {error.lineno}: {error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise RejectedInputError(f"is no JSON{reason}; expected {_example()}") from error
    if not isinstance(content, dict) or PROMPT not in content:
        known = f", got the keys {', '.join(map(repr, content)) or 'of none'}" if isinstance(content, dict) else ""
        raise RejectedInputError(f"expected {_example()}{known}")
    notes = content[PROMPT]
    if not isinstance(notes, list) or not notes:
        raise RejectedInputError(f"{PROMPT}: expected a list of one or more notes, got {_shown(notes)}")
    return notes


def _numbers(note: Any, index: int) -> tuple[int, int, int]:
    """Give start, pitch and duration of a note; it is named by its place in the list, from 0 as in JSON."""
    where = f"{PROMPT}[{index}]"
    if not isinstance(note, dict) or note.keys() != NOTE.keys():
        raise RejectedInputError(
            f"{where}: expected a note with {', '.join(NOTE)} and nothing else, got {_shown(note)}"
        )
    most = {"start": BEGINS - 1, "pitch": _HIGHEST, "duration": ENDS}
    for name, least in NOTE.items():
        value = note[name]
        if type(value) is not int or not least <= value <= most[name]:
            behind = " (the four bars end there)" if name == "start" and type(value) is int and value > least else ""
            raise RejectedInputError(
                f"{where}.{name}: expected a whole number from {least} to {most[name]}{behind}, got {_shown(value)}"
            )
    start, pitch, duration = (note[name] for name in NOTE)
    if start + duration > ENDS:
        raise RejectedInputError(f"{where}: sounds until step {start + duration}, and the piece ends at {ENDS}")
    return start, pitch, duration


def _example() -> str:
    return '{"prompt": [{"start": 16, "pitch": 72, "duration": 6}, …]}, in sixteenths'


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"

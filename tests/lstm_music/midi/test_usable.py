"""Pieces with and without pitched notes."""

import midi_bytes as mb
import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi.reader import read_midi
from lstm_music.midi.usable import require_music


def test_a_piece_with_one_pitched_note_is_usable():
    require_music(read_midi(mb.smf(mb.track(b"\x00\x99\x24\x40\x00\x98\x24\x40"))))


def test_drums_are_music_where_models_know_them():
    require_music(read_midi(mb.smf(mb.track(b"\x00\x99\x24\x40"))), has_drums=True)
    with pytest.raises(RejectedInputError, match="holds no notes"):
        require_music(read_midi(mb.smf(mb.track(b""))), has_drums=True)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (b"", "^holds no notes$"),
        (b"\x00\x99\x24\x40", r"^holds only drums \(1 note on channel 10\), and these models know no drums$"),
        (
            b"\x00\x99\x24\x40" * 1200,
            r"^holds only drums \(1,200 notes on channel 10\), and these models know no drums$",
        ),
    ],
)
def test_a_piece_without_pitched_notes_is_rejected_with_a_reason(events, reason):
    with pytest.raises(RejectedInputError, match=reason):
        require_music(read_midi(mb.smf(mb.track(events))))

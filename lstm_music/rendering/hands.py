"""Which hand plays a note: the hand of its track if a piece has a track per hand, else the one beyond a moving split point.

The rule for music without such tracks: a line between two keys divides the keyboard at each onset; the right hand plays
what lies above it. A line costs

- for each hand whose notes span more than an octave, the semitones beyond (notes that are still held count too),
- a little for each semitone that it lies from the middle of what is played around it, so that both hands play, or from
  its edge where that is within an octave: one hand then plays it all, the right one from middle C on,
- for each note that lies close to it, so that it runs through gaps rather than through chords,
- for each semitone that it moves since the onset before.

The cheapest lines for all onsets are found exactly, by dynamic programming (Viterbi) over the keys.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes, sorted_notes

Hands = npt.NDArray[np.bool_]

HAND_NAMES = ("Piano (right hand)", "Piano (left hand)")
TRACKS_APART = 5.0  # semitones between the mean pitches of two tracks that are hands
LEAST_SHARE = 0.1  # of the notes: generated music has a further track for the few that overlap another of their pitch
SPAN = 12  # semitones that one hand plays at no cost: an octave
NEAR_LINE = 2  # keys; a note closer to the line costs
MIDDLE_C = 60
WINDOW_QUARTERS = 2.0  # before and after an onset: what is played around it
_LINES = np.arange(28, 100)  # the right hand plays this pitch and those above
_COST_SPAN, _COST_MIDDLE, _COST_NEAR, _COST_MOVE = 4.0, 0.25, 0.6, 1.0  # chosen on every 12th piece of the collection


def split_hands(piece: PieceNotes) -> Hands:
    """Return for each note of a piece, bool [notes], whether the right hand plays it; drums are False.

    Two tracks are the hands if they alone hold pitched notes, each at least `LEAST_SHARE` of them, and their mean pitches lie
    `TRACKS_APART`.
    """
    notes = piece.notes
    is_right = np.zeros(len(notes), np.bool_)
    pitched = np.flatnonzero(~notes["is_drum"])
    if len(pitched):
        by_tracks = _by_tracks(notes[pitched])
        is_right[pitched] = split_by_line(notes[pitched], piece.ticks_per_quarter) if by_tracks is None else by_tracks
    return is_right


def in_two_tracks(piece: PieceNotes, title: str = "") -> PieceNotes:
    """Move the notes of a piano piece to a named track and channel per hand; the conductor track gets the title.

    Tracks are 1 (right) and 2 (left), channels 0 and 1. Nothing else of a note changes.
    """
    notes, is_left = piece.notes.copy(), ~split_hands(piece)
    notes["track"], notes["channel"] = 1 + is_left, is_left
    return replace(piece, notes=sorted_notes(notes), track_names=(title, *HAND_NAMES))


def split_by_line(notes: np.ndarray, ticks_per_quarter: int) -> Hands:
    """Return for each of some notes, sorted by onset, whether the right hand plays it: by the line alone, whatever the tracks."""
    onsets, place = np.unique(notes["onset_ticks"], return_inverse=True)
    pitches = notes["pitch"].astype(np.int64)
    bounds = np.searchsorted(notes["onset_ticks"], [*onsets, onsets[-1] + 1], side="left")
    window = round(WINDOW_QUARTERS * ticks_per_quarter)
    first = np.searchsorted(notes["onset_ticks"], onsets - window, side="left")
    last = np.searchsorted(notes["onset_ticks"], onsets + window, side="right")
    ends = notes["onset_ticks"] + notes["duration_ticks"]
    costs = np.empty((len(onsets), len(_LINES)))
    for index, onset in enumerate(onsets.tolist()):
        around = pitches[first[index] : last[index]]
        middle = _middle(around)
        before = slice(first[index], bounds[index])
        sounding = pitches[before][ends[before] > onset]
        struck = pitches[bounds[index] : bounds[index + 1]]
        costs[index] = _line_costs(np.concatenate([sounding, struck]), middle)
    lines = _cheapest_path(costs)
    return np.asarray(pitches >= lines[place], np.bool_)


def _middle(pitches: npt.NDArray[np.int64]) -> float:
    """Give the line in the middle of some pitches, or below or above all of them where they fit into one hand."""
    lowest, highest = int(pitches.min()), int(pitches.max())
    if highest - lowest > SPAN:
        return (lowest + highest + 1) / 2
    return lowest - NEAR_LINE if lowest + highest >= 2 * MIDDLE_C else highest + 1 + NEAR_LINE


def _by_tracks(notes: np.ndarray) -> Hands | None:
    tracks = np.unique(notes["track"])
    if len(tracks) != 2:
        return None
    is_second = notes["track"] == tracks[1]
    if not LEAST_SHARE <= is_second.mean() <= 1 - LEAST_SHARE:
        return None
    apart = float(notes["pitch"][is_second].mean() - notes["pitch"][~is_second].mean())
    if abs(apart) < TRACKS_APART:
        return None
    return np.asarray(is_second if apart > 0 else ~is_second, np.bool_)


def _line_costs(pitches: npt.NDArray[np.int64], middle: float) -> npt.NDArray[np.float64]:
    """Give the cost of each of `_LINES` for the pitches that sound at one onset."""
    is_right = pitches[:, np.newaxis] >= _LINES
    columns = np.broadcast_to(pitches[:, np.newaxis], is_right.shape)
    beyond = np.zeros(len(_LINES))
    for hand in (is_right, ~is_right):
        span = np.where(hand, columns, -1).max(axis=0) - np.where(hand, columns, 128).min(axis=0)
        beyond += np.maximum(span - SPAN, 0)
    near = np.maximum(NEAR_LINE - np.abs(columns + 0.5 - _LINES), 0).sum(axis=0)
    return np.asarray(_COST_SPAN * beyond + _COST_NEAR * near + _COST_MIDDLE * np.abs(_LINES - middle), np.float64)


def _cheapest_path(costs: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Choose a line for each row of [onsets, lines], so that costs and moves are least in sum; of equals the lowest."""
    moves = _COST_MOVE * np.abs(_LINES[:, np.newaxis] - _LINES)  # [to, from]
    came_from = np.zeros(costs.shape, np.int64)
    total = costs[0]
    for index in range(1, len(costs)):
        reached = total + moves
        came_from[index] = reached.argmin(axis=1)
        total = reached.min(axis=1) + costs[index]
    path = np.empty(len(costs), np.int64)
    path[-1] = total.argmin()
    for index in range(len(costs) - 1, 0, -1):
        path[index - 1] = came_from[index, path[index]]
    return _LINES[path]

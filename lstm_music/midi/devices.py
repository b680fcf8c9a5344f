"""Files for two kinds of old devices, which hold the same music twice.

Under Microsoft's guidelines of 1992 an "extended" synthesiser plays channels 1 to 10, drums on 10, and a "basic" one plays the
same music, reduced, on channels 13 to 16, drums on 16. Such a file is marked by a sequencer-specific event, or betrays itself:
it uses channels 10 and 16, a channel of 13 to 15, neither 11 nor 12, and nearly all notes of 13 to 16, some dozens at least,
are notes of 1 to 10 as well.
"""

import numpy as np

MARK = b"\x00\x00\x41"  # Microsoft's number, the whole event
_EXTENDED, _UNUSED, _BASIC = range(10), range(10, 12), range(12, 16)
_LEAST_SHARE_OF_DOUBLES = 0.95
_FEWEST_NOTES = 24


def doubles(channel: np.ndarray, pitch: np.ndarray, onset: np.ndarray, *, is_marked: bool) -> np.ndarray | None:
    """Return which notes are those for the basic device, bool [notes], or None if the file is for one device."""
    used = np.bincount(channel, minlength=16) > 0
    if not used[list(_BASIC)].any() or not used[list(_EXTENDED)].any() or used[list(_UNUSED)].any():
        return None
    is_basic: np.ndarray = channel >= _BASIC.start
    if not is_marked and not _betrays_itself(is_basic, onset << 7 | pitch, used):
        return None
    return is_basic


def _betrays_itself(is_basic: np.ndarray, sound: np.ndarray, used: np.ndarray) -> bool:
    has_drums = used[_EXTENDED[-1]] and used[_BASIC[-1]]
    if not has_drums or not used[list(_BASIC[:-1])].any() or np.count_nonzero(is_basic) < _FEWEST_NOTES:
        return False
    return bool(np.isin(sound[is_basic], sound[~is_basic]).mean() >= _LEAST_SHARE_OF_DOUBLES)

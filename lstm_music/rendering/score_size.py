"""How large a score is printed: the height of its staves, by how many stand in a system."""

USUAL_MILLIMETRES = 7.2
_LARGEST_OF_SCORE = 6.4
_PAGE = 257.0  # millimetres of A4 that systems may fill
_ROOM = 2.4  # heights of a staff that it takes, with the space to the next one
_SMALLEST = {4: 6.0, 3: 5.0, 2: 4.2}  # millimetres, for so many systems on a page
_ALONE = 0.75  # of the page, for a system that has it alone: MuseScore needs more room than verovio


def staff_height(staves: int) -> float:
    """Return the millimetres from the lowest to the highest line of each of the staves that stand in a system.

    As many systems stand on a page of A4 as leave the staves readable; one always fits.
    """
    if staves <= 2:
        return USUAL_MILLIMETRES
    for systems, smallest in _SMALLEST.items():
        height = _PAGE / (_ROOM * staves * systems)
        if height >= smallest:
            return min(height, _LARGEST_OF_SCORE)
    return min(_ALONE * _PAGE / (_ROOM * staves), _LARGEST_OF_SCORE)

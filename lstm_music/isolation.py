"""Taking the network away from a process, where the system allows it."""

import ctypes
import sys

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


def leave_network() -> bool:
    """Move this process, which must have one thread, into a network of its own without devices. Returns whether that worked.

    Linux allows it to root, and to others through a user namespace of their own unless the administrator forbids those. Other
    systems have nothing like it.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWNET | _CLONE_NEWUSER))

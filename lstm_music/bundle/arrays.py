"""Whether a member is what its name says: headers of arrays that declare what the file holds, and no more."""

import io
import json
import math

import numpy as np

from lstm_music.errors import BundleError

MOST_HEADER_BYTES = 1 << 20
MOST_TENSORS = 1 << 12
MOST_AXES = 8
SIZES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
}
"""Bytes of a value of each type of safetensors."""


def require_sound(where: str, name: str, data: bytes) -> None:
    """Raise BundleError for an array, or for JSON, that is not what its header or its name declares."""
    try:
        if name.endswith(".safetensors"):
            is_sound = _is_safetensors(data)
        elif name.endswith(".npy"):
            is_sound = _is_npy(data)
        elif name.endswith(".json"):
            is_sound = isinstance(json.loads(data), dict | list)
        else:
            is_sound = True
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EOFError, OverflowError):
        is_sound = False
    if not is_sound:
        raise BundleError(f"{where}: is not what its name says; get the bundle again from where it came")


def _is_npy(data: bytes) -> bool:
    """Whether an array without objects has as many bytes as its header declares."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        return False
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    is_plain = dtype.kind in "iufb" and len(shape) <= MOST_AXES
    return is_plain and file.tell() + math.prod(shape) * dtype.itemsize == len(data)


def _is_safetensors(data: bytes) -> bool:
    """Whether tensors lie one after another, each of the size that its shape makes."""
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(MOST_HEADER_BYTES, len(data) - 8):
        return False
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    if len(header) > MOST_TENSORS:
        return False
    end = 0
    for tensor in sorted(header.values(), key=lambda tensor: tuple(tensor["data_offsets"])):
        start, stop = tensor["data_offsets"]
        shape = tensor["shape"]
        is_shape = len(shape) <= MOST_AXES and all(type(axis) is int and axis >= 0 for axis in shape)
        if not is_shape or start != end or stop - start != math.prod(shape) * SIZES[tensor["dtype"]]:
            return False
        end = stop
    return 8 + length + end == len(data)

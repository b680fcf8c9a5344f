"""Writing `.npy` files so that a full disk is an error.

`np.save` reports nothing if its last write fails: the file lacks its end (findings/numpy_save_hides_a_failed_write.sh). Python's
own files report every failed write.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

CHUNK_BYTES = 1 << 24


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as `np.save` does. Raises OSError if the file cannot be written as a whole."""
    array = np.ascontiguousarray(array)
    flat = array.reshape(-1)
    step = max(1, CHUNK_BYTES // max(1, array.itemsize))
    save_parts(path, array.shape, array.dtype, (flat[start : start + step] for start in range(0, len(flat), step)))


def save_parts(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Iterable[np.ndarray]) -> None:
    """Write the parts of one array of `shape`, one after another, with one of them in memory at a time."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with path.open("xb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).data)

"""`.npy` files: the same bytes as NumPy's, and no end that is missing in silence."""

import io
import subprocess
import sys

import numpy as np
import pytest

from lstm_music.npy import CHUNK_BYTES, save_array


@pytest.mark.parametrize(
    "array",
    [
        np.arange(7, dtype=np.uint16),
        np.arange(24.0).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.empty((0, 5), np.int32),
        np.zeros(CHUNK_BYTES + 5, np.uint8),
    ],
)
def test_the_bytes_are_those_of_numpy(tmp_path, array):
    save_array(tmp_path / "array.npy", array)
    expected = io.BytesIO()
    np.save(expected, np.ascontiguousarray(array))
    assert (tmp_path / "array.npy").read_bytes() == expected.getvalue()


LIMITED = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from lstm_music.npy import save_array
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    save_array(Path(sys.argv[2]), np.arange(5_000))
except OSError:
    sys.exit(7)
"""


@pytest.mark.parametrize(("limit", "code"), [(0, 7), (100, 7), (30_000, 7), (40_127, 7), (40_128, 0)])
def test_a_file_that_cannot_be_written_to_its_end_is_an_error(tmp_path, limit, code):
    command = [sys.executable, "-c", LIMITED, str(limit), str(tmp_path / "array.npy")]
    assert subprocess.run(command, check=False).returncode == code

#!/usr/bin/env bash
# NumPy 2.4.6: np.save() reports nothing when the last write to the file fails, so a full disk gives a truncated .npy file.
#
# The limit of the shell on file sizes stands for the full disk: every write beyond it fails (EFBIG, with SIGXFSZ ignored). An array
# of 5,000 int64 has 40,128 bytes as .npy, and the limit is 36 KiB + 1 KiB: the last block of the C library's buffer is not
# written. Expected: OSError. Seen: no exception, a file that lacks its end; np.load() finds out later. With a limit that an earlier
# write meets, np.save() does raise, and np.save() into an own Python file object (not an io.BufferedWriter) raises always.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import os
import resource
import signal
import sys

import numpy as np

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (37 * 1024, resource.RLIM_INFINITY))
array = np.arange(5_000)
try:
    np.save("array.npy", array)
    raised = "nothing"
except OSError as error:
    raised = type(error).__name__
size = os.path.getsize("array.npy")
print(f"numpy {np.__version__}: raised {raised}; {size:,} of {array.nbytes + 128:,} bytes are in the file")
try:
    np.load("array.npy")
    loaded = "nothing"
except ValueError as error:
    loaded = f"{type(error).__name__}: {error}"
print(f"np.load raised {loaded}")
sys.exit(0 if raised == "nothing" and size < array.nbytes and loaded != "nothing" else 1)
PYTHON

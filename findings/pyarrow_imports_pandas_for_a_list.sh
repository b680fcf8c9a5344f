#!/usr/bin/env bash
# pyarrow 26.0.1 imports pandas, where it is installed, to make an array of a list: the first pa.array() takes most of its CPU time for it.
#
# The list holds two strings and the type is given, so nothing asks for pandas. Expected: pandas is not imported, as it is not by
# `import pyarrow`. Seen: it is, which costs more CPU time than `import pyarrow` itself; the second array takes a thousandth of that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import pyarrow as pa

before = "pandas" in sys.modules
seconds = []
for _ in range(2):
    start = time.process_time()
    pa.array(["a", "b"], pa.string())
    seconds.append(time.process_time() - start)
after = "pandas" in sys.modules
print(f"pandas is imported: {before} before the first array, {after} after it")
print(f"CPU seconds of the first array {seconds[0]:.4f}, of the second {seconds[1]:.4f}")
sys.exit(0 if not before and after else 1)
PYTHON

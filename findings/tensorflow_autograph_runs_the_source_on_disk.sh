#!/usr/bin/env bash
# TensorFlow 2.21.0: tf.function runs the source that stands in the file now, not the code that Python imported.
#
# AutoGraph converts a function when it is first traced, and reads its source from the disk again: the lines at which Python found the
# function. If the file has changed since the import (an upgrade while a server runs, a `git pull`), it converts what stands at these lines
# now. Here four lines were added at the top of the module: the call of `double` runs the body of `triple`, without a warning. Expected:
# the imported code, as `tf.function(autograph=False)`, eager TensorFlow and plain Python run it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tensorflow==2.21.0
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import sys
from pathlib import Path

import tensorflow as tf

sys.path.insert(0, ".")
file = Path("numbers_.py")
source = "def triple(x):\n    return 3 * x\n\n\ndef double(x):\n    return 2 * x\n"
file.write_text(source)
import numbers_

file.write_text("# a comment\n" * 4 + source)  # `triple` moves to the lines that `double` had
one = tf.constant(1)
eager = int(numbers_.double(one))
without = int(tf.function(numbers_.double, autograph=False)(one))
traced = int(tf.function(numbers_.double)(one))
print(f"TensorFlow {tf.__version__}: double(1) is {eager}, as tf.function without AutoGraph {without}, as tf.function {traced}")
sys.exit(0 if (eager, without, traced) == (2, 2, 3) else 1)
PYTHON

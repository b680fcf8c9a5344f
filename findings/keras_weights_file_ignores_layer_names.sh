#!/usr/bin/env bash
# keras 3.15.1 writes the layers of a list to a .weights.h5 file by class and place, not by their names.
#
# Two layers are named "high" and "low", and a model that holds them in the other order loads the file. Expected: each layer gets the
# weights that were saved under its name, or an error. Seen: the file has the groups "layers/dense" and "layers/dense_1", no path in it
# holds a name, and the layers get each other's weights without a word. `variable.path` has the names ("high/kernel").
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 h5py==3.14.0 jax==0.10.2
cd "$folder"
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import sys

import h5py
import keras
import numpy as np


class Two(keras.Model):
    def __init__(self, names):
        super().__init__()
        self.parts = [keras.layers.Dense(1, use_bias=False, name=name) for name in names]
        for part in self.parts:
            part.build((None, 1))
        self.built = True

    def call(self, inputs):
        return sum(part(inputs) for part in self.parts)


saved, loaded = Two(["high", "low"]), Two(["low", "high"])
saved.parts[0].kernel.assign(np.array([[100.0]]))
saved.parts[1].kernel.assign(np.array([[1.0]]))
saved.save_weights("two.weights.h5")
loaded.load_weights("two.weights.h5")
paths = []
with h5py.File("two.weights.h5") as file:
    file.visit(paths.append)
found = {part.name: float(np.asarray(part.kernel)[0, 0]) for part in loaded.parts}
print("variables:", [variable.path for variable in saved.weights])
print("in the file:", [path for path in paths if path.endswith("vars/0")])
print("loaded into the other order:", found)
swapped = found == {"low": 100.0, "high": 1.0} and not any("high" in path or "low" in path for path in paths)
sys.exit(0 if swapped else 1)
PYTHON

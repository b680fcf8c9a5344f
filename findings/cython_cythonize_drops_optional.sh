#!/usr/bin/env bash
# Cython 3.3.1: cythonize() drops optional=True of an Extension, so a failed build of an optional module fails the installation.
#
# setuptools only warns if an extension with optional=True cannot be compiled, and goes on. Expected: the same after
# cythonize([Extension(..., optional=True)]), which keeps include_dirs, libraries, define_macros and the rest. Seen: the extension that
# comes back has optional None, and where there is no C compiler `pip install` ends with an error. Set on the result, it works.
# /bin/false stands for the missing compiler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cython==3.3.1 setuptools==80.9.0
cd "$folder"
echo "answer = 42" > module.py
cat > setup.py <<'PYTHON'
import os

from Cython.Build import cythonize
from setuptools import Extension, setup

(extension,) = cythonize([Extension("module", ["module.py"], optional=True, define_macros=[("KEPT", "1")])], quiet=True, force=True)
print(f"define_macros {extension.define_macros}, optional {extension.optional}")
if "SET_AGAIN" in os.environ:
    extension.optional = True
setup(name="module", ext_modules=[extension])
PYTHON
export CC=/bin/false
build() { "$folder/venv/bin/python" setup.py --quiet "$@" 2> errors && echo "build: ends well" || echo "build: $(tail -1 errors | cut -c1-60)"; }
first=$(build build_ext)
second=$(SET_AGAIN=1 build build_ext)
printf 'as it comes back from cythonize: %s\noptional set again: %s\n' "$first" "$second"
[[ $first == *"optional None"*"build: error"* && $second == *"build: ends well"* ]]

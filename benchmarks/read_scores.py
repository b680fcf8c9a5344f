"""Reads a folder of scores and compares with independent readers: ABC with abc2midi, kern with verovio.

    python benchmarks/read_scores.py FOLDER

It runs `read_abc.py` where the folder holds .abc files, and `read_kern.py` where it holds .krn files; each says in its docstring
what is compared, and has options of its own.
"""

import argparse
import subprocess
import sys
from pathlib import Path

BENCHMARKS = {".abc": "read_abc.py", ".krn": "read_kern.py"}


def main() -> None:
    """Run what fits the files of the folder; exit with 1 if there are none, or one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    found = {path.suffix.lower() for path in folder.rglob("*")} & BENCHMARKS.keys()
    if not found:
        parser.error(f"{folder}: expected a folder with {' or '.join(BENCHMARKS)} files, found none")
    here = Path(__file__).parent
    codes = [
        subprocess.run([sys.executable, here / BENCHMARKS[extension], folder], check=False).returncode
        for extension in sorted(found)
    ]
    sys.exit(any(codes))


if __name__ == "__main__":
    main()

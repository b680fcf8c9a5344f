"""Measures how long a command takes, and how much memory it and its child processes use at once.

    python benchmarks/measure.py [--json] COMMAND [ARGUMENT ...]

Memory is the proportional set size of the whole process tree (shared pages count once), sampled four times per second from
/proc, so this needs Linux. CPU time is that of the tree, as the system reports it when the processes end.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

SAMPLES_PER_SECOND = 4


def main() -> None:
    """Run the command and print the measurements; exit with the command's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    started = time.monotonic()
    process = subprocess.Popen(arguments.command, stdout=sys.stderr)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_proportional_set_size, _tree(process.pid))))
        time.sleep(1 / SAMPLES_PER_SECOND)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "wall_seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_memory_mib": round(peak / 2**20),
        "exit_code": process.returncode,
    }
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in figures.items()))
    sys.exit(process.returncode)


def _tree(root: int) -> set[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended in the meantime
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, waiting = set(), [root]
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += children.get(process, [])
    return found


def _proportional_set_size(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


if __name__ == "__main__":
    if not Path("/proc/self/smaps_rollup").exists():
        sys.exit("measure.py needs /proc/PID/smaps_rollup, which this system does not have")
    main()

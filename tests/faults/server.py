"""A process that imports the project once and forks a child per trial, in which one system call fails: see `inject.c`.

It runs under LD_PRELOAD, reads a line of JSON per trial from standard input, and answers with a line.
"""

import ctypes
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KINDS = ("write", "fsync", "rename", "link", "open to write", "open to read", "mkdir", "unlink", "mmap")
FAULTS = ("nothing", "fail once", "fail on", "kill before", "kill after")


def trial(asked: dict[str, Any], library: ctypes.CDLL) -> None:
    """Run the command in this process, with its output in a file, and write how often each kind of call came."""
    output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["lstm-music", *asked["words"]]
    kind, fault = KINDS.index(asked["kind"]), FAULTS.index(asked["fault"])
    library.arm(os.fsencode(asked["storage"]), kind, ctypes.c_long(asked["at"]), fault, asked["errno"])
    code: Any = 0
    try:
        from flows.cli.app import main

        main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    library.disarm()
    sys.stdout.flush()
    sys.stderr.flush()
    counts = {name: library.count(number) for number, name in enumerate(KINDS)}
    Path(asked["counts"]).write_text(json.dumps(counts), encoding="utf-8")
    os._exit(code if isinstance(code, int) else 1)


def main(imports: Sequence[str]) -> None:
    """Serve until standard input ends."""
    library = ctypes.CDLL(os.environ["LD_PRELOAD"])
    library.count.restype = ctypes.c_long
    for name in imports:
        __import__(name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            trial(asked, library)
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What other processes do to a store while test_store_*.py kills them or races them."""

import itertools
import os
import signal
import sys

from lstm_music.store import Stage, Store

STAGE = Stage("notes", 1, {"pieces": 3}, libraries=("numpy",))


def write_artifact(store, stage, data):
    with store.write(stage) as writer:
        for number in range(3):
            writer.file(f"notes-{number}", "bin").write_bytes(data * (number + 1))
        writer.counts["notes"] = 6


def all_sorts(root):
    """Do once everything that changes a store."""
    store = Store(root)
    with store.session():
        store.put_blob(b"a blob")
        write_artifact(store, STAGE, b"music")
        store.set_current("demo", {"model": STAGE.ref.to_json()})
        store.set_current("demo", {"model": None})
        files = store.open(STAGE.ref).file_keys()
        store.link("latest", lambda: {"one": files[:1], "all": files})


CHANGES = {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}


def die_at_step(root, step):
    """Do `all_sorts`, but die by SIGKILL just before its `step`-th change of storage; end normally if there is none."""
    steps = itertools.count(1)

    def is_change(event, arguments):
        return event in CHANGES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))

    def hook(event, arguments):
        if is_change(event, arguments) and str(arguments[0]).startswith(root) and next(steps) == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    all_sorts(root)


def write_for_ever(root):
    """Write artifacts, blobs and current.json until killed."""
    store = Store(root)
    with store.session():
        for number in itertools.count():
            sys.stdout.write("." if number == 0 else "")
            sys.stdout.flush()
            store.put_blob(b"%d" % (number % 50) * 1000)
            write_artifact(store, Stage("notes", 1, {"number": number % 50}), b"%d" % number * 10_000)
            store.set_current(f"recipe-{number % 3}", {"number": number})


def race(root, own):
    """Write twenty artifacts as soon as told to, beside another process; "own" makes bytes that nobody else makes."""
    store = Store(root)
    sys.stdin.readline()
    for number in range(20):
        data = b"%d by %d" % (number, os.getpid()) if own == "own" else b"%d" % number
        write_artifact(store, Stage("notes", 1, {"number": number}, plain_names=own == "plain"), data)
        store.set_current(f"{own}-{os.getpid()}", {"number": number})
        store.put_blob(b"%d" % number)


COMMANDS = {"die_at_step": die_at_step, "write_for_ever": write_for_ever, "race": race}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])

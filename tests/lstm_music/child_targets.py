"""What the children of test_child.py do."""

import ctypes
import multiprocessing
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from lstm_music.child import follow_parent, run_child
from lstm_music.errors import MissingArtifactError, RejectedInputError
from lstm_music.isolation import leave_network


class OwnRejectedError(RejectedInputError):
    """An error of the tree that errors.py does not name."""


def echo(request, send):
    return request


def count(request, send):
    for number in range(request):
        send({"number": number})
    return request


def from_threads(request, send):
    threads = [threading.Thread(target=count, args=(request, send)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def environment(request, send):
    return {name: os.environ.get(name) for name in request} | {"temporary": tempfile.gettempdir()}


def connect(request, send):
    try:
        socket.create_connection(("127.0.0.1", request), timeout=10).close()
    except OSError:
        return "refused"
    return "connected"


def may_leave_network(request, send):
    return leave_network()


def read_stdin(request, send):
    return sys.stdin.read()


def leave_a_file(request, send):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"left")
    return file.name


def reject(request, send):
    raise OwnRejectedError(request)


def missing(request, send):
    raise MissingArtifactError(request)


def fault(request, send):
    sys.stdout.write("before the fault\n")
    raise ValueError("no such\n  chord")


def not_json(request, send):
    return {1, 2}


def exit_quietly(request, send):
    sys.exit(request)


def crash_natively(request, send):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.write(1, b"about to read address 0\n")
    ctypes.string_at(0)


def die_at_once(request, send):
    os.kill(os.getpid(), signal.SIGKILL)


def take(request, send):
    return len(bytearray(request))


def print_much(request, send):
    for number in range(request):
        sys.stdout.write(f"line {number}\n")
    os._exit(3)


def sleep(request, send):
    send({"pid": os.getpid()})
    time.sleep(600)


def chatter(request, send):
    while True:
        send({})


def hold_the_interpreter(request, send):
    send({"pid": os.getpid()})
    re.match(r"(a+)+$", "a" * 60 + "b")


def start_a_grandchild(request, send):
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    send({"pid": grandchild.pid})
    if request == "and wait":
        time.sleep(600)


def fork_and_die(request, send):
    if os.fork() == 0:
        send({"pid": os.getpid()})
        time.sleep(600)
    time.sleep(0.5)
    os._exit(3)


def answer_and_linger(request, send):
    threading.Thread(target=time.sleep, args=(600,)).start()
    return "answered"


def worker(_):
    time.sleep(0.2)  # so that the other worker takes the other item
    return os.getpid()


def parent_of(target):
    """Run a child and print each of its messages: the process that test_child.py kills."""
    run_child(f"child_targets:{target}", None, on_message=lambda message: os.write(1, b"%d\n" % message["pid"]))


def parent_of_pool(method):
    """Start two workers that follow their parent, print their numbers, and wait to be killed."""
    with multiprocessing.get_context(method).Pool(2, initializer=follow_parent) as pool:
        os.write(1, b"%d %d\n" % tuple(pool.map(worker, range(2), chunksize=1)))
        pool.map(time.sleep, [600, 600])


if __name__ == "__main__":
    {"child": parent_of, "pool": parent_of_pool}[sys.argv[1]](sys.argv[2])


def print_lines(request, _send):
    for line in request:
        sys.stdout.write(f"{line}\n")

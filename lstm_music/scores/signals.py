"""The signals that end the child that reads scores: for too much CPU time, and for too much time."""

import signal

CPU_SIGNAL, CLOCK_SIGNAL = signal.SIGPROF, signal.SIGALRM

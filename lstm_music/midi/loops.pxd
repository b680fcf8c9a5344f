# The types of loops.py for Cython, which reads this file by its name.
# 64 bits hold every value: a time has at most 35 bits, and a file of 16 MiB has at most 2^22 times of that length.
cimport cython

# setup.py defines it: the digest of loops.py and this file, see fresh_loops.py.
cdef extern from *:
    """
    #ifndef LOOPS_DIGEST
    #define LOOPS_DIGEST 0
    #endif
    """
    const long long LOOPS_DIGEST


@cython.locals(
    position=Py_ssize_t, begin=Py_ssize_t, first=Py_ssize_t, last=Py_ssize_t, after=Py_ssize_t, behind_end=Py_ssize_t, fault_at=Py_ssize_t,
    stray_at=Py_ssize_t, stray=Py_ssize_t, known=Py_ssize_t, tick=cython.longlong, delta=cython.longlong,
    length=cython.longlong, byte=cython.int, event=cython.int, kind=cython.int, data_bytes=cython.int, fault=cython.int,
)
cpdef locate(
    const unsigned char[::1] data, Py_ssize_t start, Py_ssize_t stop, bytes kept, long long[::1] ticks, int[::1] places,
    Py_ssize_t count, long long[::1] system_ticks, int[::1] system_places, Py_ssize_t system_count
)


@cython.locals(
    row=Py_ssize_t, note=Py_ssize_t, begin=Py_ssize_t, kind=cython.int, sound=cython.int, head=cython.int,
    orphans=Py_ssize_t, sounding=Py_ssize_t,
)
cpdef match(
    const unsigned char[::1] status, const unsigned char[::1] first, const unsigned char[::1] second, Py_ssize_t start,
    Py_ssize_t stop, int[::1] ons, int[::1] offs, int[::1] following,
    int[::1] heads, int[::1] tails, Py_ssize_t count
)


@cython.locals(
    mask=Py_ssize_t, found=Py_ssize_t, slot=Py_ssize_t, event=Py_ssize_t, name=Py_ssize_t, before=cython.longlong, here=cython.longlong,
    golden=cython.ulonglong, word=cython.ulonglong,
)
cpdef name_runs(
    const long long[::1] first, const long long[::1] second, Py_ssize_t lag, long long[::1] names, long long[::1] previous,
    long long[::1] latest, int[::1] table, int shift
)


@cython.locals(
    event=Py_ssize_t, filled=Py_ssize_t, full=Py_ssize_t, level=Py_ssize_t, row=Py_ssize_t, above=Py_ssize_t, earlier=Py_ssize_t,
    longer=cython.longlong,
)
cpdef best_runs(
    const long long[::1] names, const long long[::1] previous, Py_ssize_t levels, Py_ssize_t events, Py_ssize_t count,
    long long[::1] following, long long[::1] reached
)


@cython.locals(shared=Py_ssize_t, one=cython.ulonglong, other=cython.ulonglong)
cpdef count_shared(
    const unsigned long long[::1] numbers, Py_ssize_t first, Py_ssize_t first_stop, Py_ssize_t second, Py_ssize_t second_stop
)

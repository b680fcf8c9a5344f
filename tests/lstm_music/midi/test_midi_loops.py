"""The loops over events: interpreted and compiled they give the same, whatever the bytes and the events are."""

import random
import shutil
import subprocess
import sys
from array import array
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import midi_bytes as mb
import numpy as np
import pytest

import lstm_music.midi
from lstm_music.midi.fresh_loops import SOURCE, interpret_if_stale, source_digest
from lstm_music.midi.fresh_loops import loops as in_use

FOLDER = Path(lstm_music.midi.__file__).parent
SETUP = """
from setuptools import Extension, setup
from Cython.Build import cythonize
setup(ext_modules=cythonize([Extension("loops", ["loops.py"], define_macros=[("LOOPS_DIGEST", "{digest}LL")])]))
"""
KEPT = bytes(kind in {0x03, 0x51, 0x58, 0x59, 0x7F, 0xF0} for kind in range(256))


def load(loader):
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def interpreted():
    return load(SourceFileLoader("loops_interpreted", str(FOLDER / "loops.py")))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The loops of this checkout, compiled: those beside the source, if they are of this source, else compiled now."""
    if getattr(in_use, "DIGEST", 0) == source_digest() and in_use.__file__ != str(SOURCE):
        return in_use
    pytest.importorskip("Cython", reason="Cython is not installed")
    folder = tmp_path_factory.mktemp("compiled")
    for name in ("loops.py", "loops.pxd"):
        shutil.copy(FOLDER / name, folder)
    (folder / "setup.py").write_text(SETUP.format(digest=source_digest()))
    command = [sys.executable, "setup.py", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    (path, *_) = [path for suffix in EXTENSION_SUFFIXES for path in folder.glob(f"loops*{suffix}")] or [None]
    if path is None:
        pytest.skip(f"there is no C compiler here: {done.stderr[-300:]}")
    return load(ExtensionFileLoader("loops", str(path)))


def located(loops, data, start, stop):
    ticks, places = array("q", [0]) * (len(data) + 2), array("i", [0]) * (len(data) + 2)
    system_ticks, system_places = array("q", [0]) * (len(data) + 2), array("i", [0]) * (len(data) + 2)
    found = loops.locate(data, start, stop, KEPT, ticks, places, 1, system_ticks, system_places, 1)
    count, system_count, *_ = found
    columns = (ticks[:count], places[:count], system_ticks[:system_count], system_places[:system_count])
    return (*found, *(column.tolist() for column in columns))


def matched(loops, status, first, second, start):
    size = len(status)
    ons, offs, following = (array("i", [0]) * (size + 1) for _ in range(3))
    heads, tails = (array("i", [-1]) * loops.SOUNDS for _ in range(2))
    count, orphans = loops.match(status, first, second, start, size, ons, offs, following, heads, tails, 1)
    assert set(heads) == {-1}
    return count, orphans, ons[:count].tolist(), offs[:count].tolist()


def repeated(loops, keys, pieces, count):
    """The names of runs of 1, 2 and 3 events, where they ended before, and the best `count` of each event."""
    events = len(keys)
    bits = events.bit_length() + 1
    names, previous = (np.empty((3, events), np.int64) for _ in range(2))
    own = np.empty(events, np.int64).data, np.empty(1 << bits, np.int32).data
    parts = ((pieces, keys, 0), (names[0], names[0], 1), (names[0], names[1], 2))
    found = [
        loops.name_runs(first.data, second.data, lag, names[level].data, previous[level].data, *own, 64 - bits)
        for level, (first, second, lag) in enumerate(parts)
    ]
    following, reached = (np.zeros(events * count, np.int64) for _ in range(2))
    loops.best_runs(names.ravel().data, previous.ravel().data, 3, events, count, following.data, reached.data)
    return found, *(column.tolist() for column in (names, previous, following, reached))


def tracks(chance):
    """Contents of tracks: random bytes, events with faults, and bytes of which many are statuses."""
    events = (
        b"\x90\x3c\x40",
        b"\x3c\x00",
        b"\x80\x3c\x40",
        b"\xc1\x05",
        b"\xff\x51\x03\x07\xa1\x20",
        b"\xf0\x02\x01\xf7",
    )
    faults = (b"\xf8", b"\xf2\x01\x02", b"\xff\x01\x81\x80\x00", b"\xff\x01\xff\xff\xff\xff\x7f", b"\xff", b"\xf0\x85")
    times = (b"\x00", b"\x60", b"\x83\x60", b"\x81\x80\x00", b"\x80\x80\x80\x80\x01", b"\xff\xff\xff\xff\x7f")
    for _ in range(3000):
        yield chance.randbytes(chance.randrange(40))
        yield bytes(chance.choices((0, 60, 0x80, 0x90, 0xC0, 0xF0, 0xFF, 0x2F, 3), k=chance.randrange(30)))
        some = b"".join(
            chance.choice(times) + chance.choice(faults if chance.random() < 0.05 else events) for _ in range(20)
        )
        yield some[: chance.randrange(len(some))] + (mb.END if chance.random() < 0.5 else b"")


def test_compiled_and_interpreted_loops_locate_the_same_events(interpreted, compiled):
    assert compiled.__file__.endswith(tuple(EXTENSION_SUFFIXES))
    chance = random.Random(7)
    faults = set()
    for content in tracks(chance):
        around = chance.randrange(4)
        data = b"\x90" * around + content + b"MTrk"[: chance.randrange(5)]
        expected = located(interpreted, data, around, around + len(content))
        assert located(compiled, data, around, around + len(content)) == expected, data.hex()
        faults.add(expected[4])
    assert faults == {
        interpreted.WHOLE,
        interpreted.CUT,
        interpreted.NO_STATUS,
        interpreted.LONG_QUANTITY,
        interpreted.LONG_EVENT,
    }


def test_compiled_and_interpreted_loops_match_the_same_notes(interpreted, compiled):
    chance = random.Random(8)
    for _ in range(2000):
        size = chance.randrange(60)
        status = bytes(chance.choices((0x80, 0x81, 0x90, 0x91, 0xB0, 0xE0), k=size))
        first, second = bytes(chance.choices((60, 61), k=size)), bytes(chance.choices((0, 64), k=size))
        start = chance.randrange(size + 1)
        assert matched(compiled, status, first, second, start) == matched(interpreted, status, first, second, start)


def test_compiled_and_interpreted_loops_find_the_same_runs(interpreted, compiled):
    rng = np.random.default_rng(9)
    some = 0
    for _ in range(300):
        keys = rng.integers(0, 6, rng.integers(0, 60)) * rng.choice([1, 1 << 40, (1 << 60) + 1])
        pieces = np.sort(rng.integers(0, 3, len(keys)))
        found = repeated(interpreted, keys, pieces, 2)
        assert repeated(compiled, keys, pieces, 2) == found
        some += found[0][2] > 0
    assert some > 100


def test_compiled_and_interpreted_loops_count_the_same_shared_numbers(interpreted, compiled):
    rng = np.random.default_rng(10)
    for _ in range(300):
        parts = [np.unique(rng.integers(0, 30, rng.integers(0, 30), np.uint64)) << 59 for _ in range(2)]
        numbers, first = np.concatenate(parts).data, len(parts[0])
        expected = len(np.intersect1d(*parts))
        for loops in (interpreted, compiled):
            assert loops.count_shared(numbers, 0, first, first, len(numbers)) == expected
    with pytest.raises(IndexError):
        compiled.count_shared(np.zeros(1, np.uint64).data, 0, 1, 1, 2)


def test_a_run_is_named_by_where_it_ended_first(interpreted):
    keys, pieces = np.array([5, 7, 5, 7, 9, 7, 5]), np.array([0, 0, 0, 0, 0, 1, 1])
    found, names, previous, following, reached = repeated(interpreted, keys, pieces, 1)
    assert found == [2, 1, 0]
    assert names[:2] == [[0, 1, 0, 1, -1, -1, -1], [-1, 1, -1, 1, -1, -1, -1]]
    assert previous[:2] == [[-1, -1, 0, 1, -1, -1, -1], [-1, -1, -1, 1, -1, -1, -1]]
    assert following == [0, 0, 1, 2, 0, 0, 0]
    assert reached == [0, 0, 1, 2, 0, 0, 0]


def test_an_array_that_is_too_small_is_never_written_beyond(compiled):
    data = b"\x00\x90\x3c\x40\x10\x3c\x00"
    one_tick, one_place = array("q", [0]), array("i", [0])
    count, *_, fault, at, _, _ = compiled.locate(data, 0, 7, KEPT, one_tick, one_place, 0, one_tick, one_place, 0)
    assert (count, fault, at) == (1, compiled.CUT, 7)
    sounds = array("i", [-1]) * compiled.SOUNDS
    with pytest.raises(IndexError):
        compiled.match(b"\x90\x90", b"\x3c\x3c", b"\x40\x40", 0, 2, one_place, one_place, one_place, sounds, sounds, 0)
    with pytest.raises(IndexError):
        compiled.match(b"\x90", b"\x3c", b"\x40", 0, 9, one_place, one_place, one_place, sounds, sounds, 0)
    with pytest.raises(IndexError):
        compiled.match(b"\x90", b"\x3c", b"\x40", 0, 1, one_place, one_place, one_place, one_place, one_place, 0)
    two = array("q", [1, 1])
    with pytest.raises(IndexError):
        compiled.name_runs(two, two, 0, one_tick, two, two, array("i", [0]) * 4, 62)
    with pytest.raises(IndexError):
        compiled.name_runs(two, two, 0, two, two, two, array("i", [0]) * 4, 60)
    with pytest.raises(IndexError):
        compiled.best_runs(two, array("q", [-1, 0]), 1, 2, 1, one_tick, one_tick)


def test_a_module_that_was_compiled_from_this_source_is_taken(compiled, caplog):
    file, locate = compiled.__file__, compiled.locate
    interpret_if_stale(compiled)
    assert (compiled.__file__, compiled.locate, compiled.DIGEST) == (file, locate, source_digest())
    assert not caplog.messages


def test_a_module_that_was_compiled_from_another_source_is_interpreted(interpreted, caplog):
    for stale in ({"DIGEST": 1}, {}):  # before there was a digest
        module = ModuleType("loops")
        vars(module).update(stale, __file__="loops.so", locate=None, match=None)
        interpret_if_stale(module)
        (message,) = caplog.messages
        assert message.startswith("loops.so was compiled from another loops.py, so the source is interpreted")
        assert (module.__file__, module.SOUNDS) == (str(SOURCE), interpreted.SOUNDS)
        data = b"\x00\x90\x3c\x40\x10\x3c\x00\x00\xff\x2f\x00"
        assert located(module, data, 0, len(data)) == located(interpreted, data, 0, len(data))
        caplog.clear()


def test_the_module_in_use_is_that_of_the_source(interpreted):
    chance = random.Random(9)
    for content in tracks(chance):
        assert located(in_use, content, 0, len(content)) == located(interpreted, content, 0, len(content))

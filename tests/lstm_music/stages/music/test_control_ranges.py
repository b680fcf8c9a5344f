"""The ranges of the composing page's controls: what bars of the training pieces are like, or what a bundle says of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from lstm_music.stages.music.control_ranges import RANGES, control_ranges

COLUMNS = ("offset", "note", "duration", "step_in_quarter", "quarter_in_bar", "density", "polyphony", "mean_pitch")


def dataset(*, facts=None, is_bundled=False, controls=("density", "polyphony", "mean_pitch")):
    """A hundred bars whose density is their number; within bars, and at once with a bar's first event, lie other values."""
    rows = []
    for bar in range(1, 101):
        rows.append((1, 3, 3, 0, 0, bar, 1 + 4 * 2 + bar % 2, 1 + 60))
        rows += [(0, 3, 3, 0, 0, 999, 40, 127), (1, 3, 3, 6, 0, 999, 40, 127)]
    span = SimpleNamespace(start=0, stop=len(rows))
    return SimpleNamespace(
        sizes=dict.fromkeys(COLUMNS, 1),
        spans={"train": () if is_bundled else (span,), "validation": (span,), "test": ()},
        tokens=np.array(rows, np.uint16),
        offset_quarters=np.array([0.0, 1.0]),
        knowledge=SimpleNamespace(controls=controls),
        artifact=SimpleNamespace(facts=facts or {}),
        is_bundled=is_bundled,
    )


def test_whole_bars_count_and_rare_ones_do_not():
    found = control_ranges(dataset())
    assert found["density"] == pytest.approx((3, 98), abs=1)
    assert found["polyphony"] == (2.0, 2.0)  # 2.25 is written in halves, to the even one
    assert found["mean_pitch"] == (60, 60)


def test_only_controls_that_the_models_have_are_there():
    assert list(control_ranges(dataset(controls=("key", "density")))) == ["density"]
    assert control_ranges(dataset(controls=("key",))) == {}


def test_a_bundle_says_its_ranges_or_they_are_estimated_from_its_excerpts():
    assert control_ranges(dataset(facts={RANGES: {"density": [2, 9]}}, is_bundled=True)) == {"density": (2, 9)}
    estimated, learnt = control_ranges(dataset(is_bundled=True)), control_ranges(dataset())
    assert estimated["density"][0] < learnt["density"][0]
    assert estimated["density"][1] > learnt["density"][1]
    assert estimated["polyphony"][0] == learnt["polyphony"][0]  # nothing below what is known

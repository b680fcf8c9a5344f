"""Advice: something to do about every error, the nearest kind first."""

import pytest

from lstm_music import errors
from lstm_music.advice import AGAIN, advice

KINDS = [value for value in vars(errors).values() if isinstance(value, type)]


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_something_to_do_about_every_error(kind):
    assert advice(kind("what was wrong"))


def test_the_nearest_kind_counts_and_a_crash_is_run_again():
    assert "lstm-music verify" in advice(errors.CorruptArtifactError("a file"))
    assert advice(errors.MissingArtifactError("a file")) == advice(errors.StorageError("a file"))
    assert advice(None) == advice(ValueError("a fault")) == AGAIN

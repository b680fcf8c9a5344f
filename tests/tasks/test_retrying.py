import pytest
from prefect.states import Failed

from lstm_music import errors
from tasks.retrying import may_pass


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (errors.NotEnoughMusicError("too little"), False),
        (errors.TrainingError("not a number"), False),
        (errors.CorruptArtifactError("another SHA-256"), False),
        (errors.ChildError("killed"), True),
        (OSError("a disk that was busy"), True),
    ],
)
def test_only_what_may_pass_is_tried_again(error, again):
    assert may_pass(None, None, Failed(data=error)) is again

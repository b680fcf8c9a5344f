"""What to do about an error: advice for whoever finds a failed run. The error's own sentence says what was wrong."""

from lstm_music import errors

AGAIN = "run the same again: finished work is kept, and a training goes on from its last checkpoint"

ADVICE: dict[type[BaseException], str] = {
    errors.RecipeError: "correct the recipe or parameter that the error names, and run again",
    errors.SourceError: "check that the source or inbox in the error exists and can be read, and run again",
    errors.RejectedInputError: "give another file: this one holds no readable music",
    errors.NotEnoughMusicError: "add readable music and run again; the table of inputs shows what happened to each file",
    errors.CorruptArtifactError: f"delete the damaged file in the error (`lstm-music verify` lists all of them), then {AGAIN}",
    errors.StorageError: f"fix the storage as the error says (space, rights, version), then {AGAIN}",
    errors.TrainingError: "lower training.learning_rate in the recipe, and run again",
    errors.MismatchError: "follow the error: models and vocabularies must come from the same recipe",
    errors.ChildError: f"check whether memory ran out (fewer workers need less), then {AGAIN}",
}
"""Kind of error → what to do; the nearest kind in the tree of errors counts."""


def advice(error: object) -> str:
    """Give advice about an error (of several that about the first); without one, about a run that was ended from outside."""
    if isinstance(error, errors.RetrainingError):
        error = error.first or error
    kinds = (ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE)
    return next(kinds, AGAIN)

"""What to do about an error, for whoever finds a run failed: the sentence of the error itself says what was wrong."""

from lstm_music import errors

AGAIN = "run the same again; what was finished is kept, and a training goes on from its last checkpoint"

ADVICE: dict[type[BaseException], str] = {
    errors.RecipeError: "mend the recipe, or the parameter, that the error names, and run again",
    errors.SourceError: "see that the source or inbox that the error names is there and may be read, and run again",
    errors.RejectedInputError: "give another file; this one holds no music that can be read",
    errors.NotEnoughMusicError: "add music that can be read, and run again; the table of inputs says what became of each file",
    errors.CorruptArtifactError: f"delete what the error names; `lstm-music verify` finds all such files; then {AGAIN}",
    errors.StorageError: f"do what the error says of storage (space, rights, version); then {AGAIN}",
    errors.TrainingError: "lower training.learning_rate in the recipe, and run again",
    errors.MismatchError: "do what the error says: models and vocabularies have to come from the same recipe",
    errors.ChildError: f"look whether memory ran out (fewer workers need less); then {AGAIN}",
}
"""Kind of error → what to do; the nearest kind in the tree of errors counts."""


def advice(error: object) -> str:
    """Say what to do about an error; without one, about a run whose process was ended from outside."""
    kinds = (ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE)
    return next(kinds, AGAIN)

"""Several recipes learn the inbox one after another: each gets its turn, and what failed is one error at the end."""

import logging
from collections.abc import Callable, Sequence
from typing import NoReturn

from lstm_music.errors import LstmMusicError, RetrainingError
from lstm_music.stages.inbox.retraining import Retraining
from lstm_music.stages.inbox.serving import Served

_LOG = logging.getLogger(__name__)


def in_turn(served: Sequence[Served], learn: Callable[[Served], Retraining]) -> list[Retraining]:
    """Call `learn` for each recipe, and give the results in the same order.

    An error of one recipe does not stop the others. Raises it where there is only one recipe, and after the last of several
    RetrainingError, which names every recipe that failed.
    """
    done: list[Retraining] = []
    failed: dict[str, Exception] = {}
    for one in served:
        try:
            done.append(learn(one))
        except Exception as error:
            if len(served) == 1:
                raise
            failed[one.recipe.name] = error
            _LOG.error("Recipe %s: not retrained: %s", one.recipe.name, _reason(error))
    if failed:
        _fail(failed, done)
    return done


def _fail(failed: dict[str, Exception], done: list[Retraining]) -> NoReturn:
    names: dict[str, list[str]] = {}
    for name, error in failed.items():
        names.setdefault(_reason(error), []).append(name)
    reasons = "; ".join(f"recipe {', '.join(recipes)}: {reason}" for reason, recipes in names.items())
    counted = f"{len(failed)} of {len(failed) + len(done)} recipes"
    raise RetrainingError(f"{counted} not retrained: {reasons}", failed, done) from next(iter(failed.values()))


def _reason(error: Exception) -> str:
    """Give the sentence of an error of ours, and of any other its kind with its first line."""
    if isinstance(error, LstmMusicError):
        return str(error)
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__

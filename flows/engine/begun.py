"""Which trainings a flow begins, for whoever called it in this process and shows how far they are."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from lstm_music.store import ArtifactRef

Listener = Callable[[str, Mapping[str, ArtifactRef]], None]
"""It gets the name of a recipe, and what each of its models is going to be, by the name of the model."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_of_trainings(listener: Listener) -> Iterator[None]:
    """Have `listener` called for the trainings of each flow that runs in this context."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell_of_trainings(recipe: str, models: Mapping[str, ArtifactRef]) -> None:
    """Call the listener, if there is one: on a worker there is none."""
    if listener := _LISTENER.get():
        listener(recipe, models)

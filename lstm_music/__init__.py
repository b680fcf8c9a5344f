"""Meaning: a pure library that knows no orchestrator.

```python
from lstm_music import generate, load_recipe, prepare, train

recipe = load_recipe("demo")
dataset = prepare(recipe, source="corpus", storage="storage")
models = train(recipe, storage="storage")
music = generate(recipe, storage="storage", num_outputs=2)
```

The names below come from `lstm_music.api` at their first use, so `import lstm_music` itself imports nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_music.api import (
        GeneratedMusic,
        PreparedMusic,
        Recipe,
        TrainedModels,
        accompany,
        generate,
        load_recipe,
        mirex,
        prepare,
        rewrite,
        train,
    )

__all__ = [
    "GeneratedMusic",
    "PreparedMusic",
    "Recipe",
    "TrainedModels",
    "accompany",
    "generate",
    "load_recipe",
    "mirex",
    "prepare",
    "rewrite",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("lstm_music.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""The command that makes certain music: it names each setting that differs from the recipe."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from lstm_music.generation.plan import PLAN_KEY, written_plan
from lstm_music.generation.spec import PER_STREAM, GenerationSpec
from lstm_music.options import OPTIONS, flags_of

USUAL_STORAGE = "storage"
"""The storage of a command that names none."""

FLAGS = {name: flags_of(name).split("/") for name, listed in OPTIONS.items() if listed.type == bool | None}
"""Option that is true or false → its two names on the command line."""


def command(
    recipe: str,
    usual: GenerationSpec,
    spec: GenerationSpec,
    options: Mapping[str, Any],
    verb: Sequence[str] = ("generate",),
) -> str:
    """Write `lstm-music generate` for a recipe (name or path), with what differs from its `usual` settings, and `options`.

    `verb` are the first words where it is another sub-command.
    """
    changed: dict[str, Any] = {
        name: getattr(spec, name) for name in GenerationSpec.model_fields if getattr(spec, name) != getattr(usual, name)
    }
    changed = _with_one_length(changed, usual, spec)
    words = ["lstm-music", *verb, "--recipe", recipe]
    for name, value in {**changed, **options}.items():
        if name in FLAGS:
            words.append(FLAGS[name][0 if value else 1])
        elif name in PER_STREAM:
            own = {stream: number for stream, number in value.items() if number != getattr(usual, name)[stream]}
            words += [_option(name), ",".join(f"{stream}={_text(number)}" for stream, number in own.items())]
        else:
            words += [_option(name), written_plan(value) if name == PLAN_KEY else _text(value)]
    return shlex.join(words)


def in_storage(line: str, storage: str) -> str:
    """Let a command name the storage that it is for, if that is not the usual one: no key depends on where that lies."""
    return line if storage == USUAL_STORAGE else f"{line} --storage {shlex.quote(storage)}"


def _with_one_length(changed: Mapping[str, Any], usual: GenerationSpec, spec: GenerationSpec) -> dict[str, Any]:
    """Leave out a length of the recipe that is switched off: the other length, which is named, does that."""
    own = {name: value for name, value in changed.items() if value or name not in {"bars", "seconds"}}
    if usual.has_length and not spec.has_length:
        own["num_events"] = spec.num_events
    return own


def _text(value: Any) -> str:
    """Write a value so that the same is read again; a whole number has no decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"

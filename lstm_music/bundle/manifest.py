"""The list of what is in a bundle, `bundle.json`, and the names that members may have."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Final = "lstm-music bundle"
VERSION: Final = 1
"""Raise it when bundles are written that this version of the project could not read."""

MANIFEST = "bundle.json"
CARD = "README.md"

KINDS = ("inputs", "notes", "events", "dataset", "model", "scorecard")
"""The kinds of artifacts that a bundle has."""

_FILE = r"[A-Za-z0-9_][A-Za-z0-9_+-]*(?:\.(?!\.)[A-Za-z0-9_+-]+)*\.(?:json|parquet|npy|safetensors|mid)"
MEMBER = re.compile(
    rf"{re.escape(CARD)}|(?:{'|'.join(KINDS)})/[0-9a-f]{{64}}/{_FILE}|blobs/(?P<two>[0-9a-f]{{2}})/(?P=two)[0-9a-f]{{62}}"
)
"""The names that members may have, beside `bundle.json`: none of them is absolute, or leads out of its folder."""

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Member(_Strict):
    """The size and the digest of a member."""

    bytes: int = Field(ge=0)
    sha256: Key


class Keys(_Strict):
    """The keys of the artifacts that a recipe promotes, as `current.json` has them."""

    dataset: Key
    models: dict[str, Key] = Field(min_length=1)
    scorecard: Key


class Contents(_Strict):
    """What a bundle is: the recipe's name, the recipe, its promoted models, and whether copies can be searched for.

    `made_with` are the versions of this project and of the libraries that trained and wrote it.
    """

    name: str = Field(min_length=1, max_length=200)
    recipe: dict[str, Any]
    promoted: Keys
    has_copy_index: bool
    made_with: dict[str, str]


class Manifest(Contents):
    """The contents of a bundle, and its members by their names."""

    format: Literal["lstm-music bundle"] = FORMAT
    version: Literal[1] = VERSION
    members: dict[str, Member]

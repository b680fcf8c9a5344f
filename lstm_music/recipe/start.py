"""Where the models of a recipe start from, if they go on from the models of another one."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StartSpec(BaseModel):
    """The models of another `recipe` in the same storage, by their keys, and the dataset that they were trained on.

    `lstm-music run --start-from` writes it; nobody has to. A piece that these models learnt is never held out. Without `models`
    the trainings start from nothing, with vocabularies of their own: that is what a start is compared with, `compare` says
    whether it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    dataset: Key
    models: dict[str, Key] = {}
    compare: bool = True

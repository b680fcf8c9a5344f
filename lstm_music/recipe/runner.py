"""Which runner parses files in parallel: what the recipe, the environment and the user ask for."""

import os
import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lstm_music import faults
from lstm_music.errors import RecipeError

NOT_SHOWN = "dask_scheduler"
"""A key whose value may hold a password."""

RunnerName = Literal["threads", "processes", "dask"]


class RunnerSpec(BaseModel):
    """What parses files side by side: the name of a runner, how many batches at once, and which Dask scheduler, if not its own.

    It decides nothing of what is made. Only the runner `dask` has a scheduler, and trains on its workers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: RunnerName = "threads"
    workers: int = Field(default=2, ge=1)
    dask_scheduler: str | None = None

    @field_validator("dask_scheduler")
    @classmethod
    def _be_an_address(cls, address: str | None) -> str | None:
        if address is not None and not re.fullmatch(r"(tcp|tls|ucx|wss?)://[^@\s]+:\d+", address):
            raise ValueError("expected the address of a Dask scheduler, such as tcp://host:8786")
        return address

    @model_validator(mode="after")
    def _have_a_scheduler_for_dask_alone(self) -> Self:
        if self.dask_scheduler is not None and self.name != "dask":
            raise ValueError(f"dask_scheduler belongs to the runner 'dask'; leave it out for {self.name!r}")
        return self

    def asked(self, name: RunnerName | None, workers: int | None, dask_scheduler: str | None) -> Self:
        """Give the runner that a user asked for, else the one that the environment names, else this.

        Who names a scheduler asks for Dask; who asks for another runner wants no scheduler that others named. Raises
        RecipeError for a value that it may not have.
        """
        said = {"name": name, "workers": workers, "dask_scheduler": dask_scheduler}
        environment = {key: os.environ.get(f"LSTM_MUSIC_{variable}") or None for key, variable in _VARIABLES.items()}
        overrides = self.model_dump()
        for asked in (environment, said):
            own: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
            if "dask_scheduler" in own:
                own = {"name": "dask", **own}
            elif own.get("name", "dask") != "dask":
                own["dask_scheduler"] = None
            overrides |= own
        address = overrides["dask_scheduler"]
        if address not in {None, environment["dask_scheduler"], dask_scheduler}:
            raise RecipeError(
                f"runner.dask_scheduler: the recipe names {address}, which could run any code on this machine; "
                f"if you trust it, give it yourself: --dask-scheduler {address}"
            )
        try:
            return type(self).model_validate(overrides)
        except ValidationError as error:
            raise RecipeError(f"runner: {_sentence(error)}") from error


_VARIABLES = {"name": "RUNNER", "workers": "WORKERS", "dask_scheduler": "DASK_SCHEDULER"}


def _sentence(error: ValidationError) -> str:
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"]))
    return ": ".join(filter(None, [key, faults.sentence(fault, shows_value=key != NOT_SHOWN)]))

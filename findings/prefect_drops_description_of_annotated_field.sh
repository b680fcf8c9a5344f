#!/usr/bin/env bash
# Prefect 3.8.8 drops the description of a flow parameter that is given by Annotated[..., pydantic.Field(description=...)].
#
# The bounds of the same Field arrive in the parameter schema (and so in the form of the UI), its description does not.
# A description in the JSON schema of the type itself arrives: __get_pydantic_json_schema__ on a marker in Annotated.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prefect==3.8.8 'sqlalchemy==2.0.58' fastapi==0.150.0
cd "$folder"
PREFECT_HOME="$folder/home" "$folder/venv/bin/python" - <<'PYTHON'
import sys
from typing import Annotated

from prefect import flow
from pydantic import Field


class Described:
    """Adds a description to the JSON schema of a type."""

    def __get_pydantic_json_schema__(self, schema, handler):
        return {**handler(schema), "description": "of the type"}


@flow
def generate(
    by_field: Annotated[int, Field(ge=1, description="of the field")] = 1,
    by_type: Annotated[int, Described()] = 1,
) -> None:
    """A flow whose docstring says nothing of its parameters."""


properties = generate.parameters.model_dump()["properties"]
print("by_field:", properties["by_field"])
print("by_type: ", properties["by_type"])
dropped = properties["by_field"].get("minimum") == 1 and "description" not in properties["by_field"]
sys.exit(0 if dropped and properties["by_type"].get("description") == "of the type" else 1)
PYTHON

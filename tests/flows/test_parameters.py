"""What the form in Prefect's UI shows: each field described, settings in groups, internal fields hidden."""

import json
import sys

import pytest
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate
from program import Program

from flows.generate import generate
from flows.ingest import ingest
from flows.prepare import prepare
from flows.retrain import retrain
from flows.tidy import tidy
from flows.train_all import train_all
from flows.watch import watch
from lstm_music.generation.spec import OF_TASKS, GenerationSpec
from lstm_music.recipe_files import RECIPES
from lstm_music.rendering.spec import RenderingSpec

FLOWS = [ingest, prepare, train_all, generate, watch, retrain, tidy]
GROUPS = {"music", "sampling", "prompt", "limits", "output"}


def form_of(flow):
    return parameter_schema(flow).model_dump()


def fields_of(form):
    """Give every field with its schema, those of groups too."""
    fields = dict(form["properties"])
    for group in form["definitions"].values():
        fields |= group["properties"]
    return fields


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_field_has_a_description(flow):
    assert {name for name, schema in fields_of(form_of(flow)).items() if not schema.get("description")} == set()


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow is not tidy], ids=lambda flow: flow.name)
def test_the_form_names_every_recipe(flow):
    said = form_of(flow)["properties"]["recipe"]["description"]
    assert [path.stem for path in RECIPES.glob("*.toml") if path.stem not in said] == []
    assert "expressive" in said


def test_internal_fields_are_hidden_and_still_accepted():
    for flow, hidden in ((prepare, "inputs"), (train_all, "inputs"), (retrain, "fingerprint")):
        assert hidden not in form_of(flow)["properties"]
        assert validate({hidden: "key"}, form_of(flow), raise_on_error=True) == []  # as the server does
        assert flow.validate_parameters({hidden: "key"})[hidden] == "key"


def test_generate_has_every_setting_and_groups_them():
    form = form_of(generate)
    assert {name for name, schema in form["properties"].items() if "$ref" in schema} == GROUPS
    settings = {*GenerationSpec.model_fields, *RenderingSpec.model_fields} - {*OF_TASKS}
    others = {"recipe", "storage", "random_seed", "prompt_midi", "soundfont", "like", "variation"}
    assert fields_of(form).keys() == settings | others | GROUPS


@pytest.mark.parametrize("flow", [watch, retrain], ids=lambda flow: flow.name)
def test_the_inbox_serves_every_promoted_recipe_unless_some_are_named(flow):
    recipe = form_of(flow)["properties"]["recipe"]
    assert recipe["default"] is None
    assert "every recipe with promoted models" in recipe["description"]
    for given in (None, "demo", "demo,default", ["demo", "default"]):
        assert validate({"recipe": given}, form_of(flow), raise_on_error=True) == []
        assert flow.validate_parameters({"recipe": given})["recipe"] == given


def test_a_misspelt_setting_of_a_group_is_refused():
    with pytest.raises(Exception, match="temprature"):
        validate({"sampling": {"temprature": "1"}}, form_of(generate), raise_on_error=True)


FLOW = """
import json, sys
from flows.engine.server import orchestrated
recipe, storage = sys.argv[1:]
with orchestrated():
    from flows.generate import generate
    ref = generate(
        recipe, storage, num_outputs=1, sampling={"temperature": "note=0.5"}, prompt={"prompt": "none"},
        limits={"max_quarters": 2}, output={"audio": "none", "sheet_music": False},
    )
from lstm_music.store import Store
print(Store(storage).open(ref).file("result_001.json").read_text())
"""


@pytest.mark.slow
@pytest.mark.operation  # makes music; the settings of the command line do, too
def test_settings_in_groups_reach_the_music(tiny, tmp_path, users_server):
    command = [sys.executable, "-c", FLOW, str(tiny.recipe), str(tiny.copy(tmp_path))]
    program = Program(tmp_path / "home", command, users_server)
    out = program.finish()
    assert program.process.returncode == 0, program.errors
    settings = json.loads(out)
    assert settings["temperature"] == {"offset": 0.95, "note": 0.5, "duration": 0.95}
    assert (settings["prompt"]["piece"], settings["max_quarters"], settings["num_outputs"]) == ("", 2.0, 1)

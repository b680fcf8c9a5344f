"""What export, import and `generate --model` do."""

from dataclasses import replace
from pathlib import Path

from flows.cli.choosing import choose_recipe
from flows.cli.display import Display
from flows.cli.generate_command import make_music
from flows.cli.order_commands import existing
from flows.cli.output_dir import free_folder, none_left_empty, require_output_dir
from flows.cli.scratch import keep_caches_here
from flows.cli.sizes import size
from flows.cli.sparing import spare_pandas
from flows.cli.words import counted
from lstm_music.bundle.shipped import find_bundle
from lstm_music.errors import RecipeError
from lstm_music.generation.command import in_storage
from lstm_music.stages.bundle import exporting, importing
from lstm_music.stages.music.likeness import asked_settings
from lstm_music.stages.music.overrides import Options
from lstm_music.store import Store

EXTENSION = ".lstm"
_OF_RESULTS = ("like", "variation")


def export(
    display: Display, recipe_name: str | None, storage: str, output: Path | None, *, with_copy_index: bool, licence: str
) -> None:
    """Write the promoted models of a recipe to a bundle."""
    store = existing(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted")
    path = output or Path(f"{recipe.name}{EXTENSION}")
    with display.doing(f"Exporting {recipe.name}"), store.session():
        made = exporting.export_bundle(store, recipe, path, with_copy_index=with_copy_index, licence=licence)
    parts: dict[str, int] = {}
    for name, member in made.manifest.members.items():
        parts[name.partition("/")[0]] = parts.get(name.partition("/")[0], 0) + member.bytes
    display.table("In the bundle", ["", "size"], [[name, size(total)] for name, total in parts.items()])
    display.log(f"Made {path}: {size(made.bytes)}, with {counted(len(made.prompts), 'prompt')}")
    if not with_copy_index:
        display.log("Copies of training pieces cannot be searched for with it; --with-copy-index adds the index")
    display.result(
        {
            "bundle": str(path),
            "recipe": recipe.name,
            "bytes": made.bytes,
            "prompts": made.prompts,
            "members": {name: member.bytes for name, member in made.manifest.members.items()},
            "copy_index": with_copy_index,
        }
    )


def import_(display: Display, file: Path, storage: str, name: str) -> None:
    """Put the models of a bundle into a storage."""
    spare_pandas()
    store = Store(storage)
    with display.doing(f"Importing {file}"):
        found = importing.import_bundle(find_bundle(file), store, name)
    there = "were promoted there already" if found.was_there else "are promoted there now"
    display.log(f"Recipe {found.name} in {storage}: the models of {file} {there}")
    display.log(f"Make music with `{in_storage(f'lstm-music generate --recipe {found.name}', storage)}`")
    display.result({"recipe": found.name, "was_there": found.was_there, "storage": store.where})


def generate(display: Display, file: Path, options: Options, output_dir: Path | None) -> None:
    """Make music with the models in a bundle; nothing but `output_dir` is written to, which is a new folder here by default."""
    for option in _OF_RESULTS:
        if options.get(option) is not None:
            raise RecipeError(
                f"--model: excludes --{option}, because there is no storage with results; give the bundle to "
                "`lstm-music import` first"
            )
    spare_pandas()
    keep_caches_here()
    with importing.opened(find_bundle(file)) as bundle:
        settings = asked_settings(bundle.store, bundle.recipe, bundle.recipe.name, options)
        settings = replace(settings, bundle=file, output_dir=output_dir)
        output_dir = output_dir or free_folder(bundle.recipe.name)
        display.log(f"Recipe {bundle.recipe.name}: that of {file}")
        with none_left_empty(output_dir), bundle.store.session():
            require_output_dir(output_dir, bundle.store)
            display.result(make_music(display, bundle.store, bundle.recipe, settings, output_dir))

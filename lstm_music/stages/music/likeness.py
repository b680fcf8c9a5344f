"""`--like RESULT`: the prompt and the settings of a result → those of new music; and results as prompts, by their names."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstm_music.errors import LstmMusicError, RecipeError, SourceError
from lstm_music.generation.plan import BarPlan
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.reader import read_midi
from lstm_music.recipe import Recipe
from lstm_music.stages.current import promoted_models
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music.accompaniment import BEST_OF
from lstm_music.stages.music.asked_bars import plan_like
from lstm_music.stages.music.candidates import new_notes, read_music
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.overrides import SEEDS, Options, as_option, settings_of
from lstm_music.stages.music.prompt_files import RESULT, PromptMidi
from lstm_music.stages.music.results import ChosenResult, choose_result, names_a_result
from lstm_music.stages.music.rewriting import Rewrite
from lstm_music.stages.music.settings import GenerationSettings, Like
from lstm_music.stages.music.variation import Variation
from lstm_music.store import Artifact, ArtifactRef, Store

PROMPT = ("prompt", "prompt_midi", "prompt_bars", "prompt_events", "composer", "meter")
"""Options that choose a prompt: a result that new music is like has its own."""

PLACES = ("bars", "seconds", "num_events", "min_events", "key")
"""Options that move the places or the pitches of notes: kept notes have theirs."""

_OTHERS = {"random_seed", "prompt_midi", "melody", "variation"}  # in the spec of music, beside those of generation


def recipe_of(store: Store, like: str, spell: Callable[[str], str] = as_option) -> str:
    """Give the recipe of a result, as the command that made it named it; the errors are those of `choose_result`."""
    return str(choose_result(store, like, spell("like")).generation.facts["recipe"])


def asked_settings(
    store: Store,
    recipe: Recipe,
    name: str,
    options: Options,
    *,
    melody: Path | None = None,
    part: str | None = None,
    rewrite_bars: str | None = None,
    spell: Callable[[str], str] = as_option,
) -> GenerationSettings:
    """Give the settings of one generation, as `settings_of` does, whose errors and arguments these are.

    A `prompt` may be the name of a result, whose end is gone on from. Music that is to be `like` a result has its prompt and what
    was asked of it, and by default the random seed after its own. `variation` is the share of the result's events that stays.
    Raises RecipeError for options that exclude each other, SourceError and MissingArtifactError for a result that is not there.
    """
    given = {option: value for option, value in options.items() if value is not None}
    own = {"melody": melody, "part": part, "rewrite_bars": rewrite_bars, "spell": spell}
    like, variation = (None if melody else given.pop(option, None) for option in ("like", "variation"))
    if like is None:
        if variation is not None:
            raise RecipeError(
                f"{spell('variation')}: keeps notes of a result; name it with {spell('like')}, or leave it out"
            )
        return _after_result(store, recipe, name, given, own)
    share = _share(variation, spell)
    for other in PROMPT if not share else (*PROMPT, *PLACES):
        if other in given:
            reason = "takes the prompt of a result" if other in PROMPT else "keeps notes of a result at their places"
            option = spell("like" if other in PROMPT else "variation")
            raise RecipeError(f"{option}: {reason}, so it excludes {spell(other)}; leave one out")
    return _like(store, recipe, name, given, choose_result(store, like, spell("like")), share, spell)


def _share(variation: float | None, spell: Callable[[str], str]) -> float | None:
    if variation is not None and not 0 <= variation <= 1:
        raise RecipeError(
            f"{spell('variation')}: expected the share of the notes that stays, from 0 to 1, got {variation:g}"
        )
    return variation


def _after_result(
    store: Store, recipe: Recipe, name: str, given: dict[str, Any], own: dict[str, Any]
) -> GenerationSettings:
    """Go on from a result, where the prompt names one."""
    prompt, spell = given.get("prompt"), own["spell"]
    if not prompt or "prompt_midi" in given or own["melody"] or not names_a_result(store, prompt):
        return settings_of(recipe, name, given, **own)
    chosen = choose_result(store, prompt, spell("prompt"))
    if given.get("composer"):
        raise RecipeError(
            f"{spell('composer')}: chooses among held-out pieces, and the prompt is {chosen.name}; leave one out"
        )
    file = PromptMidi(chosen.name, chosen.midi, RESULT)
    settings = settings_of(recipe, name, {**given, "prompt": None}, prompt_midi=file, spell=spell)
    return replace(settings, prompt_result=chosen.name)


def _like(
    store: Store,
    recipe: Recipe,
    name: str,
    given: dict[str, Any],
    chosen: ChosenResult,
    share: float | None,
    spell: Callable[[str], str],
) -> GenerationSettings:
    music, facts = store.open(chosen.generation.inputs[0]), chosen.facts
    said = music.manifest["spec"]
    seed, former = given.get("random_seed"), int(said["random_seed"])
    if seed is None:
        seed = (former + 1) % SEEDS
    elif seed == former and not share:
        raise RecipeError(
            f"{spell('random_seed')}: expected another than {former}, with which {chosen.name} was made, or its notes come again"
        )
    if share and "melody" in said:
        raise RecipeError(
            f"{spell('variation')}: {chosen.name} is made of {said['melody']['name']}, whose notes stay anyway; leave it out"
        )
    usual = recipe.model_copy(update={"generation": _asked_of(store, recipe, given, chosen, said, facts, share, spell)})
    file = _given(music, said, chosen)
    settings = settings_of(usual, name, {**given, "random_seed": seed}, spell=spell, **file)
    variation = Variation(chosen.name, music.ref, int(facts["candidate"]), share) if share else None
    return replace(settings, like=Like(chosen.name, share, variation))


def _asked_of(
    store: Store,
    recipe: Recipe,
    given: Options,
    chosen: ChosenResult,
    said: Mapping[str, Any],
    facts: Mapping[str, Any],
    share: float | None,
    spell: Callable[[str], str],
) -> GenerationSpec:
    """Give what was asked of a result, with its own prompt, as the usual settings of what is made like it.

    Models that were taught controls are asked for what is measured in it, bar by bar, if none of its notes stay; what is `given`
    for all bars rules over that.
    """
    unknown = said.keys() - {*GenerationSpec.model_fields} - _OTHERS
    if unknown or {*said["temperature"]} != {*recipe.generation.temperature}:
        raise RecipeError(
            f"{spell('like')}: {chosen.name} was made in another way than by recipe {recipe.name!r} "
            f"({', '.join(sorted(unknown) or said['temperature'])}); give another result, or leave --recipe out"
        )
    asked = {key: value for key, value in said.items() if key not in _OTHERS}
    asked |= {
        "num_outputs": 1 if share == 1 else recipe.generation.num_outputs,
        "instrument": facts.get("instrument", ""),
    }
    promoted = promoted_models(store, recipe.name)
    taught = load_dataset(store, promoted.dataset).knowledge.controls if promoted else ()
    controls = {*taught} - {*given}
    if not share and controls and "melody" not in said:
        plan = _measured(store, chosen.generation.inputs[0], int(facts["candidate"]), controls)
        bars = given.get("bars") or len(plan)
        asked["plan"] = [entry for entry in plan if entry.numbers.stop <= bars]
    if share and share < 1:
        asked["best_of"] = max(said["best_of"], BEST_OF)
    prompt = facts["prompt"]
    if prompt["split"]:  # of a held-out piece, or another one; else it is none, or a file
        place = f"{prompt['piece']}:{prompt['first_event']}"
        asked |= {"prompt": place, "prompt_events": prompt["events"], "composer": ""}
    try:
        return GenerationSpec.model_validate(asked).for_streams(tuple(recipe.generation.temperature))
    except ValidationError as error:
        raise SourceError(
            f"{spell('like')}: {chosen.name} has settings that are none any more; give another result"
        ) from error


def _measured(store: Store, music: ArtifactRef, number: int, controls: Collection[str]) -> tuple[BarPlan, ...]:
    """Measure the new notes of a candidate bar by bar."""
    made = read_music(store, music)[number - 1]
    ticks = read_midi(made.midi).ticks_per_quarter
    return plan_like(new_notes(made), ticks, round(made.facts["bar_quarters"] * ticks), controls)


def _given(music: Artifact, said: Mapping[str, Any], chosen: ChosenResult) -> dict[str, Any]:
    """Give the file that a result goes on from or accompanies, as it was read then."""
    entry = said.get("melody") or said.get("prompt_midi")
    if entry is None:
        return {}
    try:
        data = music.file("file").read_bytes()
    except LstmMusicError as error:
        raise SourceError(
            f"{chosen.name}: was made by an earlier version, which kept no copy of {entry['name']}; make it again first"
        ) from error
    file = PromptMidi(entry["name"], data, music.facts["file_format"], entry.get("repeats", "once"))
    if "melody" in said:
        part, bars = entry["part"], entry.get("bars")
        return {"melody": Melody(file, part) if bars is None else Rewrite(file, part, bars)}
    return {"prompt_midi": file}

"""The model card of a bundle: Markdown with the front matter of Hugging Face, and the categories of MusGO answered."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lstm_music.evaluation.card_table import card_tables

NO_LICENCE = "unknown"
TAGS = ("music", "music-generation", "symbolic-music", "midi", "lstm")
CONTROLS = "density, polyphony, keys, chords or the ending, bar by bar"


class Answer(NamedTuple):
    """What a category of MusGO is found to be, and why."""

    category: str
    level: str
    reason: str


@dataclass(frozen=True)
class Described:
    """What a card says: `recipe` as the storage keeps it, `card` the score card.

    `training` has the pieces of each split with their credits, `prompts` the excerpts inside. `parameters` are their numbers in
    each model.
    """

    name: str
    licence: str
    recipe: Mapping[str, Any]
    card: Mapping[str, Any]
    parameters: Mapping[str, int]
    training: Sequence[Mapping[str, Any]]
    prompts: Sequence[Mapping[str, Any]]
    has_copy_index: bool
    made_with: Mapping[str, str]


def model_card(said: Described) -> str:
    """Write the card; the same facts give the same text."""
    return "\n".join(
        [
            *_front_matter(said),
            f"# {said.name}",
            "",
            *_model(said),
            *_use(said),
            *_data(said),
            *_measures(said),
            *_limits(said),
            *_openness(said),
        ]
    )


def _front_matter(said: Described) -> list[str]:
    tags = [f"- {tag}" for tag in TAGS]
    return ["---", "library_name: lstm-music", f"license: {json.dumps(said.licence)}", "tags:", *tags, "---", ""]


def _model(said: Described) -> list[str]:
    model = said.recipe["model"]
    size = f"{model['layers']} layer(s) of {model['units']} units"
    experts, controls = (", ".join(model.get(name, [])) or "none" for name in ("experts", "controls"))
    versions = ", ".join(f"{name} {version}" for name, version in said.made_with.items())
    return [
        "LSTMs that write symbolic music: each predicts a property of the next note, given those that are known.",
        "",
        *_table([["model", "parameters"], *([name, f"{count:,}"] for name, count in said.parameters.items())]),
        f"- Architecture: {model['architecture']}, {size}; experts: {experts}; controls: {controls}.",
        f"- Trained and written with {versions}.",
        "- The recipe in `bundle.json` holds every setting of the data, the models and the training.",
        "",
    ]


def _use(said: Described) -> list[str]:
    taught = (
        f"They can be asked for {CONTROLS}."
        if said.recipe["model"].get("controls")
        else "They were taught no controls."
    )
    return [
        "## Intended use",
        "",
        f"Sketches, practice material and research: music that goes on from a prompt, as MIDI. {taught}",
        "",
        "```sh",
        f"lstm-music generate --model {said.name}.lstm --output-dir music",
        f"lstm-music import {said.name}.lstm",
        "```",
        "",
        "Not intended: to pass results off as works of the composers whose music was learnt, or as free of copies unchecked.",
        "",
    ]


def _data(said: Described) -> list[str]:
    learnt = [piece for piece in said.training if piece["split"] == "train"]
    groups = Counter((_or_unknown(piece["source"]), _or_unknown(piece["licence"])) for piece in learnt)
    rows = [["source", "licence", "pieces"], *([*group, f"{count:,}"] for group, count in sorted(groups.items()))]
    prompts = [["excerpt", "composer", "source", "licence"]]
    prompts += [[_or_unknown(one[key]) for key in ("name", "composer", "source", "licence")] for one in said.prompts]
    index = (
        "The index of copies is inside: it holds the training pieces as events, so it may only be given away if they may."
        if said.has_copy_index
        else "None of these pieces is inside."
    )
    listed = (
        f"{len(learnt):,} pieces. `training.json` beside the dataset lists all {len(said.training):,} pieces by split, name, "
        f"licence, bytes and SHA-256. {index}"
    )
    return [
        "## Training data",
        "",
        listed,
        "",
        *_table(rows),
        "Inside are excerpts of held-out pieces, as prompts; a few more bars of held-out pieces are in the quiz of the page.",
        "",
        *_table(prompts),
    ]


def _measures(said: Described) -> list[str]:
    tables = [line for table in card_tables(said.card) for line in (table.markdown(), "")]
    verdict = [f"{said.card['verdict']}.", ""] if "verdict" in said.card else []
    return ["## Evaluation", "", f"Protocol: {said.card['protocol']}. NLL is in nats per event.", "", *tables, *verdict]


def _limits(said: Described) -> list[str]:
    copies = (
        "Results are searched for copies of the training pieces."
        if said.has_copy_index
        else "Copies cannot be searched for: the training pieces are not inside. The page of results says so."
    )
    counted = "- The table of n-grams counts short runs of events in the training pieces: some can be read off it."
    ngrams = [counted] if "ngrams" in said.recipe["model"].get("experts", []) else []
    return [
        "## Limits",
        "",
        f"- {copies}",
        *ngrams,
        "- The models know the styles, keys and instruments of their training pieces, and no others.",
        "- A good score says that held-out music is likely, not that results sound good.",
        "- Long form is weak: the models plan bars, not movements.",
        "",
    ]


def openness(said: Described) -> list[Answer]:
    """Answer the 13 categories of MusGO (Batlle-Roca et al. 2025), the essential ones first."""
    is_known = all(piece["licence"] and piece["source"] for piece in said.training)
    described = "each piece is named with its SHA-256"
    has_licence = said.licence != NO_LICENCE
    return [
        Answer("1 Source code", "open", "lstm-music, MIT, with data processing, training and inference"),
        Answer(
            "2 Training data",
            "open" if is_known else "partial",
            f"{described}, source and licence"
            if is_known
            else f"{described}; for some the source or the licence is not known",
        ),
        Answer("3 Model weights", "open", "all weights are inside, as safetensors"),
        Answer("4 Code documentation", "open", "the documentation of lstm-music"),
        Answer("5 Training procedure", "open", "the recipe inside, and the learning curve of each model"),
        Answer(
            "6 Evaluation procedure",
            "open",
            "the score card inside, with baselines; `lstm-music evaluate` makes it again",
        ),
        Answer("7 Research paper", "closed", "no paper describes these models"),
        Answer(
            "8 Licensing",
            "open" if has_licence else "partial",
            f"code MIT, weights {said.licence}" if has_licence else "code MIT; no licence of the weights is stated",
        ),
        Answer("9 Model card", "yes", "this one"),
        Answer("10 Datasheet", "no", "only the list of pieces"),
        Answer("11 Package", "yes", "a Python package with a command line"),
        Answer("12 User-oriented application", "yes", "a page that composes: `lstm-music studio`"),
        Answer("13 Supplementary material page", "no", "none"),
    ]


def _openness(said: Described) -> list[str]:
    return [
        "## Openness (MusGO)",
        "",
        "Answered by `lstm-music export` for models that lstm-music as published trained; correct it where yours are others.",
        "",
        *_table([["category", "level", "reason"], *map(list, openness(said))]),
    ]


def _or_unknown(text: str) -> str:
    return text or "unknown"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table whose first row is its head; bars in texts, and line breaks, would end a cell."""
    cells = [[" ".join(cell.replace("|", "/").split()) for cell in row] for row in rows]
    head, *rest = [f"| {' | '.join(row)} |" for row in cells]
    return [head, f"|{'---|' * len(rows[0])}", *rest, ""]

"""Experiments → one report: the reported results, and ours under its way of splitting and under our own."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lstm_music.encoding.splits import VALIDATION
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.spec import WITH_KNOWN_FAULTS
from lstm_music.recipe import Recipe
from lstm_music.rendering.curves import learning_curves
from lstm_music.rendering.report_page import report_html, report_markdown
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import missing, read_inputs
from lstm_music.stages.data.prepare import plan
from lstm_music.stages.music.candidates import music_stage, picture, read_music
from lstm_music.stages.report.experiments import Experiment
from lstm_music.stages.training.scorecard import read_card, scorecard_stage
from lstm_music.stages.training.train import trained_longer
from lstm_music.stages.training.trained import load_model, model_stage
from lstm_music.store import Artifact, ArtifactRef, Stage, Store

KIND = "reports"
REPORT_VERSION = 1


@dataclass(frozen=True)
class Reported:
    """The report's result for one stream: its validation accuracy, and that of the last epoch in its saved notebook."""

    validation: float
    notebook: float | None = None


REPORTED: dict[tuple[str, str], Reported] = {
    ("notes_only", "note"): Reported(0.37),
    ("three_streams", "note"): Reported(0.63, 0.574),
    ("three_streams", "offset"): Reported(0.87, 0.855),
    ("three_streams", "duration"): Reported(0.88, 0.819),
}
SAID = {
    "notes_only": "43 % training and 37 % validation accuracy",
    "dual_head": "poor; offsets out of order",
    "multi_label": "poor; offsets classified as notes and the reverse",
    "three_streams": "63 / 87 / 88 % validation accuracy; the saved notebook ends at 57.4 / 85.5 / 81.9 %",
}


@dataclass(frozen=True)
class Outcome:
    """The results of an experiment, by reference; `epochs` is the limit of each model."""

    experiment: Experiment
    inputs: ArtifactRef
    epochs: dict[str, int]

    @property
    def dataset(self) -> ArtifactRef:
        """The dataset that the models are trained on."""
        return plan(self.experiment.recipe, self.inputs).dataset

    def recipe_of(self, model: str) -> Recipe:
        """Give the recipe of one model's training."""
        recipe = self.experiment.recipe
        training = recipe.training.model_copy(update={"epochs": self.epochs[model]})
        return recipe.model_copy(update={"training": training})

    @property
    def models(self) -> dict[str, ArtifactRef]:
        """The models, by their names."""
        return {name: model_stage(self.recipe_of(name), self.dataset, name).ref for name in self.epochs}

    @property
    def scorecard(self) -> ArtifactRef:
        """Their score card."""
        return scorecard_stage(self.experiment.recipe, self.dataset, self.models).ref

    @property
    def music(self) -> ArtifactRef:
        """The music that they generate."""
        recipe = self.experiment.recipe
        return music_stage(self.dataset, self.models, recipe.generation, recipe.random_seed).ref


def plan_outcomes(store: Store, experiments: Sequence[Experiment], inputs: ArtifactRef) -> list[Outcome]:
    """Plan the results of experiments on some inputs.

    A model that already has more epochs than its experiment allows keeps them. Call this once per run: while another run
    trains the same models, the result changes.
    """

    def epochs(one: Experiment) -> dict[str, int]:
        dataset = plan(one.recipe, inputs).dataset
        longer = {name: trained_longer(store, one.recipe, dataset, name) for name in one.recipe.model.models}
        return {name: recipe.training.epochs for name, recipe in longer.items()}

    return [Outcome(one, inputs, epochs(one)) for one in experiments]


def report_stage(outcomes: Sequence[Outcome]) -> Stage:
    """Give the stage that writes the report of some experiments."""
    spec = {"experiments": [[one.experiment.architecture, one.experiment.protocol] for one in outcomes]}
    inputs = [ref for one in outcomes for ref in (one.dataset, *one.models.values(), one.scorecard, one.music)]
    return Stage(KIND, REPORT_VERSION, spec, tuple(inputs), ("tensorflow", "keras", "matplotlib"), plain_names=True)


def write_report(store: Store, outcomes: Sequence[Outcome]) -> ArtifactRef:
    """Write the report as Markdown, as HTML and as JSON, with the learning curves and a piano roll of each experiment."""
    stage = report_stage(outcomes)
    if store.has(stage.ref):
        return stage.ref
    findings = [_findings(store, outcome) for outcome in outcomes]
    with store.write(stage) as writer:
        for outcome, found in zip(outcomes, findings, strict=True):
            name = f"{outcome.experiment.architecture}-{outcome.experiment.protocol}"
            writer.file(f"curves-{name}", "svg").write_text(
                learning_curves(found["histories"], found["title"]), encoding="utf-8"
            )
            first = read_music(store, outcome.music)[0]
            writer.file(f"music-{name}", "svg").write_text(picture(first), encoding="utf-8")
            writer.file(f"music-{name}", "mid").write_bytes(first.midi)
        writer.file("report", "json").write_text(json.dumps(findings, indent=1) + "\n", encoding="utf-8")
        writer.file("report", "md").write_text(report_markdown(findings), encoding="utf-8")
        writer.file("report", "html").write_text(report_html(findings), encoding="utf-8")
        writer.counts.update(experiments=len(findings))
    return stage.ref


def read_report(store: Store, ref: ArtifactRef) -> list[dict[str, Any]]:
    """Read the findings, one mapping per experiment."""
    found: list[dict[str, Any]] = json.loads(store.open(ref).file("report.json").read_text(encoding="utf-8"))
    return found


def _findings(store: Store, outcome: Outcome) -> dict[str, Any]:
    """Gather the findings of an experiment, as JSON."""
    architecture, protocol = outcome.experiment.architecture, outcome.experiment.protocol
    card = read_card(store, outcome.scorecard)
    models = {name: store.open(ref) for name, ref in outcome.models.items()}
    histories = {
        name: json.loads(artifact.file("history").read_text(encoding="utf-8")) for name, artifact in models.items()
    }
    return {
        "architecture": architecture,
        "protocol": protocol,
        "title": f"{architecture}, {card['protocol']}",
        "said": SAID[architecture],
        "missing": missing(outcome.experiment.recipe, read_inputs(store, outcome.inputs)),
        "split": card["protocol"],
        "epochs": {name: artifact.counts["epochs"] for name, artifact in models.items()},
        "histories": histories,
        "streams": [
            _stream(architecture, stream, name, card, histories[name], models[name])
            for name in models
            for stream in name.split("+")
        ],
        "faults": _faults(store, outcome),
    }


def _stream(
    architecture: str, stream: str, model: str, card: dict[str, Any], history: list[dict[str, Any]], artifact: Artifact
) -> dict[str, Any]:
    """Gather the accuracies of one stream: reported, of the best epoch and of the last, of the table and of the baselines."""
    reported = REPORTED.get((architecture, stream))
    found: dict[str, Any] = {
        "stream": stream,
        "model": model,
        "reported": asdict(reported) if reported else None,
        "best_epoch": artifact.counts["best_epoch"],
        "last_validation": history[-1]["held_out_accuracy"][stream],
        "last_training": history[-1]["accuracy"][stream],
    }
    for split, scores in card["splits"].items():
        baselines = {name: baseline["streams"][stream] for name, baseline in scores["baselines"].items()}
        found[split] = {
            "accuracy": scores["streams"][stream]["accuracy"],
            "nll": scores["streams"][stream]["nll"],
            "lookup": scores["lookup"][stream],
            "baselines": {name: {key: row[key] for key in ("accuracy", "nll")} for name, row in baselines.items()},
        }
    return found


def _faults(store: Store, outcome: Outcome) -> dict[str, float]:
    """Measure the faults that the report names, on validation."""
    if outcome.experiment.architecture not in WITH_KNOWN_FAULTS:
        return {}
    load_tensorflow()
    from lstm_music.models.faults import faults

    dataset = load_dataset(store, outcome.dataset)
    targets = dataset.targets(VALIDATION, outcome.experiment.recipe.first_target)
    (ref,) = outcome.models.values()
    return faults(load_model(store, ref, dataset), dataset.tokens, targets)

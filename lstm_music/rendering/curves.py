"""Learning curves as SVG: the accuracy of each epoch, as the report shows it, and the loss of each epoch."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLOURS = {"offset": "#2b8a3e", "note": "#1864ab", "duration": "#c92a2a", "velocity": "#9c36b5"}
OTHER_COLOUR = "#343a40"
BASELINE_STYLES = {"majority": ":", "ngram_joint": "-."}
PANEL_INCHES = (3.7, 3.2)

History = Sequence[Mapping[str, Any]]
"""The scores of the epochs of one training: see `EpochScore`."""


@dataclass(frozen=True)
class Panel:
    """The training of one model: its name, its epochs, and baselines of the same streams in nats per event."""

    title: str
    model: str
    history: History
    baselines: Mapping[str, float] = field(default_factory=dict)


def learning_curves(histories: Mapping[str, History], title: str) -> str:
    """Draw the accuracy of some models, by their names, as SVG; the same epochs give the same bytes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for history in histories.values():
        epochs = [score["epoch"] + 1 for score in history]
        for stream in history[0]["accuracy"]:
            for key, style, what in (("accuracy", "--", "training"), ("held_out_accuracy", "-", "validation")):
                accuracy = [score[key][stream] for score in history]
                axes.plot(epochs, accuracy, style, marker=".", color=COLOURS[stream], label=f"{stream}, {what}")
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1), title=title)
    _finish(axes)
    axes.legend(fontsize="small", ncols=2)
    return _svg(figure, title)


def loss_curves(rows: Sequence[Sequence[Panel]], title: str) -> str:
    """Draw losses as SVG, one panel per model, one row per recipe; the same panels give the same bytes.

    A panel shows the training loss (nats per target; dropout makes it higher), the held-out NLL (nats per event) with its best
    epoch marked, and the baselines. Epoch 0 is the earlier model that a training starts from, and the epoch after the last its
    mixture with trained weights. Panels of one column share their vertical axis.
    """
    from matplotlib.figure import Figure

    columns = max(map(len, rows))
    width, height = PANEL_INCHES
    figure = Figure(figsize=(width * columns, height * len(rows) + 0.4), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False, sharey="col")
    for axes, panels in zip(grid, rows, strict=True):
        for one in axes[len(panels) :]:
            one.set_axis_off()
        for one, panel in zip(axes, panels, strict=False):
            _draw(one, panel)
    figure.suptitle(title)
    return _svg(figure, title)


def _draw(axes: Any, panel: Panel) -> None:
    colour = COLOURS.get(panel.model, OTHER_COLOUR)
    epochs = [score["epoch"] + 1 for score in panel.history]
    held_out = [score["held_out"] for score in panel.history]
    best = min(range(len(held_out)), key=held_out.__getitem__)
    trained = [score for score in panel.history if score["loss"] is not None]  # the start has none
    epochs_trained, training = [score["epoch"] + 1 for score in trained], [score["loss"] for score in trained]
    axes.plot(epochs_trained, training, "--", marker=".", alpha=0.6, color=colour, label="training loss")
    axes.plot(epochs, held_out, "-", marker=".", color=colour, label="held-out NLL")
    share = panel.history[best].get("start_share")
    where = f"{share:.0%} of the start" if share else f"epoch {epochs[best]}"
    label = f"best: {where}, {held_out[best]:.3f}"
    axes.plot([epochs[best]], [held_out[best]], "o", markersize=9, fillstyle="none", color=colour, label=label)
    for name, nll in panel.baselines.items():
        axes.axhline(nll, linestyle=BASELINE_STYLES.get(name, "--"), color="#868e96", label=f"{name}, {nll:.3f}")
    axes.set(xlabel="epoch", ylabel="nats per event", title=panel.title)
    _finish(axes)
    axes.legend(fontsize="x-small")


def _finish(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="#dee2e6")


def _svg(figure: Any, salt: str) -> str:
    """Write a figure; the salt makes the ids inside the same each time."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None})
    return written.getvalue()

"""Learning curves: accuracy after each epoch, in training and held out, as the report shows them."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

COLOURS = {"offset": "#2b8a3e", "note": "#1864ab", "duration": "#c92a2a"}


def learning_curves(histories: Mapping[str, Sequence[Mapping[str, Any]]], title: str) -> str:
    """Draw the epochs of some models, by their names, as SVG; the same epochs give the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for history in histories.values():
        epochs = [score["epoch"] + 1 for score in history]
        for stream in history[0]["accuracy"]:
            for key, style, what in (("accuracy", "--", "training"), ("held_out_accuracy", "-", "validation")):
                accuracy = [score[key][stream] for score in history]
                axes.plot(epochs, accuracy, style, marker=".", color=COLOURS[stream], label=f"{stream}, {what}")
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1), title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="#dee2e6")
    axes.legend(fontsize="small", ncols=2)
    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title, "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None})
    return written.getvalue()

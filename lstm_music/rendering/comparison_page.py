"""The comparison of recipes as a table, and as a page of HTML."""

from collections.abc import Mapping
from typing import Any

Comparison = Mapping[str, Any]


def comparison_table(found: Comparison) -> tuple[list[str], list[list[str]]]:
    """Give the head and the rows of the table: one column per recipe, one row per measure, units in the first column."""
    recipes = found["recipes"]
    rows = [
        ["split", *(one["protocol"] for one in recipes)],
        *(["pieces, " + split, *(str(one["pieces"][split]) for one in recipes)] for split in recipes[0]["pieces"]),
        ["parameters", *(f"{one['parameters']:,}" for one in recipes)],
        ["training, seconds", *(_seconds(one["training_seconds"]) for one in recipes)],
        *_model_rows(recipes),
    ]
    for split in ("validation", "test"):
        rows += _score_rows(split, [one["splits"].get(split) for one in recipes])
    return ["", *(one["recipe"] for one in recipes)], rows


def comparison_html(found: Comparison) -> str:
    """Write the page; the picture of the curves lies beside it."""
    import jinja2

    head, rows = comparison_table(found)
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE)
    title = "Comparison of " + " and ".join(head[1:])
    warnings = [f"{one['recipe']}: {warning}" for one in found["recipes"] for warning in one["warnings"]]
    return template.render(title=title, head=head, rows=rows, notes=[*found["notes"], *warnings]) + "\n"


def _model_rows(recipes: list[Mapping[str, Any]]) -> list[list[str]]:
    names = list(dict.fromkeys(name for one in recipes for name in one["models"]))
    return [[f"{name}: epochs, best", *(_epochs(one["models"].get(name)) for one in recipes)] for name in names]


def _score_rows(split: str, scores: list[Mapping[str, Any] | None]) -> list[list[str]]:
    """Give the rows of one split; empty cells where a recipe has no such split or stream."""
    known = [one or {"streams": {}} for one in scores]
    streams = list(dict.fromkeys(stream for one in known for stream in one["streams"]))
    return [
        *(
            [f"{split}, {name}: nats per event", *(_nats(one["streams"].get(name)) for one in known)]
            for name in streams
        ),
        [f"{split}, sum: nats per event", *(_nats(one.get("nll_per_event")) for one in known)],
        [f"{split}, ngram_joint: nats per event", *(_nats(one.get("ngram_joint")) for one in known)],
        [f"{split}, sum: nats per note", *(_nats(one.get("nll_per_note")) for one in known)],
    ]


def _epochs(model: Mapping[str, Any] | None) -> str:
    return "" if model is None else f"{model['epochs']}, {model['best_epoch']}"


def _nats(nll: float | None) -> str:
    return "" if nll is None else f"{nll:.3f}"


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else f"{seconds:.0f}"


TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
  table { border-collapse: collapse; } th, td { padding: .2em .8em; border-bottom: 1px solid #dee2e6; text-align: right; }
  th:first-child, td:first-child { text-align: left; } img { max-width: 100%; }
</style>
<h1>{{ title }}</h1>
{% if notes %}<ul>{% for note in notes %}<li>{{ note }}</li>
{% endfor %}</ul>
{% endif %}<table>
<tr>{% for cell in head %}<th>{{ cell }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
<p><img src="curves.svg" alt="Learning curves of each recipe">
</html>"""

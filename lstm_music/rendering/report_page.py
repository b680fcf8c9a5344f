"""The report of the experiments as a page: Markdown, and the same as HTML."""

from collections.abc import Mapping, Sequence
from typing import Any

Findings = Sequence[Mapping[str, Any]]

INTRODUCTION = (
    "Validation accuracy as the report gives it, what the same architecture reaches here by its way of splitting (random "
    "windows, leaky: the window before a held-out event overlaps windows that were trained on), and by piece. The lookup "
    "table learns nothing: it answers with what most often followed the longest run of the same tokens. The n-grams are counted "
    "and tuned on validation; ngram_joint reads all streams, more than most of these models do. By random windows, the music "
    "goes on from a segment that was trained on, for all of it was."
)
COLUMNS = (
    "architecture",
    "split",
    "stream",
    "reported",
    "ours, best",
    "ours, last epoch",
    "test",
    "lookup",
    "majority",
    "previous",
    "ngram",
    "ngram_joint",
    "epochs",
)


def table(findings: Findings) -> list[list[str]]:
    """Lay the findings out, a row for each stream of each experiment, in the order of `COLUMNS`."""
    return [_row(found, stream) for found in findings for stream in found["streams"]]


def report_markdown(findings: Findings) -> str:
    """Write the report as Markdown; its pictures lie beside it."""
    rows = [COLUMNS, ["---"] * len(COLUMNS), *table(findings)]
    lines = ["# The report, reproduced", "", INTRODUCTION, "", *_warnings(findings)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    for found in findings:
        name = f"{found['architecture']}-{found['protocol']}"
        lines += ["", f"## {found['title']}", "", f"The report: {found['said']}.", ""]
        lines += [f"- {what}: {value:.3f}" for what, value in found["faults"].items()]
        lines += ["", f"![learning curves](curves-{name}.svg)", "", f"![piano roll](music-{name}.svg)"]
    return "\n".join(lines) + "\n"


def report_html(findings: Findings) -> str:
    """Write the report as one page of HTML; its pictures lie beside it."""
    import jinja2

    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE)
    parts = {"introduction": INTRODUCTION, "warnings": _warnings(findings), "columns": COLUMNS, "rows": table(findings)}
    return template.render(**parts, findings=findings) + "\n"


def _warnings(findings: Findings) -> list[str]:
    """Say where not all of the report's files were there, so that its numbers are those of other music."""
    missing = sorted({name for found in findings for name in found["missing"]})
    if not missing:
        return []
    return [f"**Not the report's music:** {len(missing)} of its files were not there ({', '.join(missing)}).", ""]


def _row(found: Mapping[str, Any], stream: Mapping[str, Any]) -> list[str]:
    validation, test, reported = stream["validation"], stream.get("test"), stream["reported"]
    return [
        found["architecture"],
        found["split"],
        stream["stream"],
        _reported(reported),
        _percent(validation["accuracy"]),
        _percent(stream["last_validation"]),
        _percent(test["accuracy"] if test else None),
        _percent(validation["lookup"]),
        *(
            _percent(validation["baselines"][name]["accuracy"])
            for name in ("majority", "previous", "ngram", "ngram_joint")
        ),
        f"{found['epochs'][stream['model']]}, best {stream['best_epoch']}",
    ]


def _reported(reported: Mapping[str, Any] | None) -> str:
    if reported is None:
        return "poor"
    notebook = reported["notebook"]
    return _percent(reported["validation"]) + (f" ({_percent(notebook)})" if notebook else "")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The report, reproduced</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
  table { border-collapse: collapse; } th, td { padding: .2em .6em; border-bottom: 1px solid #dee2e6; text-align: right; }
  th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; } img { max-width: 100%; }
</style>
<h1>The report, reproduced</h1>
<p>{{ introduction }}</p>
{% for warning in warnings %}<p>{{ warning }}</p>
{% endfor %}<table>
<tr>{% for column in columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
{% for found in findings %}
<h2>{{ found.title }}</h2>
<p>The report: {{ found.said }}.</p>
<ul>{% for what, value in found.faults.items() %}<li>{{ what }}: {{ "%.3f"|format(value) }}</li>{% endfor %}</ul>
<p><img src="curves-{{ found.architecture }}-{{ found.protocol }}.svg" alt="learning curves">
<p><img src="music-{{ found.architecture }}-{{ found.protocol }}.svg" alt="piano roll">
{% endfor %}
</html>"""

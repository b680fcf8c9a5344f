"""How the parts of an ensemble look: a colour and a pattern each, so that colour is never the only sign.

The colours keep a distance of 0.1 in OKLab from each other for people who see all of them and for those who lack one kind of
cones, and a contrast of 3 with what lies behind them. The patterns are dashes along a note, so that a picture needs no ids.
Drums are short marks, which no other part has.
"""

COLOURS = (  # light, dark
    ("#223496", "#5f7ee6"),
    ("#a26f07", "#a97e1a"),
    ("#6c0654", "#db5392"),
    ("#219384", "#5fc6b5"),
    ("#7e4a09", "#f29a39"),
    ("#9769dc", "#bf9bfc"),
    ("#1c3605", "#9ce890"),
    ("#5c5c69", "#e9eaf9"),
)

PATTERNS = ("filled", "hollow", "striped", "half filled", "dotted", "lined", "in blocks", "dashed")

NOTE_HEIGHT = 7
SWATCH_WIDTH, SWATCH_HEIGHT = 32, 9

_STROKES = {  # pattern: the dashes of a stroke that is too thin for marks
    "hollow": "6 2",
    "striped": "2 2",
    "half filled": "10 3",
    "dotted": "1 3",
    "lined": "8 2 2 2",
    "in blocks": "4 4",
    "dashed": "3 2",
}
_BACKGROUND = ("#ffffff", "#1c1f25")
_MARKS = {  # pattern: the dashes along the middle of a note
    "filled": "display: none",
    "hollow": "display: none",
    "striped": "stroke-width: 6; stroke-dasharray: 2 2.5",
    "half filled": "stroke-width: 3; transform: translateY(1.5px)",
    "dotted": "stroke-width: 3.5; stroke-dasharray: 0 5; stroke-linecap: round; stroke-dashoffset: -2.5",
    "lined": "stroke-width: 2",
    "in blocks": "stroke-width: 6; stroke-dasharray: 6 5",
    "dashed": "stroke-width: 3; stroke-dasharray: 6 3",
}


def classes_of(part: int) -> str:
    """Name the classes of a part, counted from 0: a colour and a pattern; after eight parts the patterns get other colours."""
    turn, pattern = divmod(part, len(PATTERNS))
    return f"colour-{(pattern + 3 * turn) % len(COLOURS)} pattern-{pattern}"


def part_style() -> str:
    """Give the rules for whatever has a class of `classes_of` below `lstm-parts`: notes, marks, hits and strokes."""

    def variables(dark: bool) -> str:
        own = [("background", _BACKGROUND), *((f"part-{at}", pair) for at, pair in enumerate(COLOURS))]
        return " ".join(f"--p-{name}: var(--roll-{name}, {pair[dark]});" for name, pair in own)

    rules = [
        f".lstm-parts {{ {variables(dark=False)} }}",
        f"@media (prefers-color-scheme: dark) {{ .lstm-parts {{ {variables(dark=True)} }} }}",
        *(f".lstm-parts .colour-{at} {{ --p-own: var(--p-part-{at}); }}" for at in range(len(COLOURS))),
        ".lstm-parts .note { fill: var(--p-background); stroke: var(--p-own); stroke-width: 1.2; }",
        ".lstm-parts .pattern-0 .note, .lstm-parts .hit { fill: var(--p-own); }",
        ".lstm-parts .mark { fill: none; stroke: var(--p-own); }",
        *(f".lstm-parts .pattern-{at} .mark {{ {_MARKS[name]}; }}" for at, name in enumerate(PATTERNS)),
        ".lstm-parts path.stroke { stroke: var(--p-own); }",
        *(
            f".lstm-parts .stroke.pattern-{PATTERNS.index(name)} {{ stroke-dasharray: {dashes}; }}"
            for name, dashes in _STROKES.items()
        ),
        ".lstm-parts .unheard { opacity: .3; }",
    ]
    return "\n".join(rules)


def swatch(part: int, *, is_drum: bool) -> str:
    """Draw what the notes of a part look like, as a group of SVG in a box of `SWATCH_WIDTH` x `SWATCH_HEIGHT`."""
    if is_drum:
        drawn = "".join(f'<rect class="hit" x="{x}" y="1" width="3" height="{NOTE_HEIGHT}"/>' for x in (3, 11, 19, 27))
    else:
        drawn = (
            f'<rect class="note" x="0.5" y="1.5" width="{SWATCH_WIDTH - 1}" height="{NOTE_HEIGHT - 1}" rx="1.5"/>'
            f'<path class="mark" d="M1 4.5h{SWATCH_WIDTH - 2}"/>'
        )
    return f'<g class="{classes_of(part)}">{drawn}</g>'

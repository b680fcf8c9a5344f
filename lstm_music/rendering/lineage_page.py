"""The lineage of a result as a page: its models, every piece that they learnt from, and the versions that made it all."""

from collections.abc import Mapping
from typing import Any

from lstm_music.rendering.listening_page import page_environment


def lineage_page(found: Mapping[str, Any]) -> str:
    """Write the page as HTML; the same lineage gives the same text."""
    return page_environment().get_template("lineage_page.html.jinja").render(found=found)

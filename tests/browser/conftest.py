"""Pages in a real Chromium that notice every request, every message of the console and every dialogue."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file from the disk; at the end of the test nothing may have left it, and nobody may have complained."""
    contexts, opened, requested, complaints = [], set(), set(), []

    def visit(path: Path, *, before: str = "", **options: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
        contexts.append(context)
        context.on("request", lambda request: requested.add(request.url))
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        opened.add(path.as_uri())
        page.goto(path.as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url for url in requested if urlsplit(url).scheme not in {"data", "blob"}} == opened

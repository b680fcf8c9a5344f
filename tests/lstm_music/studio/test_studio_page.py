"""The composing page as text: its scripts are joined as they lie, run alone by their digest, and names are text."""

import gzip
import re
import shutil
import subprocess
from base64 import b64decode
from collections import Counter
from pathlib import Path

import pytest

from lstm_music.studio import page
from lstm_music.studio.page import ENGINE, PAGE, PIECE, WORKER, Studio, page_script, studio_page, worker_script

FOLDER = Path(page.__file__).parent
FACTS = {
    "prompts": [{"events": [[3, 4, 5]], "title": "<script>alert(1)</script>", "composer": "</script>", "bars": [1, 4]}],
    "parts": [],
    "instruments": [{"name": "Piano & more", "key": "0"}],
    "model": "tiny",
    "controls": ["density", "key"],
    "ranges": {"density": [3, 20]},
    "range": [40, 80],
    "keys": ["C major"],
    "progressions": [],
}


@pytest.fixture(scope="module")
def text():
    return studio_page(Studio("Studio: <b>", FACTS, b"tables", b"sounds"))


def test_every_module_is_in_the_page_and_stands_behind_what_it_imports():
    for folder, orders in (("engine", [ENGINE]), ("page", [WORKER, PAGE])):
        assert {path.stem for path in (FOLDER / folder).glob("*.js")} == {name for order in orders for name in order}
        for order in orders:
            for place, name in enumerate(order):
                needed = re.findall(r'from "\./(\w+)\.js"', (FOLDER / folder / f"{name}.js").read_text())
                assert set(needed) <= set(order[:place]), name


@pytest.mark.parametrize("script", [page_script(), worker_script()], ids=["page", "worker"])
def test_names_of_joined_modules_are_unique_and_nothing_is_imported_or_exported(script, tmp_path):
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", script, re.MULTILINE)
    assert len(names) > 20
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    if node := shutil.which("node"):
        path = tmp_path / "script.js"
        path.write_text(script)
        subprocess.run([node, "--check", path], check=True)


def test_names_are_text_and_the_script_runs_by_its_digest(text):
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;, &lt;/script&gt;, bars 1 to 4" in text
    assert "<h1>Studio: &lt;b&gt;</h1>" in text
    assert text.count("<script") == text.count("</script>") == 5
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_blocks_are_packed_and_the_page_is_the_same_each_time(text):
    found = re.findall(
        r'<script type="application/octet-stream" (?:id="sounds"|class="tables"[^>]*)>([^<]*)</script>', text
    )
    assert [gzip.decompress(b64decode(block)) for block in found] == [b"sounds", b"tables"]
    assert studio_page(Studio("Studio: <b>", FACTS, b"tables", b"sounds")) == text


def test_tables_are_in_pieces_behind_the_scripts():
    tables = bytes(range(256)) * (2 * PIECE // 256) + b"end"
    text = studio_page(Studio("x", FACTS, tables, b""))
    pieces = re.findall(rf'class="tables" data-size="{len(tables)}">([^<]*)<', text)
    assert b"".join(gzip.decompress(b64decode(piece)) for piece in pieces) == tables
    assert len(pieces) == 3
    assert text.index("class Studio") < text.index('class="tables"')


def test_everything_that_can_be_used_is_explained(text):
    body = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    for tag in re.findall(r"<(?:button|input|select)\b[^>]*>", body):
        is_shown_as_needed = any(f'id="{one}"' in tag for one in ("undo", "redo", "file", "place", "shortcuts"))
        described = re.search(r'aria-describedby="([\w-]+)"', tag)
        assert is_shown_as_needed or "title=" in tag or (described and f'id="{described[1]}">' in body), tag


def test_the_page_offers_only_the_controls_that_the_models_have(text):
    for control, is_there in (("density", True), ("key", True), ("polyphony", False), ("mean-pitch", False)):
        assert (f'id="{control}"' in text) is is_there
    assert 'min="2" max="20" step="1" value="2" aria-describedby="density-hint" data-free' in text  # 2 asks nothing
    assert 'id="instrument"' in text
    with_parts = studio_page(Studio("x", FACTS | {"parts": [{"name": "Bass"}]}, b"", b""))
    assert 'id="instrument"' not in with_parts

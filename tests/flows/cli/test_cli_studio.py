"""`lstm-music studio` writes the page of the promoted models, and says what is wrong with what it was given."""

import json

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _needs_sounds():
    for library in ("midirenderer", "pretty_midi", "soundfile"):
        pytest.importorskip(library, reason=f"{library}, by which the page's sounds are made, is not installed")


@pytest.mark.operation
def test_a_page_is_written_the_same_each_time(tiny, lstm_music, tmp_path):
    options = ("--recipe", tiny.recipe, "--storage", tiny.storage)
    found = lstm_music("studio", *options, "-o", tmp_path / "one.html", "--json")
    assert found.code == 0, found.errors
    data = (tmp_path / "one.html").read_bytes()
    assert json.loads(found.out) == {"page": str(tmp_path / "one.html"), "bytes": len(data), "recipe": "tiny"}
    assert data.startswith(b"<!doctype html>")
    assert f"Made {tmp_path / 'one.html'}" in found.errors
    lstm_music("studio", *options, "--output", tmp_path / "two.html")
    assert (tmp_path / "two.html").read_bytes() == data


@pytest.mark.operation
def test_a_page_that_cannot_be_written_is_an_error_before_any_work(tiny, lstm_music, tmp_path):
    found = lstm_music("studio", "--storage", tiny.storage, "-o", tmp_path / "gone" / "one.html")
    assert found.code == 6
    assert "is no folder; make it, or give another file" in found.errors
    found = lstm_music("studio", "--storage", tiny.storage, "-o", tmp_path)
    assert found.code == 6
    assert "cannot be written" in found.errors


@pytest.mark.operation
def test_the_page_of_a_bundle_needs_no_storage(lstm_music, tmp_path):
    found = lstm_music("studio", "bach", "-o", tmp_path / "bach.html")
    assert found.code == 0, found.errors
    assert (tmp_path / "bach.html").stat().st_size < 20e6
    found = lstm_music("studio", "bach", "--storage", tmp_path / "storage")
    assert (found.code, "MODEL: names a bundle" in found.errors) == (2, True)


@pytest.mark.operation
def test_without_models_or_with_a_wrong_soundfont_nothing_is_written(tiny, lstm_music, tmp_path):
    found = lstm_music("studio", "--storage", tmp_path / "empty", "-o", tmp_path / "one.html")
    assert found.code == 6
    (tmp_path / "no.sf2").write_bytes(b"no soundfont")
    options = ("--storage", tiny.storage, "-o", tmp_path / "one.html", "--soundfont", tmp_path / "no.sf2")
    found = lstm_music("studio", *options)
    assert (found.code, "is no soundfont by its first bytes" in found.errors) == (3, True)
    assert not (tmp_path / "one.html").exists()

"""A composing page in Chromium, from the disk and offline, for many bars: gaps, the heap of the page, and its process.

    python benchmarks/studio_long.py studio.html --bars 1000 --tempo 1200

The player plays at a tempo above its slider's: the same scheduler, notes and sounds, only sooner. A gap is a moment at which the
music was not composed yet. `--tempo 0` plays at the tempo of the prompt. Playwright and Chromium are needed; see `--chromium`.
"""

import argparse
import math
import resource
import shutil
import time
from pathlib import Path
from typing import Any

FIRST_SECONDS = 60


def main() -> None:
    """Play the page, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--bars", type=int, default=1000)
    parser.add_argument("--tempo", type=float, default=1200)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=flags)
        page = browser.new_context(offline=True).new_page()
        page.goto(asked.page.absolute().as_uri())
        while not page.evaluate("studio.music.bars > 8"):
            page.wait_for_timeout(200)
        page.click("#play")
        if asked.tempo:
            page.evaluate(f"studio.player.setTempo({asked.tempo})")
        _play(page, asked.bars, browser.new_browser_cdp_session())
        browser.close()


def _play(page: Any, bars: int, system: Any) -> None:
    client = page.context.new_cdp_session(page)
    started, early = time.monotonic(), 0.0
    while (bar := page.evaluate("studio.music.barOf(studio.player.step)")) < bars:
        page.wait_for_timeout(1000)
        if not early and time.monotonic() - started >= FIRST_SECONDS:
            early, process = _heap(client), _process(system)
            print(
                f"after {FIRST_SECONDS} s: bar {bar}, heap {early / 1e6:.1f} MB, process {process / 1e6:.0f} MB",
                flush=True,
            )
    late, process = _heap(client), _process(system)
    gaps, events = page.evaluate("[studio.player.gaps, studio.music.events.length]")
    seconds = time.monotonic() - started
    print(f"{bar} bars in {seconds:.0f} s: {gaps} gaps, {events} events kept")
    print(f"at the end: heap {late / 1e6:.1f} MB, process {process / 1e6:.0f} MB")
    if early:
        print(f"heap at the end / after the first minute: {late / early:.2f}")


def _process(system: Any) -> float:
    """Give the bytes in memory of the process that has the page and its worker; on Linux only, else not a number."""
    renderers = [
        one["id"] for one in system.send("SystemInfo.getProcessInfo")["processInfo"] if one["type"] == "renderer"
    ]
    sizes = [Path(f"/proc/{pid}/statm") for pid in renderers]
    pages = [int(path.read_text().split()[1]) for path in sizes if path.exists()]
    return float(max(pages) * resource.getpagesize()) if pages else math.nan


def _heap(client: Any) -> float:
    """Give the bytes of the page's heap behind a collection of garbage; the worker has one of its own, which no client sees."""
    client.send("HeapProfiler.collectGarbage")
    return float(client.send("Runtime.getHeapUsage")["usedSize"])


if __name__ == "__main__":
    main()

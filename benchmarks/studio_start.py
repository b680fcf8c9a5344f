"""How long a composing page takes from opening to its first new note, in Chromium, from the disk and offline.

    python benchmarks/studio_start.py studio.html --times 3

Times are in seconds: of the clock until the browser has read the page and until the first new note is there, and of all
processors for all of it. On a busy machine only the last one says something.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

SINCE = "Number.isFinite(window.firstNote) && window.firstNote / 1000"
NOTE = """
const look = () => {
  const music = window.studio?.music;
  if (music && !music.isFresh) window.firstNote = performance.now();
  else setTimeout(look, 5);
};
look();
"""


def main() -> None:
    """Open the page some times, each time in a browser of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print("page read, s | first new note, s | processors, s")
    for _ in range(asked.times):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
            context = browser.new_context(offline=True)
            context.add_init_script(NOTE)
            page = context.new_page()
            system = browser.new_browser_cdp_session()
            before = _processor_seconds(system)
            page.goto(asked.page.absolute().as_uri())
            while not (note := page.evaluate(SINCE)):
                page.wait_for_timeout(50)
            timing = "performance.getEntriesByType('navigation')[0].domContentLoadedEventStart / 1000"
            print(f"{page.evaluate(timing):.1f} | {note:.1f} | {_processor_seconds(system) - before:.1f}", flush=True)
            browser.close()


def _processor_seconds(system: Any) -> float:
    """Add up what the processes of a browser have used."""
    return float(sum(one["cpuTime"] for one in system.send("SystemInfo.getProcessInfo")["processInfo"]))


if __name__ == "__main__":
    main()

"""A real headless Chromium: the system's own, driven by Playwright, for the console's tests and recording."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# In a container there is no sandbox and little shared memory; no card draws, nothing is fetched from afar.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
)
START_MS = 90_000


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Started, and ended at the end. Raises FileNotFoundError where none is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise FileNotFoundError(f"none of {', '.join(NAMES)} is installed; apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=START_MS)
        try:
            yield browser
        finally:
            browser.close()

"""Record the console at work: the simulated graph, the page in a headless Chromium, one sentence and why.

    .venv/bin/python scripts/record_console.py [--out docs/images/console.webp]

Needs what `make setup-dev` installs. Played back at the speed at which it happened, unless that took
longer than LENGTH_S: the command prints by how much it is quicker then.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from PIL import Image
from playwright.sync_api import Page, ViewportSize

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browser import running_browser  # noqa: E402
from tests.support.graph import PATIENT, running_graph  # noqa: E402

SENTENCE = "put the red cube in the blue bowl"
SIZE = ViewportSize(width=1200, height=750)
WIDTH = 1000
SHOTS_PER_S = 4.0
LENGTH_S = 20.0
AT_MOST_BYTES = 3_000_000
LIMIT_S = 120.0


class Film:
    """Pictures of a page, each with when it was taken."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shots: list[tuple[float, bytes]] = []

    def during(self, ended: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        """Pictures until then. Raises TimeoutError."""
        began_s = time.monotonic()
        while not ended():
            now_s = time.monotonic()
            if now_s - began_s > limit_s:
                raise TimeoutError(
                    f"not seen within {limit_s:g} s; the page says: {self._page.inner_text('body')}"
                )
            self._shots.append((now_s, self._page.screenshot()))
            time.sleep(max(0.0, now_s + 1 / SHOTS_PER_S - time.monotonic()))

    def hold(self, seconds: float) -> None:
        """Pictures for so long."""
        until_s = time.monotonic() + seconds
        self.during(lambda: time.monotonic() > until_s)

    def type(self, words: str) -> None:
        """Letters as a person types them, with pictures."""
        for word in words.split(" "):
            self._page.locator("#words").press_sequentially(word + " ")
            self.hold(0.2)

    def save(self, path: Path) -> dict[str, Any]:
        """As an animated WebP; its facts."""
        times = [at_s for at_s, _ in self._shots]
        lasted = [b - a for a, b in pairwise(times)]
        lasted.append(1 / SHOTS_PER_S)
        faster = max(1.0, sum(lasted) / LENGTH_S)
        height = round(WIDTH * SIZE["height"] / SIZE["width"])
        frames = [
            Image.open(BytesIO(png)).convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
            for _, png in self._shots
        ]
        frames[0].save(
            path,
            save_all=True,
            append_images=frames[1:],
            duration=[round(1000 * s / faster) for s in lasted],
            loop=0,
            quality=70,
            method=4,
        )
        return {
            "frames": len(frames),
            "seconds": round(sum(lasted) / faster, 1),
            "faster_than_it_was": round(faster, 2),
            "bytes": path.stat().st_size,
        }


def play(page: Page, film: Film) -> None:
    """What is to be seen: a sentence, what comes of it, and why."""
    film.hold(0.5)
    page.click("#words")
    film.type(SENTENCE)
    page.press("#words", "Enter")
    film.during(lambda: page.locator("#chat li.done, #chat li.refused").count() > 0)
    if page.locator("#chat li.refused").count():
        raise RuntimeError(f"it was refused: {page.inner_text('#chat')}")
    film.hold(1.0)
    page.click("#why-plan")
    film.during(lambda: page.locator("#why-picture").is_visible())
    film.hold(3.0)


def record(out: Path) -> dict[str, Any]:
    """Start all, play, save, end all."""
    scene = yaml.safe_load((ROOT / "sim" / "scenes" / "demo.yaml").read_text())[0]["scene"]
    with tempfile.TemporaryDirectory() as folder:
        config = PATIENT | {
            "camera": PATIENT["camera"] | {"max_age_s": 3.0},
            "console": {"port": 0, "picture_hz": 5.0},
            "audit": {"directory": f"{folder}/audit"},
        }
        with (
            running_graph(Path(folder), config=config, scene=scene, console=True) as graph,
            running_browser() as browser,
        ):
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.set_default_timeout(1000 * LIMIT_S)
            log = Path(folder) / "logs" / "console.log"
            printed = graph.wait(
                lambda: [w for w in log.read_text().split() if "#token=" in w], "the address"
            )
            page.goto(printed[0])
            page.locator("#no-picture").wait_for(state="hidden")
            page.get_by_text("simulated").wait_for()
            film = Film(page)
            play(page, film)
    return film.save(out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "console.webp")
    out = parser.parse_args().out
    facts = record(out)
    print(f"{out.name}: {facts}")
    if facts["bytes"] > AT_MOST_BYTES:
        print(f"larger than {AT_MOST_BYTES} bytes: take fewer pictures, or smaller ones", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

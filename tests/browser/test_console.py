"""The console in a real headless Chromium, over the real graph: talk, approve, stop, point, reload."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from tests.support.graph import PATIENT, SCENE, Graph, running_graph

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]
LONG_MS = 90_000


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("console")
    config = PATIENT | {"console": {"port": 0}, "audit": {"directory": str(folder / "audit")}}
    with running_graph(folder, config=config, approval="always", console=True) as running:
        running.log = folder / "logs" / "console.log"  # type: ignore[attr-defined]
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # In a container there is no sandbox to be had.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def address(graph: Any) -> str:
    def found() -> re.Match[str] | None:
        log = Path(graph.log)
        return re.search(r"console: open (http://\S+)", log.read_text()) if log.is_file() else None

    return graph.wait(found, "the console's address")[1]


@pytest.fixture
def page(graph: Graph, browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(LONG_MS)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(address(graph))
    opened.wait_for_selector("#no-picture", state="hidden", timeout=LONG_MS)
    yield opened
    opened.close()
    assert not faults


def say(page: Page, words: str) -> None:
    page.fill("#words", words)
    page.press("#words", "Enter")


def approve(page: Page) -> None:
    page.wait_for_selector("#approval:not([hidden])", timeout=LONG_MS)
    page.click("#approve")


def test_a_sentence_is_approved_and_carried_out_before_two_pages(
    graph: Graph, browser: Browser, page: Page
) -> None:
    other = browser.new_page()
    other.goto(address(graph))
    say(page, "put the red cube in the blue bowl")
    page.wait_for_selector("#approval:not([hidden])", timeout=LONG_MS)
    assert page.locator("#steps li").count() == 2
    other.wait_for_selector("#chat li.you:has-text('red cube')", timeout=LONG_MS)
    # In the middle of it: what was known is there again.
    page.reload()
    approve(page)
    page.wait_for_selector("#chat li.done", timeout=LONG_MS)
    other.wait_for_selector("#chat li.done", timeout=LONG_MS)
    other.close()
    graph.wait(
        lambda: holds("in(red_cube, blue_bowl)", graph.client.world, Scene.from_dict(SCENE)), "the goal", 10.0
    )


def test_a_plan_is_edited_and_its_reason_shown(graph: Graph, page: Page) -> None:
    say(page, "put the green ball in the blue bowl")
    page.wait_for_selector("#approval:not([hidden])", timeout=LONG_MS)
    page.get_by_label("drop step 2").click()
    page.click("#apply")
    page.wait_for_function("document.querySelectorAll('#steps li').length === 1", timeout=LONG_MS)
    page.click("#why-plan")
    page.wait_for_selector("#why-picture:not([hidden])", timeout=LONG_MS)
    assert "green ball" in page.inner_text("#why-facts")
    page.click("#why-close")
    page.click("#reject")
    page.wait_for_selector("#chat li.refused:has-text('rejected')", timeout=LONG_MS)


def test_escape_stops_the_moving_arm(graph: Graph, page: Page) -> None:
    say(page, "put the green ball in the blue bowl")
    graph.statuses.clear()
    approve(page)
    graph.wait(lambda: graph.seen("phase", "approach"), "motion", 90.0)
    page.keyboard.press("Escape")
    page.wait_for_selector("#chat li.refused:has-text('stop')", timeout=LONG_MS)
    assert graph.seen("stopped")


def test_what_is_clicked_is_this(graph: Graph, page: Page) -> None:
    say(page, "pick up the green ball")
    page.wait_for_selector("#approval:not([hidden])", timeout=LONG_MS)
    x0, y0, x1, y1 = page.evaluate(
        "(async () => (await import('/app.js')).known().plan.steps[0].target.box)()"
    )
    page.click("#reject")
    page.wait_for_selector("#chat li.refused:has-text('rejected')", timeout=LONG_MS)
    area = page.locator("#canvas").bounding_box()
    width = page.evaluate("document.getElementById('canvas').width")
    scale = area["width"] / width
    page.mouse.click(area["x"] + scale * (x0 + x1) / 2, area["y"] + scale * (y0 + y1) / 2)
    page.wait_for_selector("#chips button")
    say(page, "pick this up")
    page.wait_for_selector("#approval:not([hidden])", timeout=LONG_MS)
    assert "green ball" in page.inner_text("#steps")
    page.click("#reject")


def test_a_wrong_token_sees_and_moves_nothing(graph: Graph, browser: Browser) -> None:
    stranger = browser.new_page()
    stranger.goto(address(graph).split("#")[0] + "#token=wrong")
    stranger.wait_for_function("document.getElementById('link').textContent.includes('wrong token')")
    assert stranger.locator("#chat li").count() == 0
    assert stranger.is_visible("#no-picture")
    stranger.close()

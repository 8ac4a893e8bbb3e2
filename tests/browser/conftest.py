"""One running graph, one console and one headless Chromium for all tests of this folder."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from std_srvs.srv import Trigger

from tests.support.browser import running_browser
from tests.support.graph import PATIENT, Graph, running_graph

PATIENCE_MS = 90_000
# The page's policy forbids eval, so waiting is done by locators, never by wait_for_function.
expect.set_options(timeout=PATIENCE_MS)
SCENE: dict[str, Any] = {
    "seed": 7,
    "objects": [
        {"id": "red_cube", "shape": "cube", "color": "red", "position": [0.42, 0.12], "yaw": 0.3},
        {"id": "yellow_cube", "shape": "cube", "color": "yellow", "position": [0.33, 0.20]},
        {"id": "blue_bowl", "shape": "bowl", "color": "blue", "position": [0.50, -0.15]},
        {"id": "green_ball", "shape": "ball", "color": "green", "position": [0.36, -0.05]},
    ],
}
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """All nodes, every plan waiting for approval; a restarted console keeps its port and token."""
    folder = tmp_path_factory.mktemp("console")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = PATIENT | {
        "camera": PATIENT["camera"] | {"max_age_s": 3.0},
        "console": {"port": port, "token": "known-to-the-tests", "picture_hz": 2.0},
        "audit": {"directory": str(folder / "audit")},
    }
    with running_graph(
        folder, config=config, scene=SCENE, approval="always", console=True, camera_rate_hz=4.0
    ) as running:
        running.log = folder / "logs" / "console.log"  # type: ignore[attr-defined]
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Without one the tests fail: what is not tried is not known to work.
    with running_browser() as started:
        yield started


def address(graph: Any, starts: int = 1) -> str:
    """What the console printed when it was started for the last time, its secret in it; `starts` at least."""

    def found() -> str | None:
        log = Path(graph.log)
        told = re.findall(r"console: open (http://\S+)", log.read_text()) if log.is_file() else []
        return told[-1] if len(told) >= starts else None

    return graph.wait(found, "the console's address")


@pytest.fixture
def open_page(graph: Graph, browser: Browser) -> Iterator[Open]:
    """Opens a page of its own, joined and with a picture; faults in its scripts fail the test."""
    faults: list[str] = []
    pages: list[Page] = []

    def opened(**settings: Any) -> Page:
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 800}} | settings))
        pages.append(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        answer = page.goto(address(graph))
        # A refusal is a page too, on which nothing would ever appear.
        assert answer is not None and answer.status == 200, (answer, page.content())
        joined(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert not faults


@pytest.fixture
def page(graph: Graph, open_page: Open) -> Iterator[Page]:
    """The page of one test, every thing where the scene has it and no task under way."""
    as_at_first(graph)
    page = open_page()
    yield page
    if task(page) is not None:
        page.click("#stop")
        expect(page.locator("#task")).to_have_text("idle")


def as_at_first(graph: Graph) -> None:
    """Everything where the scene has it, and a picture of that taken."""
    reset = graph.client.node.create_client(Trigger, "simulator/reset")
    assert reset.wait_for_service(60.0)
    graph.wait(reset.call_async(Trigger.Request()).done, "reset")
    graph.client.node.destroy_client(reset)

    def back() -> bool:
        objects = graph.client.world.objects
        return all(
            np.allclose(objects[o["id"]].position_m[:2], o["position"], atol=0.01) for o in SCENE["objects"]
        )

    graph.wait(back, "the scene as at first")
    began_s = graph.client.world.time_s
    graph.wait(lambda: graph.client.world.time_s > began_s + 0.6, "a picture of it")


def joined(page: Page) -> None:
    """Connected, and with a picture."""
    expect(page.locator("#link")).to_have_text("connected")
    # It is there, and not shown: of a page that was refused no selector would tell so.
    expect(page.locator("#no-picture")).to_have_count(1)
    expect(page.locator("#no-picture")).to_be_hidden()


def known(page: Page) -> dict[str, Any]:
    """The page's own last plan and task."""
    return page.evaluate("(async () => (await import('/app.js')).known())()")


def task(page: Page) -> dict[str, Any] | None:
    return known(page)["task"]


def say(page: Page, words: str) -> None:
    page.fill("#words", words)
    page.press("#words", "Enter")


def waits(page: Page) -> None:
    """Until a plan waits for approval."""
    page.wait_for_selector("#approval:not([hidden])")


def ends(page: Page, how: str, words: str = "") -> None:
    """Until the chat's last line tells such an end."""
    page.wait_for_selector(f"#chat li.{how}:last-child:has-text('{words}')")


def moves(graph: Graph) -> None:
    """Until the arm is on its way."""
    graph.wait(lambda: graph.seen("phase", "approach") or graph.seen("phase", "descend"), "motion", 90.0)

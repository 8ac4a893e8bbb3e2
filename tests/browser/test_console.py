"""The console in a real Chromium over the real graph: talk, approve, stop, point, reload, reconnect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from tests.browser.conftest import SCENE, Open, address, ends, joined, known, moves, say, task, waits
from tests.support.graph import Graph

pytestmark = pytest.mark.timeout(240)
RECONNECTED_MS = 3000
CONNECTS = """
address => new Promise(told => {
  const socket = new WebSocket(address);
  socket.onopen = () => { socket.close(); told("open"); };
  socket.onerror = () => told("refused");
})
"""


def holds_now(graph: Graph, goal: str) -> None:
    graph.wait(lambda: holds(goal, graph.client.world, Scene.from_dict(SCENE)), goal, 20.0)


def test_a_sentence_is_done_before_two_pages_one_of_them_reloaded(
    graph: Graph, page: Page, open_page: Open
) -> None:
    other = open_page()
    graph.statuses.clear()
    say(page, "put the red cube in the blue bowl")
    waits(page)
    waits(other)
    assert page.locator("#steps li").count() == other.locator("#steps li").count() == 2
    page.reload()
    # What was known is there again, in the middle of the plan that waits, and of the motion.
    waits(page)
    other.click("#approve")
    moves(graph)
    expect(other.locator("#approve")).to_be_hidden()
    page.reload()
    joined(page)
    assert page.locator("#chat li.you").last.inner_text() == "put the red cube in the blue bowl"
    for each in (page, other):
        ends(each, "done")
        assert task(each) is None
    holds_now(graph, "in(red_cube, blue_bowl)")


def test_a_plan_is_edited_by_a_phrase_then_approved(graph: Graph, page: Page) -> None:
    say(page, "put the red cube in the blue bowl")
    waits(page)
    first = known(page)["plan"]["plan_id"]
    page.get_by_role("textbox", name="another thing for step 1").fill("the green ball")
    page.press("#steps input", "Enter")
    page.click("#apply")
    page.wait_for_selector("#approve:not([hidden])")
    page.wait_for_selector("#steps li:first-child:has-text('green ball')")
    assert known(page)["plan"]["plan_id"] != first
    page.click("#approve")
    ends(page, "done")
    holds_now(graph, "in(green_ball, blue_bowl)")
    assert not holds("in(red_cube, blue_bowl)", graph.client.world, Scene.from_dict(SCENE))


def test_a_step_is_dropped_the_reason_shown_and_the_plan_rejected(page: Page) -> None:
    say(page, "put the green ball in the blue bowl")
    waits(page)
    page.get_by_label("drop step 2").click()
    page.click("#apply")
    expect(page.locator("#steps li")).to_have_count(1)
    page.click("#why-plan")
    page.wait_for_selector("#why-picture:not([hidden])")
    assert "green ball" in page.inner_text("#why-facts")
    page.click("#why-close")
    page.click("#reject")
    ends(page, "refused", "rejected")
    expect(page.locator("#approve")).to_be_hidden()


@pytest.mark.parametrize("how", ["Escape", "Space", "the button"])
def test_the_moving_arm_is_stopped(graph: Graph, page: Page, how: str) -> None:
    say(page, "put the green ball in the blue bowl")
    waits(page)
    graph.statuses.clear()
    page.click("#approve")
    moves(graph)
    if how == "the button":
        page.click("#stop")
    else:
        # Space means a blank where somebody types.
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(how)
    ends(page, "refused", "stop")
    assert graph.seen("stopped")
    assert not holds("in(green_ball, blue_bowl)", graph.client.world, Scene.from_dict(SCENE))


def test_a_question_is_answered_by_a_button(page: Page) -> None:
    say(page, "put the cube in the blue bowl")
    question = page.locator("#chat li:last-child", has=page.locator("button"))
    question.get_by_role("button", name="yellow").click()
    waits(page)
    assert "yellow cube" in page.inner_text("#steps li:first-child")
    page.click("#reject")
    ends(page, "refused", "rejected")


def test_what_is_clicked_is_this(page: Page) -> None:
    say(page, "pick up the green ball")
    waits(page)
    x0, y0, x1, y1 = known(page)["plan"]["steps"][0]["target"]["box"]
    page.click("#reject")
    ends(page, "refused", "rejected")
    area = page.locator("#canvas").bounding_box()
    assert area is not None
    scale = area["width"] / page.evaluate("document.getElementById('canvas').width")
    page.mouse.click(area["x"] + scale * (x0 + x1) / 2, area["y"] + scale * (y0 + y1) / 2)
    page.wait_for_selector("#chips button")
    say(page, "pick this up")
    waits(page)
    assert "green ball" in page.inner_text("#steps")
    page.click("#reject")
    ends(page, "refused", "rejected")


def test_a_restarted_console_is_found_again_by_the_same_page(graph: Graph, page: Page) -> None:
    page.evaluate("window.never_reloaded = true")
    say(page, "put the green ball in the blue bowl")
    waits(page)
    plan = known(page)["plan"]
    starts = Path(graph.log).read_text().count("console: open ")
    graph.nodes.kill("console")
    expect(page.locator("#link")).to_contain_text("connection lost")
    graph.nodes.revive("console")
    address(graph, starts + 1)
    expect(page.locator("#link")).to_have_text("connected", timeout=RECONNECTED_MS)
    # The plan still waits, for who knows of it; a console that does not know it cannot offer it.
    expect(page.locator("#approval")).to_be_hidden()
    assert graph.client.decide(plan["plan_id"], plan["digest"], False) == "rejected"
    # And serves: words go out, an answer and pictures come.
    say(page, "how many cubes are there?")
    ends(page, "answer", "2")
    assert page.evaluate("window.never_reloaded") is True


def test_a_wrong_token_sees_and_moves_nothing(graph: Graph, browser: Browser) -> None:
    stranger = browser.new_page()
    stranger.goto(address(graph).split("#")[0] + "#token=wrong")
    expect(stranger.locator("#link")).to_contain_text("wrong token")
    assert stranger.locator("#chat li").count() == 0
    assert stranger.is_visible("#no-picture")
    stranger.close()


@pytest.fixture
def foreign_site(tmp_path: Path) -> Iterator[str]:
    """Another web server on this machine."""
    (tmp_path / "index.html").write_text("<title>another site</title>")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    ) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()


def test_a_page_of_another_site_cannot_connect(
    graph: Graph, browser: Browser, open_page: Open, foreign_site: str
) -> None:
    place = f"ws://{urlsplit(address(graph)).netloc}/ws"
    assert open_page().evaluate(CONNECTS, place) == "open"
    foreign = browser.new_page()
    foreign.goto(foreign_site)
    assert foreign.evaluate(CONNECTS, place) == "refused"
    foreign.close()

"""An axe-core scan of the page, light and dark, wide and narrow: nothing serious, nothing critical."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, as_at_first, ends, say, waits
from tests.support.graph import Graph

pytestmark = pytest.mark.timeout(240)


def grave(page: Page) -> list[str]:
    """Serious and critical findings in words, each with where it is."""
    found = Axe().run(page).response
    assert len(found["passes"]) > 10, "axe looked at next to nothing"
    return [
        f"{finding['id']} ({finding['impact']}) at {node['target']}: {node.get('failureSummary', '')}"
        for finding in found["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_a_person_out(
    graph: Graph, open_page: Open, scheme: str, size: tuple[int, int]
) -> None:
    as_at_first(graph)
    page = open_page(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
    page.click("#health-box summary")
    expect(page.locator("#health li").first).to_be_visible()
    say(page, "put the cube in the blue bowl")
    page.locator("#chat li:last-child").get_by_role("button", name="yellow").wait_for()
    assert grave(page) == []
    say(page, "put the green ball in the blue bowl")
    waits(page)
    page.click("#picture")
    expect(page.locator("#chips button")).to_be_visible()
    assert grave(page) == []
    page.click("#why-plan")
    page.wait_for_selector("#why-picture:not([hidden])")
    assert grave(page) == []
    page.click("#why-close")
    page.click("#reject")
    ends(page, "refused", "rejected")
    assert grave(page) == []

"""What all pages see alike: a bounded snapshot for who comes new, and a bounded queue for each page.

A page that reads too slowly loses pictures first, and is dropped when its words pile up: it would show the
past.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

CHAT_KEPT, STATUS_KEPT, TIMINGS_KEPT = 100, 30, 40
WAITING = 200
PICTURES = ("color", "depth")


class Page:
    """One client's queue. Belongs to the event loop."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self.pictures: dict[str, bytes] = {}
        self.fresh = asyncio.Event()
        self.slow = False

    def put(self, text: str) -> None:
        """One more message; a page with too many is marked slow."""
        try:
            self.waiting.put_nowait(text)
        except asyncio.QueueFull:
            self.slow = True
        self.fresh.set()

    def show(self, kind: str, jpeg: bytes) -> None:
        """The newest picture takes the place of one that still waits."""
        self.pictures[kind] = jpeg
        self.fresh.set()


class Hub:
    """`tell` and `show` may be called from any thread once `loop` runs; the snapshot keeps the last."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.pages: set[Page] = set()
        self._chat: deque[dict[str, Any]] = deque(maxlen=CHAT_KEPT)
        self._status: deque[dict[str, Any]] = deque(maxlen=STATUS_KEPT)
        self._timings: deque[dict[str, Any]] = deque(maxlen=TIMINGS_KEPT)
        self._last: dict[str, dict[str, Any]] = {}
        self._pictures: dict[str, bytes] = {}

    def tell(self, topic: str, **content: Any) -> None:
        """Everybody hears of it: `topic` is chat, status, timing, or one of which only the last counts
        (plan, task, health, speech)."""
        message = {"type": topic, **content}
        self._soon(self._tell, message)

    def show(self, kind: str, jpeg: bytes) -> None:
        """A picture, `kind` one of PICTURES."""
        self._soon(self._show, kind, jpeg)

    def join(self) -> Page:
        """A new page, with all that is known. On the event loop."""
        page = Page()
        page.put(json.dumps(self.snapshot()))
        for kind, jpeg in self._pictures.items():
            page.show(kind, jpeg)
        self.pages.add(page)
        return page

    def leave(self, page: Page) -> None:
        """It is gone."""
        self.pages.discard(page)

    def snapshot(self) -> dict[str, Any]:
        """What a new page is told."""
        kept = {"chat": self._chat, "status": self._status, "timing": self._timings}
        return {"type": "snapshot", **{k: list(v) for k, v in kept.items()}, **self._last}

    def _soon(self, call: Any, *arguments: Any) -> None:
        loop = self.loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(call, *arguments)

    def _tell(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        kept = {"chat": self._chat, "status": self._status, "timing": self._timings}.get(kind)
        if kept is None:
            self._last[kind] = message
        else:
            kept.append(message)
        text = json.dumps(message)
        for page in self.pages:
            page.put(text)

    def _show(self, kind: str, jpeg: bytes) -> None:
        self._pictures[kind] = jpeg
        for page in self.pages:
            page.show(kind, jpeg)

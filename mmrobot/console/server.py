"""The web server: one page, its files, and one WebSocket on which everything is said."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from mmrobot.config import ConsoleConfig
from mmrobot.console.guard import HEADERS, Door, Rate, same_token
from mmrobot.console.hub import PICTURES, Hub, Page
from mmrobot.errors import InvalidConfigError, MmrobotError, NotUnderstoodError
from mmrobot.types import Pointing

STATIC = Path(__file__).resolve().parent / "static"
FILES = {"": "index.html", "app.js": "app.js", "picture.js": "picture.js", "voice.js": "voice.js",
         "recorder.js": "recorder.js", "style.css": "style.css"}  # fmt: skip
HELLO_WITHIN_S = 5.0
WRONG_TOKEN, TOO_MUCH, TOO_SLOW = 4401, 4413, 4408


class Robot(Protocol):
    """What a page can ask of the robot. Calls may wait; they raise MmrobotError."""

    def say(self, words: str, pointings: tuple[Pointing, ...]) -> None:
        """Words to the robot; what comes of them is told through the hub."""

    def stop(self) -> None:
        """Hold still, now."""

    def decide(self, plan_id: str, digest: str, approve: bool) -> str:
        """On the plan that waits."""

    def edit(self, plan_id: str, digest: str, keep: list[int], changes: list[dict[str, Any]]) -> None:
        """Change the plan that waits; a change has `step`, `part` and `phrase` or `box`."""

    def explain(self, plan_id: str, step: int) -> tuple[dict[str, Any], bytes]:
        """The audit record, and a PNG."""

    def hear(self, samples: bytes, last: bool) -> None:
        """Sound of the page's microphone: 16-bit little-endian mono at 16 kHz."""


def make_app(robot: Robot, hub: Hub, config: ConsoleConfig, token: str, port: int | None = None) -> Starlette:
    """The application; `hub.loop` is set when it starts. `port` is the one that it listens on, which is not
    the configuration's where that says 0."""
    door = Door(
        config.host, config.port if port is None else port, tuple(n for n in config.names.split(",") if n)
    )

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        # From the start on, so that who comes late is told what happened before any page was open.
        hub.loop = asyncio.get_running_loop()
        yield

    async def file(request: Request) -> Response:
        if not door.admits(request.headers):
            return PlainTextResponse("this host or origin is not served", 403, HEADERS)
        name = FILES.get(request.path_params.get("name", ""))
        if name is None:
            return PlainTextResponse("no such file", 404, HEADERS)
        return FileResponse(STATIC / name, headers=HEADERS)

    async def talk(socket: WebSocket) -> None:
        hub.loop = asyncio.get_running_loop()
        if not door.admits(socket.headers, needs_origin=True):
            await socket.close(4403)
            return
        await socket.accept()
        try:
            hello = json.loads(await asyncio.wait_for(socket.receive_text(), HELLO_WITHIN_S))
            known = isinstance(hello, dict) and same_token(hello.get("token"), token)
        except (ValueError, KeyError, TimeoutError, WebSocketDisconnect):
            known = False
        if not known:
            await _close(socket, WRONG_TOKEN)
            return
        if len(hub.pages) >= config.max_pages:
            await _close(socket, TOO_MUCH)
            return
        page = hub.join()
        sending = asyncio.create_task(_send(socket, page))
        try:
            await _receive(socket, page, _Handler(robot, page, config), config)
        finally:
            hub.leave(page)
            sending.cancel()

    return Starlette(
        routes=[Route("/", file), Route("/{name}", file), WebSocketRoute("/ws", talk)],
        lifespan=running,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, at a free port for 0. Raises InvalidConfigError where it cannot."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise InvalidConfigError(
            f"the console cannot listen on {host}:{port}: {error.strerror or error}",
            "end the other program, or set console.port",
        ) from error


async def _receive(socket: WebSocket, page: Page, handler: _Handler, config: ConsoleConfig) -> None:
    rate = Rate(config.messages_per_s)
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if page.slow:
            await _close(socket, TOO_SLOW)
            return
        data = message.get("bytes") or message.get("text") or ""
        if len(data) > config.max_message_bytes or not rate.allows():
            await _close(socket, TOO_MUCH)
            return
        await handler.handle(data)


async def _send(socket: WebSocket, page: Page) -> None:
    try:
        while not page.slow:
            await page.fresh.wait()
            page.fresh.clear()
            while not page.waiting.empty():
                await socket.send_text(page.waiting.get_nowait())
            for kind in list(page.pictures):
                await socket.send_bytes(bytes([PICTURES.index(kind)]) + page.pictures.pop(kind))
        await _close(socket, TOO_SLOW)
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # the page is gone; the receiving side sees it too


async def _close(socket: WebSocket, code: int) -> None:
    try:
        await socket.close(code)
    except (RuntimeError, WebSocketDisconnect, OSError):
        return


class _Handler:
    """What one page asks for. Each request has a thread, so that a stop never waits for another."""

    def __init__(self, robot: Robot, page: Page, config: ConsoleConfig) -> None:
        self._robot, self._page, self._config = robot, page, config
        self._jobs: set[asyncio.Task[None]] = set()

    async def handle(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            # The first byte tells whether the button was let go.
            self._start(lambda: self._robot.hear(data[1:], bool(data[:1] == b"\x01")), "")
            return
        try:
            asked = json.loads(data)
            work = self._work(asked)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._page.put(
                json.dumps({"type": "error", "message": f"not understood by the console: {error}"})
            )
            return
        if len(self._jobs) >= self._config.max_jobs and asked["do"] != "stop":
            self._page.put(json.dumps({"type": "error", "message": "too much at once; wait a moment"}))
            return
        self._start(work, str(asked["do"]))

    def _start(self, work: Callable[[], Any], what: str) -> None:
        job = asyncio.create_task(self._run(work, what))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    def _work(self, asked: dict[str, Any]) -> Callable[[], Any]:
        robot, do = self._robot, asked["do"]
        if do == "stop":
            return robot.stop
        if do == "say":
            pointings = tuple(
                Pointing(_box(p["box"]), int(p.get("stamp_ns", 0))) for p in asked.get("pointings", ())
            )
            words = str(asked["words"])
            return lambda: robot.say(words, pointings)
        if do == "decide":
            return lambda: robot.decide(str(asked["plan_id"]), str(asked["digest"]), asked["approve"] is True)
        if do == "edit":
            keep = [int(i) for i in asked.get("keep", ())]
            changes = [_change(c) for c in asked.get("changes", ())]
            return lambda: robot.edit(str(asked["plan_id"]), str(asked["digest"]), keep, changes)
        if do == "why":
            plan_id, step = str(asked.get("plan_id", "")), int(asked.get("step", -1))
            return lambda: self._why(plan_id, step)
        raise ValueError(f"no such request: {str(do)[:40]}")

    def _why(self, plan_id: str, step: int) -> dict[str, Any]:
        record, png = self._robot.explain(plan_id, step)
        return {"record": record, "step": step, "picture": base64.b64encode(png).decode()}

    async def _run(self, work: Callable[[], Any], what: str) -> None:
        try:
            made = await run_in_threadpool(work)
        except MmrobotError as error:
            self._page.put(json.dumps({"type": "error", "to": what, **error.as_dict()}))
            return
        if isinstance(made, dict):
            self._page.put(json.dumps({"type": what, **made}))


def _box(box: Any) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(v) for v in box)
    return x0, y0, x1, y1


def _change(change: dict[str, Any]) -> dict[str, Any]:
    """Checked here, so that a page hears at once what is wrong. Raises ValueError."""
    made: dict[str, Any] = {"step": int(change["step"]), "part": str(change["part"])}
    if made["part"] not in ("target", "reference"):
        raise ValueError(f"part is '{made['part'][:20]}', target or reference is meant")
    made |= {"box": _box(change["box"])} if "box" in change else {"phrase": str(change["phrase"])}
    return made


def refuse_empty(words: str) -> str:
    """Words without their blanks. Raises NotUnderstoodError for none."""
    if not words.strip():
        raise NotUnderstoodError("nothing was said", "type what the robot is to do")
    return words.strip()

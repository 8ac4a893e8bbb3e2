"""Who may speak to the console, how much, and that all pages see the same."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mmrobot.config import ConsoleConfig
from mmrobot.console.guard import Door, Rate, same_token
from mmrobot.console.hub import CHAT_KEPT, WAITING, Hub, Page
from mmrobot.console.server import FILES, STATIC, listen, make_app, refuse_empty
from mmrobot.errors import InvalidConfigError, NotUnderstoodError, StaleError
from mmrobot.types import Pointing

TOKEN = "a-secret"
OWN = {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765"}


class FakeRobot:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def say(self, words: str, pointings: tuple[Pointing, ...]) -> None:
        self.asked.append(("say", refuse_empty(words), pointings))

    def stop(self) -> None:
        self.asked.append(("stop",))

    def decide(self, plan_id: str, digest: str, approve: bool) -> str:
        if digest == "old":
            raise StaleError("plan 'p' is not the one that waits", "look again")
        self.asked.append(("decide", plan_id, digest, approve))
        return "approved"

    def edit(self, plan_id: str, digest: str, keep: list[int], changes: list[dict[str, Any]]) -> None:
        self.asked.append(("edit", plan_id, digest, keep, changes))

    def explain(self, plan_id: str, step: int) -> tuple[dict[str, Any], bytes]:
        return {"plan_id": plan_id}, b"png"

    def hear(self, samples: bytes, last: bool) -> None:
        self.asked.append(("hear", samples, last))


@pytest.fixture
def robot() -> FakeRobot:
    return FakeRobot()


@pytest.fixture
def hub() -> Hub:
    return Hub()


def client(robot: FakeRobot, hub: Hub, **settings: Any) -> TestClient:
    return TestClient(
        make_app(robot, hub, ConsoleConfig(**settings), TOKEN), base_url="http://127.0.0.1:8765"
    )


def hello(socket: Any, token: Any = TOKEN) -> dict[str, Any]:
    socket.send_text(json.dumps({"token": token}))
    return json.loads(socket.receive_text())


def until(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_served_with_a_strict_policy(robot: FakeRobot, hub: Hub, name: str) -> None:
    answer = client(robot, hub).get(f"/{name}", headers={"host": OWN["host"]})
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ["../server.py", "%2e%2e/hub.py", "nothing", "server.py"])
def test_no_other_file_is_served(robot: FakeRobot, hub: Hub, name: str) -> None:
    assert client(robot, hub).get(f"/{name}", headers={"host": OWN["host"]}).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example:8765"])
def test_a_name_bent_to_this_address_is_refused(robot: FakeRobot, hub: Hub, host: str) -> None:
    assert client(robot, hub).get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"host": OWN["host"], "origin": "http://evil.example"},
        {"host": OWN["host"]},
        {"host": "evil.example:8765", "origin": "http://evil.example:8765"},
    ],
)
def test_a_page_of_another_site_cannot_connect(robot: FakeRobot, hub: Hub, headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client(robot, hub).websocket_connect("/ws", headers=headers) as socket,
    ):
        hello(socket)


@pytest.mark.parametrize("token", ["", "wrong", None, 7, ["a-secret"]])
def test_a_wrong_token_is_refused_and_nothing_is_done(robot: FakeRobot, hub: Hub, token: Any) -> None:
    with client(robot, hub).websocket_connect("/ws", headers=OWN) as socket:
        socket.send_text(json.dumps({"token": token}))
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 4401 and not hub.pages and not robot.asked


def test_what_is_asked_for_reaches_the_robot(robot: FakeRobot, hub: Hub) -> None:
    with client(robot, hub).websocket_connect("/ws", headers=OWN) as socket:
        assert hello(socket)["type"] == "snapshot"
        pointing = {"box": [1, 2, 3, 4], "stamp_ns": "5"}
        for asked in (
            {"do": "say", "words": " pick this up ", "pointings": [pointing]},
            {"do": "stop"},
            {"do": "decide", "plan_id": "p", "digest": "d", "approve": True},
            {
                "do": "edit", "plan_id": "p", "digest": "d", "keep": [1, 0],
                "changes": [{"step": 0, "part": "target", "phrase": "the cup"}],
            },
        ):  # fmt: skip
            socket.send_text(json.dumps(asked))
        socket.send_bytes(b"\x01ab")
        until(lambda: len(robot.asked) == 5)
        assert sorted(robot.asked, key=str) == sorted(
            [
                ("say", "pick this up", (Pointing((1.0, 2.0, 3.0, 4.0), 5),)),
                ("stop",),
                ("decide", "p", "d", True),
                ("edit", "p", "d", [1, 0], [{"step": 0, "part": "target", "phrase": "the cup"}]),
                ("hear", b"ab", True),
            ],
            key=str,
        )
        socket.send_text(json.dumps({"do": "why", "plan_id": "p", "step": 0}))
        told = json.loads(socket.receive_text())
        assert told["type"] == "why" and told["record"] == {"plan_id": "p"}


@pytest.mark.parametrize(
    "asked",
    [
        "no json", "[]", "7", "{}", '{"do": "dance"}', '{"do": "say"}',
        '{"do": "say", "words": "take this", "pointings": [{"box": [3, 3, 1, 1]}]}',
        '{"do": "edit", "plan_id": "p", "digest": "d", "changes": [{"step": 0, "part": "x"}]}',
        '{"do": "say", "words": "  "}', '{"do": "decide", "plan_id": "p", "digest": "old", "approve": true}',
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_and_the_page_stays(robot: FakeRobot, hub: Hub, asked: str) -> None:
    with client(robot, hub).websocket_connect("/ws", headers=OWN) as socket:
        hello(socket)
        socket.send_text(asked)
        assert json.loads(socket.receive_text())["type"] == "error"
        socket.send_text('{"do": "stop"}')
        until(lambda: robot.asked == [("stop",)])


@pytest.mark.parametrize("how", ["large", "fast", "full"])
def test_too_much_closes_the_connection(robot: FakeRobot, hub: Hub, how: str) -> None:
    settings = {"max_message_bytes": 1024, "messages_per_s": 5.0}
    if how == "full":
        hub.pages.update(Page() for _ in range(8))
    with (
        client(robot, hub, **settings).websocket_connect("/ws", headers=OWN) as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        hello(socket)
        for _ in range(20 if how == "fast" else 1):
            socket.send_text(json.dumps({"do": "why", "x": "y" * (2000 if how == "large" else 1)}))
        while True:
            socket.receive_text()
    assert closed.value.code == 4413


def test_two_pages_see_the_same_and_a_new_one_what_was_before(robot: FakeRobot, hub: Hub) -> None:
    own = client(robot, hub)
    with (
        own,
        own.websocket_connect("/ws", headers=OWN) as one,
        own.websocket_connect("/ws", headers=OWN) as two,
    ):
        hello(one)
        hello(two)
        hub.tell("chat", who="you", text="<b>hi</b>")
        hub.tell("plan", plan={"plan_id": "p"})
        hub.show("color", b"12345678jpeg")
        for socket in (one, two):
            assert json.loads(socket.receive_text())["text"] == "<b>hi</b>"
            assert json.loads(socket.receive_text())["plan"] == {"plan_id": "p"}
            assert socket.receive_bytes() == b"\x0012345678jpeg"
        with own.websocket_connect("/ws", headers=OWN) as late:
            known = hello(late)
            assert known["chat"][0]["text"] == "<b>hi</b>" and known["plan"]["plan"] == {"plan_id": "p"}
            assert late.receive_bytes() == b"\x0012345678jpeg"


def test_a_slow_page_loses_pictures_and_then_its_place() -> None:
    page = Page()
    page.show("color", b"old")
    page.show("color", b"new")
    assert page.pictures == {"color": b"new"}
    for i in range(WAITING):
        page.put(str(i))
    assert not page.slow
    page.put("one more")
    assert page.slow


def test_the_snapshot_is_bounded(hub: Hub) -> None:
    for i in range(3 * CHAT_KEPT):
        hub._tell({"type": "chat", "text": str(i)})
    assert len(hub.snapshot()["chat"]) == CHAT_KEPT


def test_rates_tokens_and_doors() -> None:
    rate = Rate(5.0)
    assert [rate.allows() for _ in range(8)].count(True) in (5, 6)
    assert same_token("x", "x") and not same_token("x", "y") and not same_token(None, "x")
    wide = Door("0.0.0.0", 8765, ("robot.local",))
    assert wide.admits({"host": "192.168.1.5:8765"}) and wide.admits({"host": "robot.local:8765"})
    assert not wide.admits({"host": "evil.example:8765"})
    with pytest.raises(NotUnderstoodError):
        refuse_empty(" ")


def test_at_a_free_port_it_answers_to_the_port_it_got(robot: FakeRobot, hub: Hub) -> None:
    app = make_app(robot, hub, ConsoleConfig(port=0), TOKEN, port=43501)
    asking = TestClient(app, base_url="http://127.0.0.1:43501")
    assert asking.get("/").status_code == 200
    assert asking.get("/", headers={"host": "127.0.0.1:43502"}).status_code == 403


def test_what_happens_before_any_page_is_open_is_kept(robot: FakeRobot, hub: Hub) -> None:
    with client(robot, hub) as own:
        hub.tell("chat", who="you", text="early")
        with own.websocket_connect("/ws", headers=OWN) as socket:
            assert hello(socket)["chat"][0]["text"] == "early"


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InvalidConfigError, match=f"127.0.0.1:{port}.*in use") as error:
            listen("127.0.0.1", port)
    assert "console.port" in error.value.fix
    listen("127.0.0.1", port).close()


def test_the_page_puts_no_markup_of_others_into_itself() -> None:
    for file in STATIC.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        assert not any(word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(")), (
            file
        )
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert "http://" not in page and "https://" not in page and "onclick=" not in page

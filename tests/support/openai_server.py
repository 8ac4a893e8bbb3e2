"""A small real HTTP server that speaks chat completions as well, or as badly, as a test wants."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def completion(text: Any) -> bytes:
    """A chat completion with these words."""
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()


@dataclass
class Exchange:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    connection: int


Answer = Callable[[BaseHTTPRequestHandler, Exchange], None]


def answering(status: int, data: bytes, headers: dict[str, str] | None = None) -> Answer:
    """An answer of this status and body."""

    def answer(handler: BaseHTTPRequestHandler, _: Exchange) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def saying(text: Any) -> Answer:
    """A proper completion."""
    return answering(200, completion(text))


def half(handler: BaseHTTPRequestHandler, _: Exchange) -> None:
    """The connection ends in the middle of the body."""
    data = completion("half")
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.close_connection = True


def slammed(handler: BaseHTTPRequestHandler, _: Exchange) -> None:
    """The connection ends without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def hanging(seconds: float) -> Answer:
    """Nothing comes for this long."""
    return lambda handler, exchange: (time.sleep(seconds), slammed(handler, exchange))[1]


def dripping(handler: BaseHTTPRequestHandler, _: Exchange) -> None:
    """A byte now and then, for ten seconds."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _i in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


@dataclass
class OpenAiServer:
    """`answers` are given one after the other, the last one for ever; `seen` holds the requests."""

    answers: list[Answer]
    seen: list[Exchange] = field(default_factory=list)
    url: str = ""

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        body = json.loads(handler.rfile.read(length)) if length else None
        port = handler.client_address[1]
        exchange = Exchange(handler.command, handler.path, dict(handler.headers), body, port)
        self.seen.append(exchange)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            answer(handler, exchange)
        except OSError:
            handler.close_connection = True  # the client has gone: that is what some tests are about


@contextmanager
def openai_server(*answers: Answer) -> Iterator[OpenAiServer]:
    """A server on a free port of loopback; `url` ends in /v1."""
    script = OpenAiServer(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            script.handle(self)

        def do_POST(self) -> None:
            script.handle(self)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

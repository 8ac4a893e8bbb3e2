"""The remote backend against a real HTTP server that misbehaves in every way that servers do."""

from __future__ import annotations

import json
import logging
import socket
import time
from typing import Any

import numpy as np
import pytest

from mmrobot.config import RemoteConfig
from mmrobot.errors import InvalidConfigError, ModelUnavailableError
from mmrobot.vlm.remote_backend import RemoteChat
from mmrobot.vlm.remote_protocol import (
    MAX_REPLY_BYTES,
    RemoteRefusedError,
    RemoteReplyError,
    RemoteTimeoutError,
    RemoteUnavailableError,
)
from tests.support.openai_server import (
    OpenAiServer,
    answering,
    dripping,
    half,
    hanging,
    openai_server,
    saying,
    slammed,
)

PICTURE = np.full((24, 32, 3), 128, np.uint8)
SCHEMA = {"type": "object"}


def chat(server: OpenAiServer, **settings: Any) -> RemoteChat:
    return RemoteChat(RemoteConfig(url=server.url, **{"model": "m", "timeout_s": 5.0, **settings}))


def test_a_request_is_answered_and_the_connection_is_kept() -> None:
    with openai_server(saying("one"), saying("two")) as server, chat(server) as remote:
        assert remote.reply(PICTURE, "where?", SCHEMA, 17) == "one"
        assert remote.reply(PICTURE, "where?") == "two"
    first, second = server.seen
    assert (first.method, first.path) == ("POST", "/v1/chat/completions")
    assert first.body is not None and first.body["max_tokens"] == 17
    assert first.body["response_format"]["type"] == "json_schema"
    assert first.connection == second.connection, "the connection was not kept"
    assert remote.name == f"m at {server.url}"


@pytest.mark.parametrize(
    "fault", [half, slammed, answering(429, b""), answering(500, b"x"), answering(503, b"")]
)
def test_passing_faults_are_tried_again(fault: Any) -> None:
    with openai_server(fault, fault, saying("at last")) as server, chat(server) as remote:
        assert remote.reply(PICTURE, "where?") == "at last"
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (half, "failed 3 times"),
        (slammed, "failed 3 times"),
        (answering(500, b'{"error": "on fire"}'), "on fire"),
    ],
)
def test_lasting_faults_are_named_after_bounded_tries(fault: Any, words: str) -> None:
    with (
        openai_server(fault) as server,
        chat(server) as remote,
        pytest.raises(RemoteUnavailableError, match=words) as told,
    ):
        remote.reply(PICTURE, "where?")
    assert len(server.seen) == 3 and told.value.fix


def test_retry_after_is_kept_and_the_deadline_too() -> None:
    busy = answering(429, b"", {"Retry-After": "0.4"})
    with openai_server(busy, saying("yes")) as server, chat(server) as remote:
        started = time.monotonic()
        assert remote.reply(PICTURE, "where?") == "yes"
        assert time.monotonic() - started >= 0.4
    busy = answering(429, b"", {"Retry-After": "3600"})
    with openai_server(busy) as server, chat(server) as remote:
        started = time.monotonic()
        with pytest.raises(RemoteUnavailableError, match="429"):
            remote.reply(PICTURE, "where?")
        assert time.monotonic() - started < 2.0 and len(server.seen) == 1


@pytest.mark.parametrize("fault", [hanging(3.0), dripping])
def test_silence_and_dripping_end_within_the_time(fault: Any) -> None:
    with openai_server(fault) as server, chat(server, timeout_s=0.5) as remote:
        started = time.monotonic()
        with pytest.raises(RemoteTimeoutError, match=r"within 0\.5 s") as told:
            remote.reply(PICTURE, "where?")
        assert time.monotonic() - started < 1.5
    assert told.value.code.name == "TIMEOUT" and len(server.seen) == 1


def test_after_a_fault_the_next_request_works() -> None:
    with openai_server(hanging(1.0), saying("back")) as server, chat(server, timeout_s=0.3) as remote:
        with pytest.raises(RemoteTimeoutError):
            remote.reply(PICTURE, "where?")
        assert remote.reply(PICTURE, "where?") == "back"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_told_at_once(status: int) -> None:
    with (
        openai_server(answering(status, b'{"error": {"message": "because"}}')) as server,
        chat(server) as remote,
        pytest.raises(RemoteRefusedError, match=f"{status}: because"),
    ):
        remote.reply(PICTURE, "where?", SCHEMA)
    assert len(server.seen) == 1


def test_redirects_are_not_followed() -> None:
    with openai_server(saying("stolen")) as other:
        moved = answering(307, b"", {"Location": f"{other.url}/chat/completions"})
        with (
            openai_server(moved) as server,
            chat(server) as remote,
            pytest.raises(RemoteRefusedError, match="307") as told,
        ):
            remote.reply(PICTURE, "where?")
    assert not other.seen and "redirects" in told.value.fix


@pytest.mark.parametrize("data", [b"<html>", b"{}", b'{"choices": [{"mess'])
def test_garbage_is_named(data: bytes) -> None:
    with (
        openai_server(answering(200, data)) as server,
        chat(server) as remote,
        pytest.raises(RemoteReplyError, match="no chat completion"),
    ):
        remote.reply(PICTURE, "where?")


def test_an_endless_reply_is_cut_off() -> None:
    with (
        openai_server(answering(200, b" " * (MAX_REPLY_BYTES + 1))) as server,
        chat(server) as remote,
        pytest.raises(RemoteReplyError, match="more than"),
    ):
        remote.reply(PICTURE, "where?")


def test_a_body_that_cannot_be_unpacked_is_named() -> None:
    packed = answering(200, b"not gzip", {"Content-Encoding": "gzip"})
    with (
        openai_server(packed) as server,
        chat(server) as remote,
        pytest.raises(RemoteReplyError, match="unpacked"),
    ):
        remote.reply(PICTURE, "where?")


def test_a_server_without_schemas_is_asked_without_from_then_on() -> None:
    no_schema = answering(400, b'{"detail": "unknown field response_format"}')
    with openai_server(no_schema, saying("{}"), saying("{}")) as server, chat(server) as remote:
        assert remote.reply(PICTURE, "where?", SCHEMA) == "{}"
        assert remote.reply(PICTURE, "where?", SCHEMA) == "{}"
    assert ["response_format" in (e.body or {}) for e in server.seen] == [True, False, False]


def test_yes_and_no_by_the_first_tokens_where_the_server_tells_them() -> None:
    top = [{"token": "Yes", "logprob": -0.1}, {"token": "No", "logprob": -3.0}]
    reply = {"message": {"content": "Yes"}, "logprobs": {"content": [{"logprob": -0.1, "top_logprobs": top}]}}
    with (
        openai_server(answering(200, json.dumps({"choices": [reply]}).encode())) as server,
        chat(server) as remote,
    ):
        yes, no = remote.first_token_probability(PICTURE, "is it?", ("yes", "no")) or (0, 0)
        assert (yes, no) == pytest.approx((0.905, 0.050), abs=1e-3)
        assert remote.reply(PICTURE, "is it?") == "Yes"
        assert remote.last_confidence == pytest.approx(0.905, abs=1e-3)
    no_logprobs = answering(400, b"logprobs is not supported")
    with openai_server(no_logprobs, saying("yes")) as server, chat(server) as remote:
        assert remote.first_token_probability(PICTURE, "is it?", ("yes", "no")) is None
        assert remote.first_token_probability(PICTURE, "is it?", ("yes", "no")) is None
        assert len(server.seen) == 2, "a server that tells no probabilities was asked again"
        assert remote.reply(PICTURE, "is it?") == "yes" and remote.last_confidence is None


def test_nobody_there_is_told_quickly() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        started = time.monotonic()
        with (
            RemoteChat(RemoteConfig(url=url, model="m")) as remote,
            pytest.raises(RemoteUnavailableError, match="failed 3 times"),
        ):
            remote.reply(PICTURE, "where?")
        assert time.monotonic() - started < 2.0


def test_the_only_model_of_the_server_is_taken() -> None:
    with (
        openai_server(answering(200, b'{"data": [{"id": "eyes-2b"}]}'), saying("yes")) as server,
        chat(server, model="") as remote,
    ):
        assert remote.reply(PICTURE, "where?") == "yes"
        assert remote.name.startswith("eyes-2b at")
    assert server.seen[0].path == "/v1/models" and (server.seen[1].body or {})["model"] == "eyes-2b"
    with (
        openai_server(answering(200, b'{"data": [{"id": "a"}, {"id": "b"}]}')) as server,
        chat(server, model="") as remote,
        pytest.raises(ModelUnavailableError, match="2 models: a, b"),
    ):
        remote.reply(PICTURE, "where?")


def test_the_key_is_sent_and_never_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EYES_KEY", "sk-very-secret")
    caplog.set_level(logging.DEBUG)
    with (
        openai_server(saying("yes"), answering(401, b"wrong key")) as server,
        chat(server, key_variable="EYES_KEY") as remote,
    ):
        remote.reply(PICTURE, "where?")
        with pytest.raises(RemoteRefusedError) as refused:
            remote.reply(PICTURE, "where?")
        shown = f"{refused.value} {refused.value.fix} {remote!r} {vars(remote)} {caplog.text}"
    assert server.seen[0].headers["Authorization"] == "Bearer sk-very-secret"
    assert "sk-very-secret" not in shown


@pytest.mark.parametrize("key", [None, "", " ", "two\nlines", "schlüssel"])
def test_a_key_that_is_missing_or_malformed_is_told(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    monkeypatch.delenv("EYES_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("EYES_KEY", key)
    with pytest.raises(InvalidConfigError, match="EYES_KEY") as told:
        RemoteChat(RemoteConfig(url="http://127.0.0.1:1/v1", key_variable="EYES_KEY"))
    assert "schlüssel" not in told.value.message


def test_the_environments_proxy_gets_no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    with openai_server(saying("proxied")) as proxy, openai_server(saying("direct")) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        with chat(server) as remote:
            assert remote.reply(PICTURE, "where?") == "direct"
    assert not proxy.seen


def test_without_a_url_there_is_no_remote() -> None:
    with pytest.raises(InvalidConfigError, match=r"remote\.url is empty"):
        RemoteChat(RemoteConfig())

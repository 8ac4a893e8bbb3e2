"""The chat-completions protocol without a network: what is sent, what is read, what is refused."""

from __future__ import annotations

import base64
import json
import math
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.errors import InvalidConfigError, InvalidImageError
from mmrobot.vlm.remote_protocol import (
    RemoteReplyError,
    chat_request,
    checked_url,
    error_words,
    first_token_shares,
    is_loopback,
    model_names,
    picture_url,
    refusal,
    refused_fields,
    reply_confidence,
    reply_text,
    without,
)
from tests.support.openai_server import completion


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://fleet.example/v1", "https://fleet.example/v1"),
    ],
)
def test_safe_urls(url: str, allowed: str) -> None:
    assert checked_url(url) == allowed


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://192.168.1.20:8000/v1", "unencrypted to '192.168.1.20'"),
        ("http://localhost.example.com/v1", "unencrypted"),
        ("http://0.0.0.0:8000/v1", "unencrypted"),
        ("http://2130706433/v1", "unencrypted"),
        ("ftp://127.0.0.1/v1", "no http or https"),
        ("127.0.0.1:8000/v1", "no http or https"),
        ("http://127.0.0.1:99999/v1", "no URL"),
        ("http://[::1/v1", "no URL"),
        ("https://fleet.example/v1?key=1", "query"),
    ],
)
def test_unsafe_urls_are_refused_with_a_fix(url: str, words: str) -> None:
    with pytest.raises(InvalidConfigError, match=words.replace("[", "\\[")) as refused:
        checked_url(url)
    assert refused.value.fix


def test_plain_http_elsewhere_only_when_the_configuration_says_so() -> None:
    assert checked_url("http://10.0.0.5:8000/v1", allow_plain_http=True) == "http://10.0.0.5:8000/v1"


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidConfigError) as refused:
        checked_url("https://robot:hunter2@fleet.example/v1")
    assert "hunter2" not in refused.value.message + refused.value.fix


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost."])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


def test_png_is_lossless_and_jpeg_is_near_and_both_are_rgb() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = (250, 10, 20)
    for picture_format, tolerance in (("png", 0), ("jpeg", 40)):
        head, _, data = picture_url(picture, picture_format).partition(",")
        assert head == f"data:image/{picture_format};base64"
        back = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert np.abs(back[:, :24].astype(int) - picture[:, :24]).max() <= tolerance


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4), (4, 4, 4)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidImageError, match="must be"):
        picture_url(np.zeros(shape, np.uint8))


def test_the_request_holds_picture_words_and_schema() -> None:
    schema = {"type": "object", "properties": {"box": {"type": "array"}}}
    body = chat_request("m", "data:image/png;base64,AA==", "where?", schema, 64)
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 64, 0.0)
    picture, words = body["messages"][0]["content"]
    assert picture["image_url"]["url"].startswith("data:image/png")
    assert words == {"type": "text", "text": "where?"}
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert "response_format" not in chat_request("m", "data:", "where?", None, 64)


def test_replies_in_both_shapes() -> None:
    assert reply_text(completion("yes")) == "yes"
    assert reply_text(completion([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])) == "ab"
    assert reply_text(completion("")) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>busy</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"content": []}}]}',
        b'{"choices": {"0": 1}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_what_is_no_completion_is_told(data: bytes) -> None:
    with pytest.raises(RemoteReplyError, match="no chat completion") as told:
        reply_text(data)
    assert told.value.code.name == "MODEL_REPLY_INVALID" and len(told.value.message) < 400


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["choices", "message", "content", "text", "error"]), inner, max_size=3
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_text_or_a_named_error(data: bytes) -> None:
    try:
        assert isinstance(reply_text(data), str)
    except RemoteReplyError as error:
        assert error.fix
    assert error_words(data)
    with suppress(RemoteReplyError):
        confidence = reply_confidence(data)
        assert confidence is None or 0 <= confidence <= 1
        assert first_token_shares(data, ("yes", "no")) is None


def told(*tokens: tuple[str, float], top: list[tuple[str, float]] | None = None) -> bytes:
    entries: list[dict] = [{"token": t, "logprob": v} for t, v in tokens]
    if top is not None:
        entries[0]["top_logprobs"] = [{"token": t, "logprob": v} for t, v in top]
    return json.dumps({"choices": [{"message": {"content": "x"}, "logprobs": {"content": entries}}]}).encode()


def test_confidence_is_the_geometric_mean_of_the_tokens() -> None:
    assert reply_confidence(told(("a", math.log(0.9)), ("b", math.log(0.4)))) == pytest.approx(0.6)
    assert reply_confidence(told(("a", 1e-9))) == 1.0
    assert reply_confidence(completion("no logprobs")) is None
    assert reply_confidence(told(("a", math.log(0.9)), ("b", None))) is None  # type: ignore[arg-type]


def test_shares_of_the_first_token() -> None:
    top = [
        ("Yes", math.log(0.5)),
        (" yes", math.log(0.2)),
        ("N", math.log(0.1)),
        ("maybe", math.log(0.1)),
        ("", -1),
    ]
    assert first_token_shares(told(("Yes", -1), top=top), ("yes", "no")) == pytest.approx((0.7, 0.1))
    assert first_token_shares(told(("b", -1), top=[("b", -0.1)]), ("blue", "black")) == (0.0, 0.0)
    assert first_token_shares(completion("yes"), ("yes", "no")) is None
    assert first_token_shares(told(("Yes", -1)), ("yes", "no")) is None


def test_optional_fields_are_found_in_a_refusal() -> None:
    body = chat_request("m", "data:", "?", {"type": "object"}, 9, top_logprobs=20)
    assert refused_fields(b"Unknown field: top_logprobs", body) == {"logprobs"}
    assert refused_fields(b"json_schema is not supported", body) == {"response_format"}
    assert refused_fields(b"the picture is too large", body) == frozenset()
    assert not {"logprobs", "top_logprobs"} & set(without(body, {"logprobs"}))
    assert refused_fields(b"logprobs", without(body, {"logprobs"})) == frozenset()


def test_model_lists() -> None:
    assert model_names(b'{"data": [{"id": "a"}, {"id": 3}, 4, {"id": "b"}]}') == ("a", "b")
    with pytest.raises(RemoteReplyError):
        model_names(b'{"data": 1}')


@pytest.mark.parametrize(
    ("status", "fix"),
    [(401, "key"), (403, "key"), (302, "redirects"), (404, "/v1"), (400, "log")],
)
def test_refusals_say_what_to_do(status: int, fix: str) -> None:
    error = refusal(status, b'{"error": {"message": "because"}}', "http://h/v1")
    assert str(status) in error.message and "because" in error.message and fix in error.fix


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"error": {"message": "out of\\n memory"}}', "out of memory"),
        (b'{"error": "no"}', "no"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"detail": [{"loc": 1}]}', '[{"loc": 1}]'),
        (b"plain", "plain"),
        (b"", "no words"),
    ],
)
def test_the_servers_own_words(data: bytes, words: str) -> None:
    assert error_words(data) == words

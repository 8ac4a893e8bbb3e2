"""The OpenAI chat-completions protocol, without a network: requests made, replies read, errors named.

https://platform.openai.com/docs/api-reference/chat, in the part that vLLM, TensorRT-LLM, SGLang,
llama.cpp's server and `transformers serve` share: one user message of a picture (data URL) and words,
`max_tokens`, temperature 0, and `response_format` with a JSON schema.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ErrorCode, InvalidConfigError, InvalidImageError, ModelUnavailableError

JPEG_QUALITY = 95
MAX_REPLY_BYTES = 4 * 1024 * 1024
_SHOWN = 200


class RemoteUnavailableError(ModelUnavailableError):
    """The server cannot be reached, broke off, or is overloaded."""


class RemoteTimeoutError(RemoteUnavailableError):
    """The server did not answer within the time that a reply may take."""

    code = ErrorCode.TIMEOUT


class RemoteRefusedError(ModelUnavailableError):
    """The server answered that it will not: wrong key, unknown model, a request that it does not take."""


class RemoteReplyError(ModelUnavailableError):
    """What came back is not a chat completion: it is no such server, or it is broken."""

    code = ErrorCode.MODEL_REPLY_INVALID


def checked_url(url: str, allow_plain_http: bool = False) -> str:
    """The base URL without a slash at its end; raises InvalidConfigError when it is not safe to use.

    Plain http is for this machine (a loopback address or `localhost`): elsewhere anybody on the way
    would see the robot's pictures and could answer in the model's place.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidConfigError(
            f"remote.url '{url}' is no URL: {error}", "write http://127.0.0.1:8000/v1"
        ) from error
    if parts.username is not None or parts.password is not None:
        # Not repeated in the message: it holds a secret.
        raise InvalidConfigError(
            f"remote.url for host '{host}' holds a user or password",
            "put the key into an environment variable and name that in remote.key_variable",
        )
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise InvalidConfigError(
            f"remote.url '{url}' is no http or https URL", "write http://127.0.0.1:8000/v1"
        )
    if parts.query or parts.fragment:
        raise InvalidConfigError(f"remote.url '{url}' has a query or fragment", "end it at /v1")
    if parts.scheme == "http" and not is_loopback(host) and not allow_plain_http:
        raise InvalidConfigError(
            f"remote.url '{url}' would send pictures unencrypted to '{host}'",
            "use https, or a tunnel to 127.0.0.1, or set remote.allow_plain_http: true",
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def picture_url(image_rgb: NDArray[np.uint8], picture_format: str = "jpeg") -> str:
    """A picture (H, W, 3) uint8 RGB as a data URL, `jpeg` (quality 95) or `png` (lossless)."""
    if image_rgb.dtype != np.uint8 or image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or 0 in image_rgb.shape:
        raise InvalidImageError(
            f"a picture must be (H, W, 3) uint8, got {image_rgb.shape} {image_rgb.dtype}", "pass RGB bytes"
        )
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if picture_format == "jpeg" else []
    done, data = cv2.imencode(f".{picture_format}", np.ascontiguousarray(image_rgb[..., ::-1]), options)
    if not done:
        raise InvalidImageError(
            f"a picture of {image_rgb.shape} cannot be made a {picture_format}",
            "use the other picture_format",
        )
    return f"data:image/{picture_format};base64,{base64.b64encode(data.tobytes()).decode()}"


OPTIONAL_FIELDS = {"response_format": ("response_format", "json_schema"), "logprobs": ("logprobs",)}
"""What a server may not know, with the words by which it names that in its refusal."""


def chat_request(
    model: str,
    picture: str,
    prompt: str,
    schema: Mapping[str, Any] | None,
    max_tokens: int,
    top_logprobs: int = 0,
) -> dict[str, Any]:
    """The body of POST /chat/completions; `schema` None asks for free text.

    The probability of each token is asked for, and the `top_logprobs` likeliest in its place.
    """
    content = [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "text", "text": prompt},
    ]
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": max_tokens,
        "temperature": 0.0,
        "stream": False,
        "logprobs": True,
    }
    if top_logprobs:
        body["top_logprobs"] = top_logprobs
    if schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": dict(schema)},
        }
    return body


def reply_text(data: bytes) -> str:
    """The assistant's words of a chat completion; raises RemoteReplyError when it is none.

    A reply cut off at `max_tokens` is given as it is: whoever parses it sees that it does not end.
    """
    content = _json_object(data)
    try:
        said = content["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise _no_completion(data) from None
    if isinstance(said, list):
        parts = [part.get("text") for part in said if isinstance(part, dict)]
        said = "".join(part for part in parts if isinstance(part, str)) if parts else None
    if not isinstance(said, str):
        raise _no_completion(data)
    return said


def without(body: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """A request without some of OPTIONAL_FIELDS and what belongs to them."""
    gone = {*fields, *(["top_logprobs"] if "logprobs" in fields else [])}
    return {key: value for key, value in body.items() if key not in gone}


def refused_fields(data: bytes, body: Mapping[str, Any]) -> frozenset[str]:
    """The optional fields of a request that an error answer names."""
    told = data.decode("utf-8", "replace").lower()
    named = (field for field, words in OPTIONAL_FIELDS.items() if any(word in told for word in words))
    return frozenset(field for field in named if field in body)


def reply_confidence(data: bytes) -> float | None:
    """Geometric mean of the probabilities of a completion's tokens, in [0, 1]; None when not told."""
    tokens = _token_entries(data)
    logs = [v for v in (_logprob(entry) for entry in tokens) if v is not None]
    return math.exp(sum(logs) / len(logs)) if logs and len(logs) == len(tokens) else None


def first_token_shares(data: bytes, words: Sequence[str]) -> tuple[float, ...] | None:
    """For each word the total probability of first tokens that begin it; None when not told.

    Case and spaces around do not matter; a token that begins two of the words counts for neither.
    """
    tokens = _token_entries(data)
    top = tokens[0].get("top_logprobs") if tokens else None
    if not isinstance(top, list):
        return None
    shares = dict.fromkeys(words, 0.0)
    for entry in top:
        log = _logprob(entry)
        token = entry.get("token") if isinstance(entry, dict) else None
        if log is None or not isinstance(token, str) or not (said := token.strip().lower()):
            continue
        begun = [w for w in words if said.startswith(w.lower()) or w.lower().startswith(said)]
        if len(begun) == 1:
            shares[begun[0]] += math.exp(log)
    return tuple(min(share, 1.0) for share in shares.values())


def _token_entries(data: bytes) -> list[dict[str, Any]]:
    try:
        entries = _json_object(data)["choices"][0]["logprobs"]["content"]
    except (KeyError, IndexError, TypeError):
        return []
    return entries if isinstance(entries, list) and all(isinstance(e, dict) for e in entries) else []


def _logprob(entry: object) -> float | None:
    value = entry.get("logprob") if isinstance(entry, dict) else None
    # Some servers write a little over 0 by rounding; -9999 is OpenAI's for "very unlikely".
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return min(float(value), 0.0) if known and value is not None else None


def model_names(data: bytes) -> tuple[str, ...]:
    """The models that GET /models lists; raises RemoteReplyError when it is no such list."""
    entries = _json_object(data).get("data")
    if not isinstance(entries, list):
        raise _no_completion(data)
    names = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return tuple(name for name in names if isinstance(name, str))


def refusal(status: int, data: bytes, url: str) -> RemoteRefusedError:
    """The error for a 3xx or 4xx answer, with the server's own words."""
    told = error_words(data)
    if status in (401, 403):
        fix = "put a valid key into the environment variable that remote.key_variable names"
    elif 300 <= status < 400:
        fix = "give the server's own URL as remote.url: redirects are not followed"
    elif status == 404:
        fix = "see that remote.url ends in /v1 and that remote.model is one that the server lists"
    else:
        fix = "see the server's log; compare remote.model with the models that it lists"
    return RemoteRefusedError(f"{url} answered {status}: {told}", fix)


def error_words(data: bytes) -> str:
    """What an error answer says: OpenAI's `error.message`, FastAPI's `detail`, else its beginning."""
    text = data.decode("utf-8", "replace").strip()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        error = content.get("error", content.get("detail", content.get("message")))
        if isinstance(error, dict):
            error = error.get("message", error)
        if error is not None:
            text = error if isinstance(error, str) else json.dumps(error)
    return " ".join(text.split())[:_SHOWN] or "no words"


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise _no_completion(data) from None
    if not isinstance(content, dict):
        raise _no_completion(data)
    return content


def _no_completion(data: bytes) -> RemoteReplyError:
    return RemoteReplyError(
        f"the server's reply is no chat completion: {error_words(data)!r}",
        "see that remote.url is an OpenAI-compatible server's, and that server's log",
    )

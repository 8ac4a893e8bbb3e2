"""A model behind an OpenAI-compatible server: one picture and words out, words back, or a named error.

It knows HTTP and time; prompts, coordinates and parsing are the family's. One connection is kept
open. Broken connections, 429 and 5xx are tried again a few times within the time that a reply may
take; everything else is told at once. Nothing is sent but to the configured host: no redirects, no
proxies of the environment.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray

from mmrobot.config import RemoteConfig
from mmrobot.errors import InvalidConfigError, ModelUnavailableError
from mmrobot.vlm.remote_protocol import (
    MAX_REPLY_BYTES,
    RemoteRefusedError,
    RemoteReplyError,
    RemoteTimeoutError,
    RemoteUnavailableError,
    chat_request,
    checked_url,
    error_words,
    first_token_shares,
    model_names,
    picture_url,
    refusal,
    refused_fields,
    reply_confidence,
    reply_text,
    without,
)

BACKOFF_S = 0.1
MAX_BACKOFF_S = 2.0
KEEP_ALIVE_S = 60.0
_FIELD_REFUSED = (400, 422, 501)
TOP_TOKENS = 20


class RemoteChat:
    """A ChatEngine over HTTP. Not safe for concurrent calls; `close` ends the connection.

    Raises InvalidConfigError for a URL that is unsafe or a key that is missing. Calls raise
    RemoteUnavailableError, RemoteTimeoutError, RemoteRefusedError or RemoteReplyError.
    """

    def __init__(self, config: RemoteConfig) -> None:
        if not config.url:
            raise InvalidConfigError("remote.url is empty", "set it, such as http://127.0.0.1:8000/v1")
        self._config = config
        self._url = checked_url(config.url, config.allow_plain_http)
        self._unknown: frozenset[str] = frozenset()
        self.last_confidence: float | None = None
        self._model = config.model
        self._http = httpx2.Client(
            headers=_headers(config),
            limits=httpx2.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_S
            ),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> RemoteChat:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    @property
    def name(self) -> str:
        """The model's name and where it runs, as it goes into plans."""
        return f"{self._model or 'remote model'} at {self._url}"

    def model(self) -> str:
        """The model's name on the server; asks the server when the configuration leaves it open."""
        if not self._model:
            names = model_names(self._ask("GET", "/models", None))
            if len(names) != 1:
                raise ModelUnavailableError(
                    f"{self._url} offers {len(names)} models: {', '.join(names[:8]) or 'none'}",
                    "name one of them in remote.model" if names else "load a model on the server",
                )
            self._model = names[0]
        return self._model

    def reply(
        self,
        image_rgb: NDArray[np.uint8],
        prompt: str,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> str:
        """The model's words on a picture (H, W, 3) uint8 RGB and a prompt.

        With `schema` the server is asked to keep to that JSON schema; one that knows no
        `response_format` is asked without it from then on.
        """
        data = self._chat(image_rgb, prompt, schema, max_tokens)
        self.last_confidence = reply_confidence(data)
        return reply_text(data)

    def first_token_probability(
        self, image_rgb: NDArray[np.uint8], prompt: str, words: Sequence[str]
    ) -> tuple[float, ...] | None:
        """For each word the probability that the reply begins with it; None when the server does not tell."""
        if "logprobs" in self._unknown:
            return None
        return first_token_shares(self._chat(image_rgb, prompt, None, 1, TOP_TOKENS), words)

    def _chat(
        self,
        image_rgb: NDArray[np.uint8],
        prompt: str,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        top_logprobs: int = 0,
    ) -> bytes:
        picture = picture_url(image_rgb, self._config.picture_format)
        deadline = time.monotonic() + self._config.timeout_s
        body = chat_request(self.model(), picture, prompt, schema, max_tokens, top_logprobs)
        while True:
            try:
                return self._ask("POST", "/chat/completions", without(body, self._unknown), deadline)
            except _FieldRefusedError as error:
                # At most once for each field: those that are left out are not refused again.
                self._unknown |= error.fields

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, deadline: float | None = None
    ) -> bytes:
        """The body of a 2xx answer, within the deadline (seconds of the monotonic clock)."""
        if deadline is None:
            deadline = time.monotonic() + self._config.timeout_s
        failure: Exception | None = None
        for attempt in range(self._config.retries + 1):
            wait_s = min(MAX_BACKOFF_S, BACKOFF_S * 2**attempt) * random.uniform(0.5, 1.0)
            try:
                status, data, told_s = self._once(method, path, body, deadline)
            except httpx2.TimeoutException as error:
                raise self._timeout(error) from error
            except httpx2.DecodingError as error:
                raise RemoteReplyError(
                    f"{self._url} sent a body that cannot be unpacked: {error}", "see the server's log"
                ) from error
            except httpx2.TransportError as error:
                problem, failure = f"{type(error).__name__}: {str(error).rstrip('.')}", error
            else:
                if 200 <= status < 300:
                    return data
                if status == 501 or (status != 429 and status < 500):
                    raise self._refused(status, data, path, body)
                problem = f"it answered {status}: {error_words(data)}"
                wait_s = max(wait_s, told_s)
            if attempt == self._config.retries or time.monotonic() + wait_s >= deadline:
                raise RemoteUnavailableError(
                    f"{self._url} failed {attempt + 1} times: {problem}",
                    "see that the server runs and can be reached, and its log",
                ) from failure
            time.sleep(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(
        self, method: str, path: str, body: dict[str, Any] | None, deadline: float
    ) -> tuple[int, bytes, float]:
        """One exchange: status, body, and how long the server asks to wait, in seconds."""
        left_s = max(0.001, deadline - time.monotonic())
        timeout = httpx2.Timeout(left_s, connect=min(left_s, self._config.connect_timeout_s))
        with self._http.stream(method, self._url + path, json=body, timeout=timeout) as response:
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MAX_REPLY_BYTES:
                    raise RemoteReplyError(
                        f"{self._url} sent more than {MAX_REPLY_BYTES} bytes",
                        "see that it is the right server",
                    )
                # The socket's own limit begins anew with each piece: a server that drips would never end.
                if time.monotonic() > deadline:
                    raise httpx2.ReadTimeout("the reply comes too slowly")
            return response.status_code, bytes(data), _retry_after_s(response.headers.get("retry-after"))

    def _timeout(self, error: httpx2.TimeoutException) -> RemoteUnavailableError:
        if isinstance(error, httpx2.ConnectTimeout):
            return RemoteUnavailableError(
                f"{self._url} cannot be reached within {self._config.connect_timeout_s} s",
                "see that the server runs and that the network lets through to it",
            )
        return RemoteTimeoutError(
            f"{self._url} gave no reply within {self._config.timeout_s} s",
            "raise remote.timeout_s, or use a faster server or a smaller model",
        )

    def _refused(
        self, status: int, data: bytes, path: str, body: dict[str, Any] | None
    ) -> RemoteRefusedError:
        fields = refused_fields(data, body) if body is not None and status in _FIELD_REFUSED else None
        if fields:
            return _FieldRefusedError(f"{self._url} does not know {sorted(fields)}", fields)
        return refusal(status, data, self._url + path)


class _FieldRefusedError(RemoteRefusedError):
    """The server does not take an optional field of the request."""

    def __init__(self, message: str, fields: frozenset[str]) -> None:
        super().__init__(message)
        self.fields = fields


def _headers(config: RemoteConfig) -> dict[str, str]:
    # Replies are short: packing them would gain nothing, and a packed one can be a bomb.
    headers = {"Accept-Encoding": "identity"}
    if not config.key_variable:
        return headers
    key = os.environ.get(config.key_variable, "").strip()
    if not key:
        raise InvalidConfigError(
            f"environment variable '{config.key_variable}' (remote.key_variable) is empty",
            f"export {config.key_variable}=... before starting",
        )
    if not key.isascii() or not key.isprintable():
        raise InvalidConfigError(
            f"environment variable '{config.key_variable}' holds characters that no key has",
            "set it to the key alone",
        )
    return {**headers, "Authorization": f"Bearer {key}"}


def _retry_after_s(value: str | None) -> float:
    """The header's seconds; its other form, a date, is left out."""
    try:
        return max(0.0, float(value)) if value else 0.0
    except ValueError:
        return 0.0

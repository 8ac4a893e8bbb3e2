"""Who may speak to the console, how much and how often."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; "
    "media-src blob:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def same_token(given: object, token: str) -> bool:
    """Compared in constant time."""
    return isinstance(given, str) and hmac.compare_digest(given.encode(), token.encode())


class Door:
    """Hosts that this console answers to: a page of another site, or a name that was bent to this address
    (DNS rebinding), is refused."""

    def __init__(self, host: str, port: int, names: tuple[str, ...] = ()) -> None:
        own = (
            {"localhost", "127.0.0.1", "[::1]", host, *names} if host != "0.0.0.0" else {"localhost", *names}
        )
        self._hosts = {f"{name}:{port}" for name in own} | set(own)
        self._any_address = host == "0.0.0.0"

    def admits(self, headers: Mapping[str, str], needs_origin: bool = False) -> bool:
        """By Host, and by Origin where there is one; a WebSocket of a browser always has one."""
        host = headers.get("host", "")
        if not self._known(host):
            return False
        origin = headers.get("origin")
        if origin is None:
            return not needs_origin
        return urlsplit(origin).netloc == host

    def _known(self, host: str) -> bool:
        if host in self._hosts:
            return True
        # Bound to all addresses: by number, never by a name that was not told.
        return self._any_address and host.rsplit(":", 1)[0].replace(".", "").isdigit()


class Rate:
    """At most `per_s` messages a second, with as many at once."""

    def __init__(self, per_s: float) -> None:
        self._per_s, self._left, self._at_s = per_s, per_s, time.monotonic()

    def allows(self) -> bool:
        """One more."""
        now_s = time.monotonic()
        self._left = min(self._per_s, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

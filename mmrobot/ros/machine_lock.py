"""One holder of a name on this machine, known at once: what DDS discovery tells only after a while."""

from __future__ import annotations

import socket


def machine_lock(name: str) -> socket.socket | None:
    """Take `name` until the socket is closed or the process dies; None when another holds it.

    An abstract Unix socket (Linux, man 7 unix): no file to clean up, no port to clash with; a network
    namespace, so a container, has names of its own, as it has DDS participants of its own.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0mmrobot/{name}")
    except OSError:
        lock.close()
        return None
    return lock

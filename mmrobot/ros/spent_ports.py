"""Keeps a new process off the ports of one that was killed: what others send there would not arrive.

Fast DDS gives each participant the first number whose UDP ports are free, and a file in shared memory by
that number. A process that is killed leaves its file; others have it mapped, and send into it what the next
process of that number never gets (measured: of 11 processes started after a kill -9 beside three busy
publishers none heard all three; with the numbers of the dead held, 9 of 9 heard them within 3 s).
"""

from __future__ import annotations

import socket
from collections import deque
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
PARTICIPANTS = 32
"""With discovery on this machine only, participants of higher numbers are not found."""
HELD = 16
"""The oldest are let go, so that numbers remain."""


def port_of(domain: int, participant: int = 0) -> int:
    """UDP port of a participant's discovery (DDSI-RTPS 9.6.1.1); the next one is for its data."""
    return 7400 + 250 * domain + 10 + 2 * participant


class SpentPorts:
    """Of one ROS domain. `hold` before a process takes the place of a dead one."""

    def __init__(self, domain: int, shared_memory: Path = SHARED_MEMORY) -> None:
        self._domain, self._shared_memory = domain, shared_memory
        self._held: deque[socket.socket] = deque()

    def hold(self) -> int:
        """Occupy the numbers whose file is there and whose process is not; how many are held now."""
        for participant in range(PARTICIPANTS):
            port = port_of(self._domain, participant)
            if (self._shared_memory / f"fastrtps_port{port + 1}").exists():
                self._occupy(port)
        while len(self._held) > HELD:
            self._held.popleft().close()
        return len(self._held)

    def close(self) -> None:
        """Let all go."""
        while self._held:
            self._held.pop().close()

    def _occupy(self, port: int) -> None:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            one.bind(("", port))
        except OSError:  # it lives, or is held already
            one.close()
        else:
            self._held.append(one)

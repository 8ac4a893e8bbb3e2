"""Writes records on a thread of its own: no plan waits for a disk, and a full one harms nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.audit.store import AuditStore

_Kept = tuple[dict[str, Any], NDArray[np.uint8] | None]
WAITING = 8
"""Records that may wait; more are not kept, and that is told."""


class AuditWriter:
    """Keeps what it is given, as far as the disk allows; `complain` hears why something was not kept."""

    def __init__(self, store: AuditStore, complain: Callable[[str], object]) -> None:
        self._store, self._complain = store, complain
        self._queue: queue.Queue[_Kept | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
        self._thread.start()

    def keep(self, record: dict[str, Any], picture: NDArray[np.uint8] | None) -> None:
        """Returns at once."""
        try:
            self._queue.put_nowait((record, picture))
        except queue.Full:
            self._complain(f"the audit record {record['plan_id']} is not kept: the disk is too slow")

    def close(self, timeout_s: float = 2.0) -> None:
        """Writes what waits, for at most `timeout_s`."""
        try:
            self._queue.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._store.save(*item)
            except (OSError, TypeError, ValueError, cv2.error) as error:
                self._complain(f"the audit record {item[0]['plan_id']} is not kept: {error}")

"""The last seconds before a failure, as an MCAP file: remembered in memory, written when asked.

Bounded in seconds and bytes in memory, in number, size and age on disk. What others need to understand the
rest (static transforms, the plan) is remembered however old it is.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmrobot.config import RecordingConfig
from mmrobot.ros.mcap_file import McapFile

_PART = ".part"
_DAY_S = 86400.0
_LATCHED_KEPT = 100


@dataclass(frozen=True)
class _Entry:
    topic: str
    type_name: str
    data: bytes
    time_ns: int


def black_box_folder(config: RecordingConfig) -> Path:
    """Where files are written: as configured, else in the person's own data folder."""
    if config.directory:
        return Path(config.directory).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "mmrobot" / "black_box"


class BlackBox:
    """`write` remembers, from any thread; `dump` writes a file and may take a second or two."""

    def __init__(self, config: RecordingConfig, about: Mapping[str, Mapping[str, str]]) -> None:
        """`about`: metadata records of each file, by name."""
        self._config, self._about = config, about
        self.folder = black_box_folder(config)
        self._lock = threading.Lock()
        self._ring: deque[_Entry] = deque()
        self._bytes = 0
        self._newest_ns = 0
        self._latched: dict[str, deque[_Entry]] = {}

    def write(self, topic: str, type_name: str, data: bytes, time_ns: int, latched: bool = False) -> None:
        """Remember one message; `latched` ones stay however old they are, the last of each topic."""
        entry = _Entry(topic, type_name, data, time_ns)
        with self._lock:
            if latched:
                self._latched.setdefault(topic, deque(maxlen=_LATCHED_KEPT)).append(entry)
                return
            keep_ns = round(self._config.black_box_s * 1e9)
            # A clock that jumped back (a simulation started anew) makes all of before the future. Pictures
            # that a plan turns out to rest on come late, but not that late.
            if time_ns < self._newest_ns - keep_ns:
                self._ring.clear()
                self._bytes, self._newest_ns = 0, time_ns
            self._newest_ns = max(self._newest_ns, time_ns)
            self._ring.append(entry)
            self._bytes += len(data)
            oldest_ns = self._newest_ns - keep_ns
            while self._ring and (
                self._ring[0].time_ns < oldest_ns or self._bytes > self._config.black_box_mb * 1e6
            ):
                self._bytes -= len(self._ring.popleft().data)

    def dump(self, why: str) -> Path:
        """Write what is remembered; the file's path. `why` becomes part of its name.

        Raises OSError where nothing can be written: the folder is then as before.
        """
        with self._lock:
            entries = [e for kept in self._latched.values() for e in kept] + list(self._ring)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = time.strftime("%Y%m%dT%H%M%S")
        name = f"{stamp}_{re.sub(r'[^A-Za-z0-9]+', '_', why).strip('_')[:60] or 'failure'}"
        path = self.folder / f"{name}.mcap"
        part = path.with_suffix(f"{path.suffix}{_PART}")
        try:
            with McapFile(part) as file:
                for title, values in self._about.items():
                    file.note(title, values)
                for entry in sorted(entries, key=lambda e: e.time_ns):
                    file.write(entry.topic, entry.type_name, entry.data, entry.time_ns)
            with part.open("rb") as file_on_disk:
                os.fsync(file_on_disk.fileno())
            part.rename(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._bound()
        return path

    def _bound(self) -> None:
        """Drop the oldest files until number, size and age are as configured; the last one stays."""
        for part in self.folder.glob(f"*{_PART}"):
            part.unlink(missing_ok=True)
        files = sorted(self.folder.glob("*.mcap"), key=lambda f: f.stat().st_mtime_ns)
        total, left = sum(f.stat().st_size for f in files), len(files)
        oldest_s = time.time() - self._config.keep_days * _DAY_S
        for file in files[:-1]:
            found = file.stat()
            if (
                found.st_mtime >= oldest_s
                and left <= self._config.keep
                and total <= self._config.max_mb * 1e6
            ):
                break
            file.unlink(missing_ok=True)
            total, left = total - found.st_size, left - 1

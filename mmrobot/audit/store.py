"""The folder of records: one folder each, written whole or not at all, the oldest dropped first."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.audit.record import redacted
from mmrobot.config import AuditConfig
from mmrobot.errors import InvalidConfigError

RECORD, PICTURE = "record.json", "picture.jpg"
_JPEG_QUALITY = 88
_DAY_S = 86400.0
_PART, _LEFT_S = ".part", 60.0
"""No write takes so long: what is still in part was left by a program that ended meanwhile."""


def audit_folder(config: AuditConfig) -> Path:
    """Where records are kept: as configured, else in the person's own data folder."""
    if config.directory:
        return Path(config.directory).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "mmrobot" / "audit"


class AuditStore:
    """Records on disk. One writer at a time; readers may come at any time."""

    def __init__(self, config: AuditConfig) -> None:
        self.config, self.folder = config, audit_folder(config)

    def save(self, record: dict[str, Any], picture: NDArray[np.uint8] | None) -> Path:
        """Writes a record, and its picture (H, W, 3) RGB unless redacted, then drops what is too much.

        Raises OSError where nothing can be written; what was there before is kept.
        """
        kept = redacted(record) if self.config.redact else record
        part = self.folder / f".{record['plan_id']}{_PART}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True, mode=0o700)
        try:
            if picture is not None and not self.config.redact:
                bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
                done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
                if done:
                    _write(part / PICTURE, jpeg.tobytes())
                    kept = kept | {"picture": PICTURE}
            _write(part / RECORD, (json.dumps(kept, indent=1) + "\n").encode())
            whole = self.folder / str(record["plan_id"])
            shutil.rmtree(whole, ignore_errors=True)
            part.rename(whole)
            sync_folder(self.folder)
        except OSError:
            shutil.rmtree(part, ignore_errors=True)
            raise
        self._bound()
        return whole

    def names(self) -> list[str]:
        """Of all records, the oldest first."""
        whole = (f for f in self.folder.glob("*") if f.suffix != _PART)
        found = [f for f in whole if (f / RECORD).is_file()]
        return [f.name for f in sorted(found, key=lambda f: (f / RECORD).stat().st_mtime_ns)]

    def load(self, name: str = "") -> tuple[dict[str, Any], Path | None]:
        """A record by its plan's name or the beginning of it, "" for the last; and its picture's path.

        Raises InvalidConfigError where there is none, or several begin so.
        """
        names = self.names()
        if not names:
            raise InvalidConfigError(
                f"no record is kept in {self.folder}",
                "give the robot an instruction first; see audit.enabled and audit.directory",
            )
        fitting = [n for n in names if n.startswith(name)] if name else names[-1:]
        if name in names:
            fitting = [name]
        if len(fitting) != 1:
            what = "no record begins" if not fitting else f"{len(fitting)} records begin"
            raise InvalidConfigError(f"{what} with '{name}'", f"the last ones: {', '.join(names[-3:])}")
        folder = self.folder / fitting[0]
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except ValueError as error:
            raise InvalidConfigError(f"{folder / RECORD} is damaged: {error}", "remove its folder") from error
        picture = folder / PICTURE
        return record, picture if picture.is_file() else None

    def _bound(self) -> None:
        """Drops the oldest until count, size and age are as configured; the last record stays."""
        sizes = {n: _size_bytes(self.folder / n) for n in self.names()}
        total, left = sum(sizes.values()), len(sizes)
        oldest_s = time.time() - self.config.keep_days * _DAY_S
        for part in self.folder.glob(f".*{_PART}"):
            if part.stat().st_mtime < time.time() - _LEFT_S:
                shutil.rmtree(part, ignore_errors=True)
        for name, size in list(sizes.items())[:-1]:
            old = (self.folder / name / RECORD).stat().st_mtime < oldest_s
            if not old and left <= self.config.keep and total <= self.config.max_mb * 1e6:
                break
            shutil.rmtree(self.folder / name, ignore_errors=True)
            total, left = total - size, left - 1


def _write(path: Path, data: bytes) -> None:
    """On the disk when it returns: a name that is told to the disk before its content is empty after a power
    cut."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Has the disk know of the names in it; where that can be asked for (not on Windows)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _size_bytes(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.glob("*"))

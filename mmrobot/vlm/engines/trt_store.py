"""Where built engines are kept: `<cache>/tensorrt/`, one engine file and one JSON file beside it.

The JSON file is written last, so an engine without one is half an engine and is built again. The engine file
itself is plain, so that NVIDIA's tools (`trtexec --loadEngine`) read it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import locked, write_atomically
from mmrobot.vlm.engines.trt_key import EngineKey

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredEngine:
    """An engine in the store that fits its key and is whole."""

    path: Path
    size: int
    build_s: float


class EngineStore:
    """Engines by key. Safe for several processes; only the owner may read it, as engines are executable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: EngineKey) -> Path:
        """Where the engine of a key is, or would be."""
        return self.folder / f"{key.stem}.engine"

    def find(self, key: EngineKey) -> StoredEngine | None:
        """The engine of a key, or None when there is none, or it is half written, damaged or another's."""
        path, note = self.path(key), self._note(key)
        try:
            written = json.loads(note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.warning("%s cannot be read (%s): the engine is built again", note, error)
            return None
        fault = self._fault(key, path, written)
        if fault:
            _log.warning("%s: %s: the engine is built again", path.name, fault)
            return None
        return StoredEngine(path, path.stat().st_size, float(written["build_s"]))

    def put(self, key: EngineKey, engine: Any, build_s: float) -> StoredEngine:
        """Keep an engine (anything with the buffer protocol), whole or not at all. Hold the key's lock.

        Raises ModelUnavailableError when the disk is full or may not be written.
        """
        view, build_s = memoryview(engine).cast("B"), round(build_s, 3)
        path, note = self.path(key), self._note(key)
        content = {
            "key": key.as_dict(),
            "size": view.nbytes,
            "blake2b": _digest(view),
            "build_s": build_s,
        }
        try:
            self._make_folder()
            for left in self.folder.glob(f".{key.stem}.*"):
                left.unlink(missing_ok=True)
            # A note that outlived its engine would vouch for the next one.
            note.unlink(missing_ok=True)
            write_atomically(path, view)
            write_atomically(note, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise ModelUnavailableError(
                f"the engine of {view.nbytes} bytes cannot be written to {path}: {error.strerror or error}",
                "make room there, or set MMROBOT_CACHE to another folder",
            ) from error
        return StoredEngine(path, view.nbytes, build_s)

    def lock(self, key: EngineKey) -> contextlib.AbstractContextManager[None]:
        """One process builds an engine of a key, the others wait and then find it."""
        self._make_folder()
        return locked(self.folder / key.stem)

    def _note(self, key: EngineKey) -> Path:
        return self.folder / f"{key.stem}.json"

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _fault(self, key: EngineKey, path: Path, written: Any) -> str:
        if not isinstance(written, dict) or not isinstance(written.get("key"), dict):
            return "its note says nothing of a key"
        different = key.differences(written["key"])
        if different:
            return f"it was built for another {', '.join(different)}"
        if not isinstance(written.get("build_s"), int | float):
            return "its note is not whole"
        try:
            state = path.stat()
        except FileNotFoundError:
            return "the engine file is gone"
        if state.st_uid not in (0, os.geteuid()):
            return f"it belongs to user {state.st_uid}"
        if state.st_size != written.get("size") or state.st_size == 0:
            return f"it has {state.st_size} bytes instead of {written.get('size')}"
        with mapped(path) as view:
            if _digest(view) != written.get("blake2b"):
                return "its bytes changed"
        return ""


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """A file's bytes without a copy in memory. The file must not be empty."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        view = memoryview(pages)
        try:
            yield view
        finally:
            view.release()


def _digest(view: memoryview) -> str:
    return hashlib.blake2b(view, digest_size=16).hexdigest()

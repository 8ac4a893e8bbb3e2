"""The cache folder of exported graphs and built engines: keyed, locked, written whole or not at all.

An entry is a folder with its parts and `manifest.json`, which holds the key (hashes of weights and
sources, shapes, precision, versions) and each part's SHA-256. An entry whose key or files differ from
what is asked for is made anew. Only the standard library is used, so that any backend can look here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmrobot.errors import ModelUnavailableError

MANIFEST = "manifest.json"
FORMAT = 1
_log = logging.getLogger(__name__)

Key = Mapping[str, Any]
"""What an entry rests on: JSON values only."""


def cache_folder() -> Path:
    """$MMROBOT_CACHE, or mmrobot in $XDG_CACHE_HOME, or ~/.cache/mmrobot. It need not exist yet."""
    own = os.environ.get("MMROBOT_CACHE")
    if own:
        return Path(own).expanduser()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared).expanduser() if shared else Path.home() / ".cache") / "mmrobot"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files, in order of name."""
    total = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        total.update(f"{path.name}\0{file_digest(path)}\n".encode())
    return total.hexdigest()


def weights_digest(folder: Path) -> str:
    """SHA-256 over config.json and all safetensors of a model's folder.

    Raises ModelUnavailableError when there are none.
    """
    files = [p for p in (folder / "config.json", *folder.glob("*.safetensors")) if p.is_file()]
    if not any(p.suffix == ".safetensors" for p in files):
        raise ModelUnavailableError(
            f"no weights (*.safetensors) in {folder}",
            "give the folder of a model, or install the package anew",
        )
    return files_digest(files)


def versions(*packages: str) -> dict[str, str]:
    """Installed versions by package name, without importing them; "none" for what is not there."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def key_digest(key: Key) -> str:
    """Twelve hex digits of a key: what the entry's folder is named by."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """A file that is there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path, waiting: Callable[[str], None] = _log.warning) -> Iterator[None]:
    """Holds `path`.lock: one process at a time. Tells once when it has to wait. Ends with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(f"another process is making {path.name}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an entry; None when there is none, or it is damaged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def mismatch(folder: Path, key: Key) -> str:
    """Why an entry cannot be used for a key: the first differing field or file; "" when it can."""
    manifest = read_manifest(folder)
    if manifest is None:
        return "no manifest"
    wanted = json.loads(json.dumps(dict(key)))
    for name in sorted({*wanted, *manifest["key"]}):
        if wanted.get(name) != manifest["key"].get(name):
            return f"{name} is {manifest['key'].get(name)}, not {wanted.get(name)}"
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if file_digest(path) != digest:
            return f"{name} is damaged"
    return ""


def ensure(
    folder: Path,
    key: Key,
    make: Callable[[Path], Mapping[str, Any] | None],
    tell: Callable[[str], None] = _log.warning,
) -> Path:
    """`folder`, holding what `make(new_folder)` wrote for this key; made only when it is not there yet.

    `make` may answer more fields for the manifest (parts with their shapes, say). Two processes that
    want the same entry make it once. A failure leaves the old entry and no half-written one.
    """
    if not mismatch(folder, key):
        return folder
    with locked(folder, tell):
        reason = mismatch(folder, key)
        if not reason:
            return folder
        if folder.exists():
            tell(f"{folder.name} is made anew: {reason}")
        started = time.monotonic()
        new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            more = dict(make(new) or {})
            files = {p.name: file_digest(p) for p in sorted(new.iterdir()) if p.is_file()}
            manifest = {
                **more,
                "format": FORMAT,
                "key": dict(key),
                "files": files,
                "seconds": round(time.monotonic() - started, 2),
            }
            write_atomically(new / MANIFEST, json.dumps(manifest, indent=1).encode())
            new.chmod(0o755)
            if folder.exists():
                shutil.rmtree(folder)
            new.replace(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    return folder

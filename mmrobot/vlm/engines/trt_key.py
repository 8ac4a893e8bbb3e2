"""What an engine depends on, as one key: engines of an equal key can be exchanged, others never."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
"""Raised when the builder changes so that older engines must not be used any more."""


@dataclass(frozen=True, order=True)
class TensorSpec:
    """One input or output of a graph: numpy's dtype name, static shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Size of the tensor in bytes."""
        count = 1
        for size in self.shape:
            count *= size
        return count * _ITEM_BYTES.get(self.dtype, 8)


_ITEM_BYTES = {
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}


@dataclass(frozen=True)
class BuildOptions:
    """What the builder is told besides the graph."""

    optimization_level: int = 3
    """0 quick to 5 thorough; TensorRT's own default is 3."""
    tf32: bool = False
    """Whether float32 products may be rounded to 10 bits of mantissa. Off: float32 means float32."""

    def __post_init__(self) -> None:
        if not 0 <= self.optimization_level <= 5:
            raise ValueError(f"optimization_level is {self.optimization_level}, allowed are 0 to 5")


DEFAULT_OPTIONS = BuildOptions()


@dataclass(frozen=True)
class EngineKey:
    """Everything that an engine's bytes and validity depend on."""

    part: str
    model_hash: str
    tensorrt: str
    gpu: str
    capability: tuple[int, int]
    precision: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    options: BuildOptions = DEFAULT_OPTIONS

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are written beside an engine."""
        plain = json.loads(json.dumps({"format": FORMAT, **asdict(self)}))
        assert isinstance(plain, dict)
        return plain

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that differ whenever anything differs."""
        text = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def stem(self) -> str:
        """File name without ending: readable first, then the digest."""
        part = re.sub(r"[^A-Za-z0-9_-]+", "-", self.part)[:40]
        return f"{part}-{re.sub(r'[^A-Za-z0-9_-]+', '-', self.precision)[:16]}-{self.digest}"

    def differences(self, other: dict[str, Any]) -> tuple[str, ...]:
        """Names of the fields in which a written key is another one than this."""
        mine = self.as_dict()
        return tuple(sorted(k for k in mine.keys() | other.keys() if mine.get(k) != other.get(k)))

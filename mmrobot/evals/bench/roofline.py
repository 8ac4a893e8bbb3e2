"""How near a token comes to what memory allows: bytes that one step must read over the bandwidth measured.

Williams, Waterman and Patterson 2009, "Roofline". A model as small as mmrobot-nano stays in the caches, so
its floor is what call overhead leaves; the line shows how far above memory's it is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I8": 1, "U8": 1, "BOOL": 1}


def roofline(folder: Path, gb_s: float, token_ms: Mapping[str, float]) -> dict[str, Any]:
    """By backend: milliseconds of a token, and the share of that which reading its weights would take."""
    size = write_step_bytes(folder)
    floor_ms = size / (gb_s * 1e9) * 1000
    return {
        "bytes_a_token": size,
        "read_gb_s": round(gb_s, 2),
        "floor_ms": round(floor_ms, 4),
        "share_of_limit": {name: round(floor_ms / ms, 4) for name, ms in token_ms.items() if ms > 0},
    }


def write_step_bytes(folder: Path) -> int:
    """What one step of the writer reads: its weights as stored, its caches and memory full (float32)."""
    weights = sum(
        size
        for name, size in tensor_bytes(folder / "model.safetensors").items()
        if name.startswith("writer.")
    )
    c = json.loads((folder / "config.json").read_text())
    rows = c["decoder_layers"] * 2 * (c["max_plan_tokens"] + c["max_words"]) + 2 * c["max_words"]
    return int(weights + 4 * c["hidden_size"] * rows)


def tensor_bytes(path: Path) -> dict[str, int]:
    """Bytes of every tensor of a safetensors file, from its header alone."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {
        name: prod(entry["shape"]) * _BYTES[entry["dtype"]]
        for name, entry in header.items()
        if name != "__metadata__"
    }

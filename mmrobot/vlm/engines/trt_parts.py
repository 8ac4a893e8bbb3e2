"""The graphs of an exported model, as its manifest names them: what an engine is built of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import MANIFEST, files_digest, read_manifest
from mmrobot.vlm.engines.trt_key import TensorSpec


@dataclass(frozen=True)
class OnnxPart:
    """One graph with static shapes. `files` are the graph and what weights lie beside it."""

    name: str
    file: Path
    files: tuple[Path, ...]
    precision: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """Inputs and outputs."""
        return self.inputs + self.outputs

    @property
    def weights_bytes(self) -> int:
        """Size of the files, which is nearly that of the weights."""
        return sum(path.stat().st_size for path in self.files)

    def model_hash(self) -> str:
        """SHA-256 over names and contents of the files."""
        return files_digest(self.files)


def read_parts(folder: Path) -> tuple[OnnxPart, ...]:
    """The parts of a folder that `mmrobot export` wrote, in the manifest's order.

    Raises ModelUnavailableError when there is no manifest, it names a file that is not there, or a shape
    is not static.
    """
    manifest = read_manifest(folder)
    if manifest is None or not isinstance(manifest.get("parts"), dict) or not manifest["parts"]:
        raise ModelUnavailableError(
            f"no exported graphs in {folder}: {MANIFEST} is missing, damaged or names no parts",
            "run `mmrobot export` first, or give the folder that it named",
        )
    precision = str(manifest.get("key", {}).get("precision", "fp32"))
    return tuple(_part(folder, name, entry, precision) for name, entry in manifest["parts"].items())


def _part(folder: Path, name: str, entry: Any, precision: str) -> OnnxPart:
    try:
        file = folder / entry["file"]
        inputs, outputs = (_specs(entry[side]) for side in ("inputs", "outputs"))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnavailableError(
            f"{folder / MANIFEST}: part '{name}' cannot be read: {error!r}", "run `mmrobot export` again"
        ) from error
    if not file.is_file():
        raise ModelUnavailableError(
            f"{folder / MANIFEST} names {file.name}, which is not there", "run `mmrobot export` again"
        )
    # Weights beside a graph carry its name: `decode.onnx.data`.
    beside = sorted(path for path in folder.glob(f"{file.name}*") if path != file and path.is_file())
    return OnnxPart(name, file, (file, *beside), precision, inputs, outputs)


def _specs(sides: dict[str, Any]) -> tuple[TensorSpec, ...]:
    specs = []
    for name, (dtype, shape) in sides.items():
        sizes = tuple(int(size) for size in shape)
        if any(size < 1 for size in sizes):
            raise ValueError(f"'{name}' has the shape {list(shape)}, which is not static")
        specs.append(TensorSpec(str(name), str(dtype), sizes))
    return tuple(specs)

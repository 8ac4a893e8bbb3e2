"""Exports an open VLM of the LLaVA or Qwen2.5-VL kind as static-shape ONNX parts.

`vision_<H>x<W>` for each resolution, `prefill_<T>` for each length bucket, and `decode` for one token on
a full-capacity KV cache. A token's rope positions are inputs: `rope_positions` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import Key, cache_folder, ensure, files_digest, versions, weights_digest
from mmrobot.vlm.engines.graph_formats import OPSET
from mmrobot.vlm.engines.onnx_graph import PRECISIONS, Part, export_parts
from mmrobot.vlm.engines.static_decoder import Decode, Prefill, StaticDecoder, text_config
from mmrobot.vlm.engines.static_vision import LlavaVision, QwenVision

FAMILIES = ("llava", "qwen2_5_vl")
SOURCES = ("static_decoder", "static_vision", "onnx_graph", "export_decoder", "quantise")


@dataclass(frozen=True)
class DecoderShapes:
    """What is fixed at export: pictures (height, width), prompt lengths, the cache's capacity in tokens."""

    resolutions: tuple[tuple[int, int], ...] = ((224, 224),)
    lengths: tuple[int, ...] = (512,)
    capacity: int = 1024
    whole_cache: bool = False

    def __post_init__(self) -> None:
        if not self.lengths or max(self.lengths) >= self.capacity or min(self.lengths) < 1:
            raise ValueError(f"lengths {self.lengths} must lie between 1 and the capacity {self.capacity}")
        if not self.resolutions:
            raise ValueError("at least one resolution is needed")


def decoder_parts(model: Any, shapes: DecoderShapes, dtype: torch.dtype = torch.float32) -> list[Part]:
    """The parts of a loaded model. It is cast to `dtype`, and so are pictures, embeddings, logits and caches.

    Raises ModelUnavailableError for a model of another kind, ValueError for a resolution that does not fit.
    """
    kind = model.config.model_type
    if kind not in FAMILIES:
        raise ModelUnavailableError(
            f"a '{kind}' cannot be exported", f"use the torch backend; known: {', '.join(FAMILIES)}"
        )
    model = model.to(dtype).eval()
    text = text_config(model.config)
    language, head = model.model.language_model, model.lm_head
    decoder = StaticDecoder(language, text)
    parts, embeds = [], {}
    for height, width in shapes.resolutions:
        vision, example = _vision(model, height, width, dtype)
        with torch.inference_mode():
            embeds[vision(example).shape] = vision(example)
        parts.append(Part(f"vision_{height}x{width}", vision, {"pixel_values": example}, ("image_embeds",)))
    # Fewer picture tokens fit into the same input: prefill reads only those that the prompt names.
    most = max(embeds.values(), key=lambda e: e.shape[1]).clone()
    names = ("logits", "next_id", "cache_k", "cache_v")
    for length in shapes.lengths:
        inputs = {
            "input_ids": torch.zeros(1, length, dtype=torch.long),
            "image_embeds": most,
            "positions": torch.arange(length).expand(decoder.rope_rows, -1).contiguous(),
            "length": torch.tensor([length]),
        }
        module = Prefill(decoder, language.embed_tokens, head, model.config.image_token_id, shapes.capacity)
        parts.append(Part(f"prefill_{length}", module, inputs, names))
    cache = torch.zeros(
        len(decoder.layers), decoder.kv_heads, shapes.capacity, decoder.head_size, dtype=dtype
    )
    inputs = {
        "token_id": torch.zeros(1, 1, dtype=torch.long),
        "slot": torch.tensor([shapes.lengths[0]]),
        "positions": torch.full((decoder.rope_rows, 1), shapes.lengths[0]),
        "cache_k": cache,
        "cache_v": cache.clone(),
    }
    made = ("new_cache_k", "new_cache_v") if shapes.whole_cache else ("row_k", "row_v")
    step = Decode(decoder, language.embed_tokens, head, shapes.whole_cache)
    parts.append(Part("decode", step, inputs, (*names[:2], *made)))
    return parts


def rope_positions(
    config: Any, input_ids: Sequence[int], grid: tuple[int, int] | None, length: int
) -> tuple[Tensor, int]:
    """Positions (rope rows, length) of a prompt with at most one picture, and that of the next token.

    `grid` is the picture's (rows, columns) of patches before merging, for models with mrope: its tokens
    stand at their row and column, and what follows goes on after the larger of the two.
    """
    n = len(input_ids)
    if not (text_config(config).rope_parameters or {}).get("mrope_section"):
        return torch.arange(length)[None], n
    merge = config.vision_config.spatial_merge_size
    there = [i for i, token in enumerate(input_ids) if token == config.image_token_id]
    out = torch.arange(length).repeat(3, 1)
    if not there:
        return out, n
    if grid is None or len(there) != (grid[0] // merge) * (grid[1] // merge):
        raise ValueError(f"{len(there)} picture tokens do not fit a grid of {grid} patches")
    rows, columns = grid[0] // merge, grid[1] // merge
    start, end = there[0], there[-1] + 1
    place = torch.arange(rows * columns)
    out[0, start:end] = start
    out[1, start:end] = start + place // columns
    out[2, start:end] = start + place % columns
    out[:, end:] = torch.arange(length - end) + start + max(rows, columns)
    return out, int(start + max(rows, columns) + n - end)


def export_decoder(
    folder: Path,
    shapes: DecoderShapes,
    precision: str = "fp32",
    quantise: str = "none",
    out: Path | None = None,
) -> Path:
    """The parts of the model in `folder` (config.json and safetensors), from the cache or made now.

    `precision`: fp32, fp16 or bf16. `quantise`: none or int4 (weights of the language part only).
    Answers the folder with the graphs and manifest.json.
    """
    key = decoder_key(folder, shapes, precision, quantise)
    place = (
        out
        or cache_folder()
        / "onnx"
        / f"{folder.name}-{precision}{'' if quantise == 'none' else '-' + quantise}"
    )

    def make(new: Path) -> dict[str, Any]:
        model = load_for_export(folder)
        fields = export_parts(decoder_parts(model, shapes, PRECISIONS[precision]), new)
        if quantise == "int4":
            from mmrobot.vlm.engines.quantise import quantise_weights_int4

            for name in fields["parts"]:
                if not name.startswith("vision"):
                    quantise_weights_int4(new / f"{name}.onnx")
        return fields

    return ensure(place, key, make)


def load_for_export(folder: Path) -> Any:
    """The model of a folder with config.json and safetensors, in float32; no remote code, no download."""
    from transformers import AutoModelForImageTextToText

    try:
        return AutoModelForImageTextToText.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise ModelUnavailableError(
            f"the model in {folder} cannot be loaded: {error}",
            "give a folder with config.json and safetensors",
        ) from error


def decoder_key(folder: Path, shapes: DecoderShapes, precision: str, quantise: str) -> Key:
    """What an export rests on: weights, shapes, precision, this code and the exporter's versions."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision '{precision}', known: {', '.join(PRECISIONS)}")
    if quantise not in ("none", "int4"):
        raise ValueError(f"quantisation '{quantise}', known: none, int4")
    own = Path(__file__).parent
    return {
        "weights": weights_digest(folder),
        "source": files_digest(own / f"{name}.py" for name in SOURCES),
        "shapes": {k: [list(r) if isinstance(r, tuple) else r for r in v] if isinstance(v, tuple) else v
                   for k, v in asdict(shapes).items()},
        "precision": precision,
        "quantise": quantise,
        "opset": OPSET,
        **versions("torch", "transformers", "onnx", "onnxscript"),
    }  # fmt: skip


def _vision(model: Any, height: int, width: int, dtype: torch.dtype) -> tuple[torch.nn.Module, Tensor]:
    config = model.config.vision_config
    if model.config.model_type == "llava":
        if config.image_size != height or config.image_size != width:
            raise ValueError(f"this model sees {config.image_size}x{config.image_size}, not {height}x{width}")
        return LlavaVision(model), torch.zeros(1, 3, height, width, dtype=dtype)
    step = config.patch_size * config.spatial_merge_size
    if height % step or width % step:
        raise ValueError(f"{height}x{width} is no multiple of {step}")
    rows, columns = height // config.patch_size, width // config.patch_size
    size = config.in_channels * config.temporal_patch_size * config.patch_size**2
    return QwenVision(model, (rows, columns)), torch.zeros(rows * columns, size, dtype=dtype)

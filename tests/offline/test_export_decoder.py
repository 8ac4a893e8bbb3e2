"""Graphs of a LLaVA and a Qwen2.5-VL model write the tokens that `transformers` writes.

`MMROBOT_TEST_PROMPTS=500 pytest tests/offline/test_export_decoder.py` is the full measurement.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import transformers as tf

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.export_decoder import (
    DecoderShapes,
    decoder_parts,
    export_decoder,
    load_for_export,
    rope_positions,
)

pytestmark = pytest.mark.slow
IMAGE, NEW = 290, 12
PROMPTS = int(os.environ.get("MMROBOT_TEST_PROMPTS", "4"))
TEXT = dict(
    vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256,
)  # fmt: skip


def qwen() -> tuple[Any, tuple[int, int], tuple[int, int] | None]:
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    vision = dict(
        depth=2, hidden_size=32, num_heads=2, intermediate_size=64, out_hidden_size=64,
        fullatt_block_indexes=[1], patch_size=14, window_size=56, spatial_merge_size=2,
    )  # fmt: skip
    config = tf.Qwen2_5_VLConfig(
        text_config={**TEXT, "rope_parameters": rope}, vision_config=vision, image_token_id=IMAGE
    )
    return tf.Qwen2_5_VLForConditionalGeneration(config), (84, 112), (6, 8)


def llava() -> tuple[Any, tuple[int, int], tuple[int, int] | None]:
    vision = dict(
        model_type="clip_vision_model", hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, image_size=56, patch_size=14, projection_dim=16,
    )  # fmt: skip
    config = tf.LlavaConfig(
        vision_config=vision, text_config={**TEXT, "model_type": "llama"}, image_token_index=IMAGE
    )
    return tf.LlavaForConditionalGeneration(config), (56, 56), None


@pytest.mark.parametrize("make", [qwen, llava], ids=["qwen2_5_vl", "llava"])
def test_the_graphs_write_what_transformers_writes(make: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, size, grid = make()
    model.eval().save_pretrained(tmp_path / "model")
    shapes = DecoderShapes((size,), (40,), 64)
    folder = export_decoder(tmp_path / "model", shapes, out=tmp_path / "graphs")
    run = {p.stem: onnxruntime.InferenceSession(str(p)).run for p in folder.glob("*.onnx")}
    model = load_for_export(tmp_path / "model").eval()
    shape = decoder_parts(model, shapes)[0].inputs["pixel_values"].shape
    rng = np.random.default_rng(0)
    for _ in range(PROMPTS):
        pixels = torch.from_numpy(rng.normal(size=tuple(shape)).astype(np.float32))
        embeds = run[f"vision_{size[0]}x{size[1]}"](None, {"pixel_values": pixels.numpy()})[0]
        before, after = (rng.integers(5, IMAGE, rng.integers(1, 9)).tolist() for _ in range(2))
        ids = [*before, *[IMAGE] * embeds.shape[1], *after]
        assert _written(run, model, ids, embeds, grid) == _generated(model, ids, pixels, grid)


def _generated(model: Any, ids: list[int], pixels: torch.Tensor, grid: tuple[int, int] | None) -> list[int]:
    """Tokens that transformers writes."""
    more: dict[str, Any] = {}
    if grid is not None:
        kinds = torch.tensor([[int(i == IMAGE) for i in ids]])
        more = {"image_grid_thw": torch.tensor([[1, *grid]]), "mm_token_type_ids": kinds}
    return model.generate(
        input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        pixel_values=pixels, max_new_tokens=NEW, do_sample=False, eos_token_id=None, **more,
    )[0, len(ids) :].tolist()  # fmt: skip


def _written(run: Any, model: Any, ids: list[int], embeds: Any, grid: tuple[int, int] | None) -> list[int]:
    """Tokens that the graphs write."""
    positions, following = rope_positions(model.config, ids, grid, 40)
    feeds = {
        "input_ids": np.array([ids + [0] * (40 - len(ids))]),
        "image_embeds": embeds,
        "positions": positions.numpy(),
        "length": np.array([len(ids)]),
    }
    _, token, cache_k, cache_v = run["prefill_40"](None, feeds)
    got = [int(token[0, 0])]
    for i in range(NEW - 1):
        slot = len(ids) + i
        feeds = {
            "token_id": token,
            "slot": np.array([slot]),
            "positions": np.full((positions.shape[0], 1), following + i),
            "cache_k": cache_k,
            "cache_v": cache_v,
        }
        _, token, row_k, row_v = run["decode"](None, feeds)
        cache_k[:, :, slot : slot + 1], cache_v[:, :, slot : slot + 1] = row_k, row_v
        got.append(int(token[0, 0]))
    return got


def test_what_cannot_be_exported_is_refused() -> None:
    config = tf.LlavaConfig(
        vision_config=dict(model_type="clip_vision_model", hidden_size=32, intermediate_size=64,
                           num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14),
        text_config={**TEXT, "model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 0,
                     "sliding_window": 8},
    )  # fmt: skip
    with pytest.raises(ModelUnavailableError, match="sliding windows"):
        decoder_parts(tf.LlavaForConditionalGeneration(config), DecoderShapes(((56, 56),), (40,), 64))
    with pytest.raises(ValueError, match="capacity"):
        DecoderShapes(((56, 56),), (64,), 64)

"""Decoders of the Llama and Qwen kind with static shapes: prefill of a length bucket, one-token decode.

The weights are those of a `transformers` model; only the control flow is written anew, so that an
exporter sees no cache object, no mask builder and no branch. Keys and values lie in caches of full
capacity, (layers, key-value heads, capacity, head size); what is not yet written is masked.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrobot.errors import ModelUnavailableError

MASKED = -3e4
"""Added to scores that may not count; float16 still holds it."""


def text_config(config: Any) -> Any:
    """The language half of a model's configuration."""
    return config.get_text_config()


class StaticDecoder(nn.Module):
    """The layers of a `transformers` text model, run on given embeddings, rope positions and caches.

    Raises ModelUnavailableError for layers that it does not know: sliding windows, several norms,
    experts, rope types other than default (optionally with `mrope_section`).
    """

    layers: Any
    norm: Any
    rotary: Any

    def __init__(self, language_model: Any, config: Any) -> None:
        super().__init__()
        self.layers = language_model.layers
        self.norm = language_model.norm
        self.rotary = language_model.rotary_emb
        self.heads = int(config.num_attention_heads)
        self.kv_heads = int(config.num_key_value_heads)
        self.head_size = int(getattr(config, "head_dim", None) or config.hidden_size // self.heads)
        self.sections = list((config.rope_parameters or {}).get("mrope_section") or [])
        self.interleaved = bool((config.rope_parameters or {}).get("mrope_interleaved"))
        _check(self, config)

    @property
    def rope_rows(self) -> int:
        """Rows of the rope positions: 3 (time, height, width) with mrope, else 1."""
        return 3 if self.sections else 1

    def rope(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Positions (rope_rows, T) int64 to cosine and sine (T, head size) float32.

        Sections of the frequencies take turns over the rows (M-RoPE, Wang et al. 2024, arXiv:2409.12191).
        """
        angles = positions[..., None].float() * self.rotary.inv_freq.float()
        if self.sections:
            parts = angles.split(self.sections, dim=-1)
            angles = torch.cat([part[i % 3] for i, part in enumerate(parts)], -1)
        else:
            angles = angles[0]
        both = torch.cat([angles, angles], -1)
        scale = self.rotary.attention_scaling
        return both.cos() * scale, both.sin() * scale

    def project(self, layer: Any, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States (T, D) to queries (kv heads, group, T, d), keys and values (kv heads, T, d)."""
        attention = layer.self_attn
        t = x.shape[0]
        q = attention.q_proj(x).reshape(t, self.heads, self.head_size)
        k = attention.k_proj(x).reshape(t, self.kv_heads, self.head_size)
        v = attention.v_proj(x).reshape(t, self.kv_heads, self.head_size)
        if hasattr(attention, "q_norm"):
            q, k = attention.q_norm(q), attention.k_norm(k)
        cos, sin = cos.to(x.dtype)[:, None], sin.to(x.dtype)[:, None]
        q, k = (u * cos + _rotate_half(u) * sin for u in (q, k))
        group = self.heads // self.kv_heads
        return (
            q.transpose(0, 1).reshape(self.kv_heads, group, t, self.head_size),
            k.transpose(0, 1),
            v.transpose(0, 1),
        )

    def finish(self, layer: Any, x: Tensor, attended: Tensor) -> Tensor:
        """Adds what was attended, (kv heads, group, T, d), and the layer's MLP to the states (T, D)."""
        t = x.shape[0]
        flat = attended.reshape(self.heads, t, self.head_size).transpose(0, 1).reshape(t, -1)
        x = x + layer.self_attn.o_proj(flat)
        return x + layer.mlp(layer.post_attention_layernorm(x))


class Prefill(nn.Module):
    """A prompt of at most T tokens, with the picture's embeddings at its image tokens.

    Inputs: input_ids (1, T) int64, padded behind; image_embeds (1, N, D); positions (rope_rows, T)
    int64; length (1,) int64, true tokens. Outputs: logits (1, V) after the last true token, next_id
    (1, 1) int64 their greatest, cache_k and cache_v (layers, kv heads, capacity, head size).
    """

    def __init__(
        self, decoder: StaticDecoder, embed: nn.Module, head: nn.Module, image_token: int, capacity: int
    ):
        super().__init__()
        self.decoder, self.embed, self.head = decoder, embed, head
        self.image_token, self.capacity = image_token, capacity

    def forward(
        self, input_ids: Tensor, image_embeds: Tensor, positions: Tensor, length: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        d = self.decoder
        t = input_ids.shape[1]
        ids = input_ids[0]
        there = ids == self.image_token
        index = (there.long().cumsum(0) - 1).clamp(0, image_embeds.shape[1] - 1)
        x = torch.where(there[:, None], image_embeds[0][index], self.embed(ids))
        cos, sin = d.rope(positions)
        causal = torch.full((t, t), MASKED, dtype=torch.float32, device=ids.device).triu(1)
        keys, values = [], []
        for layer in d.layers:
            q, k, v = d.project(layer, layer.input_layernorm(x), cos, sin)
            scores = (q @ k[:, None].transpose(2, 3)).float() * d.head_size**-0.5 + causal
            x = d.finish(layer, x, scores.softmax(-1).to(v.dtype) @ v[:, None])
            rest = (0, 0, 0, self.capacity - t)
            keys.append(F.pad(k, rest))
            values.append(F.pad(v, rest))
        last = d.norm(x[length - 1])
        logits = self.head(last)
        return logits, logits.float().argmax(-1, keepdim=True), torch.stack(keys), torch.stack(values)


class Decode(nn.Module):
    """One more token.

    Inputs: token_id (1, 1) int64; slot (1,) int64, where its key and value go in the caches; positions
    (rope_rows, 1) int64; cache_k, cache_v (layers, kv heads, capacity, head size), of which what lies
    before `slot` counts. Outputs: logits (1, V), next_id (1, 1) int64, and either the new rows of the
    caches, (layers, kv heads, 1, head size), or with `whole_cache` the caches with the rows in place.
    """

    def __init__(self, decoder: StaticDecoder, embed: nn.Module, head: nn.Module, whole_cache: bool = False):
        super().__init__()
        self.decoder, self.embed, self.head, self.whole_cache = decoder, embed, head, whole_cache

    def forward(
        self, token_id: Tensor, slot: Tensor, positions: Tensor, cache_k: Tensor, cache_v: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        d = self.decoder
        x = self.embed(token_id[0])
        cos, sin = d.rope(positions)
        index = torch.arange(cache_k.shape[2], device=token_id.device)
        unseen = torch.where(index < slot, 0.0, MASKED)
        keys, values = [], []
        for i, layer in enumerate(d.layers):
            q, k, v = d.project(layer, layer.input_layernorm(x), cos, sin)
            before = (q @ cache_k[i][:, None].transpose(2, 3)).float() * d.head_size**-0.5 + unseen
            own = (q * k[:, None]).sum(-1, keepdim=True).float() * d.head_size**-0.5
            weights = torch.cat([before, own], -1).softmax(-1).to(v.dtype)
            attended = weights[..., :-1] @ cache_v[i][:, None] + weights[..., -1:] * v[:, None]
            x = d.finish(layer, x, attended)
            keys.append(k)
            values.append(v)
        logits = self.head(d.norm(x))
        rows_k, rows_v = torch.stack(keys), torch.stack(values)
        if self.whole_cache:
            here = (index == slot)[:, None]
            rows_k, rows_v = torch.where(here, rows_k, cache_k), torch.where(here, rows_v, cache_v)
        return logits, logits.float().argmax(-1, keepdim=True), rows_k, rows_v


def _rotate_half(x: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([-high, low], -1)


def _check(decoder: StaticDecoder, config: Any) -> None:
    """Layers that compute anything else than StaticDecoder does are refused, never exported wrongly."""
    kind = f"'{config.model_type}'"
    layer = decoder.layers[0]
    names = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
    other = {name for name, _ in layer.named_children()} - names
    wrong = ""
    if other:
        wrong = f"its layers hold {sorted(other)}"
    elif not {name for name, _ in layer.mlp.named_children()} <= {
        "gate_proj",
        "up_proj",
        "down_proj",
        "act_fn",
    }:
        wrong = f"its MLP is a {type(layer.mlp).__name__}"
    elif "sliding_attention" in (getattr(config, "layer_types", None) or []):
        wrong = "it attends in sliding windows"
    elif decoder.interleaved:
        wrong = "its rope sections are interleaved"
    elif (config.rope_parameters or {}).get("rope_type", "default") not in ("default", "linear", "llama3"):
        wrong = f"its rope type is {config.rope_parameters['rope_type']}"
    if wrong:
        raise ModelUnavailableError(
            f"a decoder of kind {kind} cannot be exported: {wrong}", "use the torch backend for this model"
        )

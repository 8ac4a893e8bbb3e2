"""Decoding speed of a 2B-class VLM's language half, at true shapes with random weights.

Three ways side by side: torch eager, torch.compile with CUDA graphs, and ours: the static decoder of
engines/static_decoder.py with its caches written in place and the choice made on the device, replayed as one
CUDA graph a token. One token must read all weights once, and the caches so far: what memory allows is that
many bytes a token over the bandwidth measured. On a CPU there are no graphs; a tiny size tests the code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from mmrobot.vlm.engines.static_decoder import Decode, StaticDecoder


@dataclass(frozen=True)
class Size:
    """Shapes of a Qwen2-type decoder; `prompt` tokens are read before, `capacity` is the caches' length."""

    hidden: int = 1536
    layers: int = 28
    heads: int = 12
    kv_heads: int = 2
    intermediate: int = 8960
    vocabulary: int = 151_936
    prompt: int = 512
    capacity: int = 1024


TWO_B = Size()
"""Qwen2-VL-2B's language half: 1.54 G parameters (config.json of Qwen/Qwen2-VL-2B-Instruct)."""
TINY = Size(32, 2, 4, 2, 64, 128, 8, 64)

_BANDWIDTH_BYTES = 1 << 31


def measure_large(
    size: Size = TWO_B, tokens: int = 128, rounds: int = 3, device: str = "cuda", compiled: bool = True
) -> dict[str, Any]:
    """Tokens a second of each way (best round), and its share of what memory allows; ways take turns.

    `failed` holds ways that did not run here, with the reason; `agreement` is the logits' cosine to eager's.
    """
    where = torch.device(device)
    dtype = torch.bfloat16 if where.type == "cuda" else torch.float32
    with torch.inference_mode():
        model = _random_model(size, where, dtype)
        ids = torch.randint(size.vocabulary, (1, size.prompt), generator=torch.Generator().manual_seed(0)).to(
            where
        )
        makers: dict[str, Callable[[], _Way]] = {"torch eager": lambda: _Eager(model, ids)}
        if compiled:
            makers["torch compiled"] = lambda: _Compiled(model, ids, size)
        makers["ours"] = lambda: _Ours(model, ids, size)
        if compiled:
            makers["ours compiled"] = lambda: _Ours(model, ids, size, compile_it=True)
        ways: dict[str, _Way] = {}
        failed: dict[str, str] = {}
        for name, make in makers.items():
            try:
                ways[name] = make()
            except Exception as error:  # noqa: BLE001 - told as the reason why this way has no figures
                failed[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        agreement = {
            name: _cosine(way.first_logits, ways["torch eager"].first_logits) for name, way in ways.items()
        }
        best = dict.fromkeys(ways, 0.0)
        for _ in range(rounds):
            for name, way in ways.items():
                best[name] = max(best[name], _tokens_per_s(way, tokens, where))
        gb_s = bandwidth_gb_s(where, _BANDWIDTH_BYTES if where.type == "cuda" else 1 << 24)
    weights = _weight_bytes(model)
    cache = _cache_bytes(size, dtype, size.prompt + tokens // 2)
    limit = gb_s * 1e9 / (weights + cache)
    return {
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu",
        "parameters": sum(p.numel() for p in model.parameters()),
        "dtype": str(dtype).removeprefix("torch."),
        "bytes_a_token": weights + cache,
        "bandwidth_gb_s": round(gb_s, 1),
        "limit_tokens_s": round(limit, 1),
        "ways": {
            name: {
                "tokens_s": round(speed, 1),
                "share_of_limit": round(speed / limit, 4),
                "agreement": round(agreement[name], 5),
            }
            for name, speed in best.items()
        },
        "failed": failed,
    }


class _Way(Protocol):
    """One way to decode."""

    first_logits: Tensor

    def reset(self) -> None:
        """Begin again after the prompt."""

    def step(self) -> None:
        """Make one more token."""


class _Eager:
    def __init__(self, model: Any, ids: Tensor) -> None:
        self._model, self._ids = model, ids
        self.reset()
        self.first_logits = self._logits(self._next)

    def reset(self) -> None:
        from transformers import DynamicCache

        self._cache = DynamicCache(config=self._model.config)
        out = self._model(input_ids=self._ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._next = out.logits[:, -1].argmax(-1, keepdim=True)

    def _logits(self, token: Tensor) -> Tensor:
        out = self._model(input_ids=token, past_key_values=self._cache, use_cache=True)
        return out.logits[:, -1]

    def step(self) -> None:
        self._next = self._logits(self._next).argmax(-1, keepdim=True)


class _Compiled:
    def __init__(self, model: Any, ids: Tensor, size: Size) -> None:
        self._model, self._ids, self._size = model, ids, size
        mode = "reduce-overhead" if ids.is_cuda else "default"
        self._step = torch.compile(model.forward, mode=mode, dynamic=False)
        self._cache: Any = None
        self.reset()
        self.first_logits = self._logits().clone()
        for _ in range(4):  # reduce-overhead records its graphs in the first calls
            self.step()

    def reset(self) -> None:
        from transformers import StaticCache

        if self._cache is None:
            self._cache = StaticCache(config=self._model.config, max_cache_len=self._size.capacity)
        else:
            self._cache.reset()
        out = self._model(input_ids=self._ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._next = out.logits[:, -1].argmax(-1, keepdim=True)

    def _logits(self) -> Tensor:
        if self._next.is_cuda:
            torch.compiler.cudagraph_mark_step_begin()
        out = self._step(input_ids=self._next, past_key_values=self._cache, use_cache=True)
        return out.logits[:, -1]

    def step(self) -> None:
        self._next = self._logits().argmax(-1, keepdim=True)


class _Ours:
    """The static decoder with caches, position and chosen token in fixed buffers."""

    def __init__(self, model: Any, ids: Tensor, size: Size, compile_it: bool = False) -> None:
        from transformers import DynamicCache

        decoder = StaticDecoder(model.model, model.config)
        decode: Any = Decode(decoder, model.model.embed_tokens, model.lm_head)
        self._decode = (
            torch.compile(decode, mode="max-autotune-no-cudagraphs", dynamic=False) if compile_it else decode
        )
        self._prompt = ids.shape[1]
        cache = DynamicCache(config=model.config)
        out = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        self._first = out.logits[:, -1].argmax(-1, keepdim=True)
        shape = (size.layers, size.kv_heads, size.capacity, size.hidden // size.heads)
        self._keys, self._values = (
            torch.zeros(shape, dtype=out.logits.dtype, device=ids.device) for _ in range(2)
        )
        for i, layer in enumerate(cache.layers):
            self._keys[i, :, : self._prompt] = layer.keys[0]
            self._values[i, :, : self._prompt] = layer.values[0]
        self._token = self._first.clone()
        self._slot = torch.tensor([self._prompt], device=ids.device)
        self._logits = torch.zeros_like(out.logits[:, -1])
        self._graph: Any = None
        self._once()
        self.first_logits = self._logits.clone()
        if ids.is_cuda:
            self._record()
        self.reset()

    def reset(self) -> None:
        self._token.copy_(self._first)
        self._slot.fill_(self._prompt)

    def step(self) -> None:
        if self._graph is not None:
            self._graph.replay()
        else:
            self._once()

    def _once(self) -> None:
        positions = self._slot[None]
        logits, chosen, rows_k, rows_v = self._decode(
            self._token, self._slot, positions, self._keys, self._values
        )
        self._keys.index_copy_(2, self._slot, rows_k)
        self._values.index_copy_(2, self._slot, rows_v)
        self._logits.copy_(logits)
        self._token.copy_(chosen)
        self._slot.add_(1)

    def _record(self) -> None:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._once()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._once()
        self._graph = graph


def _random_model(size: Size, where: torch.device, dtype: torch.dtype) -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        intermediate_size=size.intermediate,
        vocab_size=size.vocabulary,
        max_position_embeddings=size.capacity,
        tie_word_embeddings=True,
        dtype=dtype,
    )
    torch.manual_seed(0)
    with where:
        model = Qwen2ForCausalLM(config)
    return model.to(device=where, dtype=dtype).eval()


def _tokens_per_s(way: _Way, tokens: int, where: torch.device) -> float:
    way.reset()
    way.step()
    _wait(where)
    begin = time.perf_counter()
    for _ in range(tokens):
        way.step()
    _wait(where)
    return tokens / (time.perf_counter() - begin)


def _weight_bytes(model: Any) -> int:
    """Read for a token: all layers and the head, which is the embedding's table when both are tied."""
    return sum(p.numel() * p.element_size() for p in model.parameters())


def _cache_bytes(size: Size, dtype: torch.dtype, length: int) -> int:
    return 2 * size.layers * size.kv_heads * (size.hidden // size.heads) * length * dtype.itemsize


def bandwidth_gb_s(where: torch.device, size: int, tries: int = 10) -> float:
    """GB/s of a copy on the device, read and write counted, the best of some tries."""
    source = torch.ones(size // 4, dtype=torch.float32, device=where)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(tries):
        _wait(where)
        begin = time.perf_counter()
        target.copy_(source)
        _wait(where)
        best = min(best, time.perf_counter() - begin)
    return 2 * size / best / 1e9


def _wait(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a.float().flatten(), b.float().flatten(), dim=0))

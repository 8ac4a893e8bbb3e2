"""Any open VLM in this process, over `transformers` Auto classes.

Weights come from the local cache only, at the revision that the spec pins, as safetensors; code from a
repository is never run. `open_model` is the way in; the caller runs `self_test.self_test` on what it
returns before it trusts a box.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from numpy.typing import NDArray
from PIL import Image
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from mmrobot.errors import DeadlineError, MmrobotError, ModelUnavailableError
from mmrobot.vlm.chat_vlm import ChatVlm, Schema
from mmrobot.vlm.families.catalogue import family_named
from mmrobot.vlm.memory import require_memory
from mmrobot.vlm.model_spec import ModelSpec

# What config.json calls the models that each family reads.
MODEL_TYPES: Mapping[str, frozenset[str]] = {
    "qwen2_5_vl": frozenset({"qwen2_5_vl"}),
    "qwen3_vl": frozenset({"qwen3_vl", "qwen3_vl_moe"}),
    "internvl3": frozenset({"internvl"}),
    "smolvlm2": frozenset({"smolvlm", "idefics3"}),
    "paligemma2": frozenset({"paligemma"}),
    "florence2": frozenset({"florence2"}),
    "molmo2": frozenset({"molmo2"}),
    "phi4_multimodal": frozenset({"phi4_multimodal"}),
}

# What some processors need besides; none of them is needed to run the shipped model.
_OPTIONAL_PACKAGES = ("torchvision", "sentencepiece")


class _Certainty(transformers.LogitsProcessor):
    """Notes the probability of each token that greedy decoding takes; changes nothing."""

    def __init__(self) -> None:
        self.log_probabilities: list[float] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.log_probabilities.append(float(scores[0].float().log_softmax(-1).max()))
        return scores


class TransformersEngine:
    """One loaded model as a ChatEngine. Not safe for concurrent calls.

    `chat` False gives the prompt to the processor as it is, without a chat template;
    `keep_special_tokens` leaves location tokens in the reply.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        name: str,
        chat: bool = True,
        keep_special_tokens: bool = False,
        timeout_s: float = 60.0,
    ) -> None:
        self.name = name
        self.last_confidence: float | None = None
        self._model = model.eval()
        self._processor = processor
        self._tokenizer = getattr(processor, "tokenizer", processor)
        self._chat = chat
        self._keep_special_tokens = keep_special_tokens
        self._timeout_s = timeout_s
        # PaliGemma's processor wants the picture's place marked; Florence's marks it itself.
        self._mark = "<image>" if model.config.model_type == "paligemma" else ""
        if chat and not getattr(processor, "chat_template", None):
            raise ModelUnavailableError(
                f"the processor of {name} has no chat template", "use the instruct version of the model"
            )

    def reply(self, image_rgb: NDArray[np.uint8], prompt: str, schema: Schema | None, max_tokens: int) -> str:
        """The greedy reply. `schema` is not enforced here. Raises DeadlineError, ModelUnavailableError."""
        certainty = _Certainty()
        started = time.monotonic()
        tokens, ended = self._generate(image_rgb, prompt, max_tokens, certainty)
        if not ended and time.monotonic() - started >= self._timeout_s:
            raise DeadlineError(
                f"{self.name} wrote {len(tokens)} tokens in {self._timeout_s:g} s and was not done",
                "use a smaller model or a faster device, or raise timeout_s in the model's YAML",
            )
        seen = certainty.log_probabilities
        self.last_confidence = float(np.exp(np.mean(seen))) if seen else None
        return str(self._tokenizer.decode(tokens, skip_special_tokens=not self._keep_special_tokens)).strip()

    def first_token_probability(
        self, image_rgb: NDArray[np.uint8], prompt: str, words: Sequence[str]
    ) -> tuple[float, ...] | None:
        """For each word the probability that the reply begins with it; None where the tokenizer gives
        two of the words the same first token."""
        first = [self._first_tokens(word) for word in words]
        if not all(first) or sum(map(len, first)) != len(set().union(*first)):
            return None
        logits = self._generate(image_rgb, prompt, 1, None)
        probabilities = logits.float().softmax(-1)
        return tuple(float(probabilities[sorted(ids)].sum()) for ids in first)

    def _first_tokens(self, word: str) -> set[int]:
        """Tokens that begin the word in any of its usual spellings."""
        found = set()
        for spelling in (word, word.capitalize(), word.upper()):
            for text in (spelling, " " + spelling):
                ids = self._tokenizer.encode(text, add_special_tokens=False)
                # A lone space before the word is no sign of it.
                heads = (i for i in ids if str(self._tokenizer.decode([i])).strip())
                found.add(next(heads, -1))
        return found - {-1}

    def _generate(
        self, image_rgb: NDArray[np.uint8], prompt: str, max_tokens: int, certainty: _Certainty | None
    ) -> Any:
        """(new token ids, whether the model ended) with `certainty`, else the first token's logits (V,)."""
        try:
            inputs = self._inputs(image_rgb, prompt)
            with torch.inference_mode():
                # Each knob that a checkpoint's generation_config may turn is set: greedy, nothing penalised,
                # since a penalty for repeated tokens bends coordinates.
                out = self._model.generate(
                    **inputs,
                    max_new_tokens=max_tokens,
                    do_sample=False,
                    num_beams=1,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    repetition_penalty=1.0,
                    no_repeat_ngram_size=0,
                    max_time=self._timeout_s,
                    return_dict_in_generate=True,
                    output_logits=certainty is None,
                    logits_processor=transformers.LogitsProcessorList([certainty] if certainty else []),
                )
        except torch.cuda.OutOfMemoryError as error:
            raise ModelUnavailableError(
                f"{self.name} ran out of GPU memory on a picture of {image_rgb.shape[1::-1]} pixels",
                "use a smaller picture or model, or free the GPU",
            ) from error
        if certainty is None:
            return out.logits[0][0]
        ids = out.sequences[0]
        if not self._model.config.is_encoder_decoder:
            ids = ids[inputs["input_ids"].shape[1] :]
        tokens = ids.tolist()
        ends = self._model.generation_config.eos_token_id
        ends = {ends} if isinstance(ends, int) else set(ends or ())
        return tokens, bool(ends & set(tokens[-1:])) or len(tokens) >= max_tokens

    def _inputs(self, image_rgb: NDArray[np.uint8], prompt: str) -> dict[str, Any]:
        picture = Image.fromarray(np.ascontiguousarray(image_rgb))
        if self._chat:
            content = [{"type": "image", "image": picture}, {"type": "text", "text": prompt}]
            inputs = self._processor.apply_chat_template(
                [{"role": "user", "content": content}],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        else:
            inputs = self._processor(text=[self._mark + prompt], images=[picture], return_tensors="pt")
        ready = {}
        for key, value in inputs.items():
            # PaliGemma's processor adds labels, which only training wants.
            if key == "labels" or not isinstance(value, torch.Tensor):
                continue
            moved = value.to(self._model.device)
            ready[key] = moved.to(self._model.dtype) if moved.is_floating_point() else moved
        return ready


def open_model(spec: ModelSpec, device: str = "auto") -> ChatVlm:
    """The model of a spec, loaded and ready, not yet self-tested.

    `device` is auto (a GPU if there is one), cpu, cuda or cuda:N. Raises InvalidConfigError for a spec
    without a pinned revision, ModelUnavailableError when weights are missing (with the command that
    fetches them), damaged, no safetensors, of another family, or need more memory than is free.
    """
    family = family_named(spec.family, spec.options)
    spec.require_pinned()
    folder = _folder(spec)
    device = _device(device)
    try:
        config = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailableError(
            f"the configuration of '{spec.name}' cannot be read: {_line(error)}",
            _again(spec),
        ) from error
    if config.model_type not in MODEL_TYPES.get(spec.family, frozenset()):
        known = [name for name, types in MODEL_TYPES.items() if config.model_type in types]
        raise ModelUnavailableError(
            f"'{spec.name}' is of the family '{spec.family}' by its YAML, but holds a '{config.model_type}'",
            f"write family: {known[0]}" if known else f"families: {', '.join(MODEL_TYPES)}",
        )
    require_memory(spec.name, spec.memory_gb, device)
    model = _weights(spec, folder, device)
    if config.model_type == "phi4_multimodal":
        _vision_adapter(spec, model, folder / "vision-lora")
    processor = _processor(spec, folder, config)
    if spec.family == "qwen2_5_vl" and not spec.options:
        family = family_named(spec.family, qwen_bounds(processor.image_processor))
    version = (spec.revision or "local")[:8]
    engine = TransformersEngine(
        model,
        processor,
        f"{spec.name}@{version}",
        chat=family.chat,
        keep_special_tokens=family.keep_special_tokens,
        timeout_s=spec.timeout_s,
    )
    return ChatVlm(family, engine)


def qwen_bounds(image_processor: Any) -> dict[str, int]:
    """The numbers of a Qwen2-VL image processor that decide how it resizes, as options of the family."""
    size = image_processor.size
    return {
        "factor": image_processor.patch_size * image_processor.merge_size,
        "min_pixels": int(size["shortest_edge"]),
        "max_pixels": int(size["longest_edge"]),
    }


def _folder(spec: ModelSpec) -> Path:
    """Where the weights lie; the hub is never called."""
    if spec.folder is not None:
        folder = spec.folder.expanduser()
        if not (folder / "config.json").is_file():
            raise ModelUnavailableError(
                f"no model of '{spec.name}' in {folder}: config.json is missing",
                "correct `folder` in its YAML",
            )
    else:
        try:
            folder = Path(snapshot_download(spec.repo or "", revision=spec.revision, local_files_only=True))
        except LocalEntryNotFoundError as error:
            raise ModelUnavailableError(
                f"the weights of '{spec.name}' ({spec.repo}) are not on this machine",
                f"run: {spec.download_command}",
            ) from error
    if not any(folder.glob("*.safetensors")):
        raise ModelUnavailableError(
            f"'{spec.name}' has no *.safetensors in {folder}; formats that can run code are refused",
            _again(spec),
        )
    return folder


def _weights(spec: ModelSpec, folder: Path, device: str) -> Any:
    try:
        model, report = transformers.AutoModelForMultimodalLM.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=getattr(torch, spec.dtype),
            output_loading_info=True,
        )
        model = model.to(device)
    except MmrobotError:
        raise
    except Exception as error:
        # What safetensors, transformers and CUDA raise for damaged files shares no base but Exception.
        raise ModelUnavailableError(
            f"the weights of '{spec.name}' cannot be loaded: {_line(error)}", _again(spec)
        ) from error
    missing = sorted(report["missing_keys"]) + sorted(map(str, report.get("mismatched_keys", ())))
    if missing:
        raise ModelUnavailableError(
            f"the weights of '{spec.name}' lack {len(missing)} of the model's tensors, such as {missing[0]}",
            _again(spec),
        )
    return model


def _vision_adapter(spec: ModelSpec, model: Any, folder: Path) -> None:
    """Phi-4 sees through an adapter that lies beside its weights; without it, it would speak of nothing."""
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelUnavailableError(
            f"'{spec.name}' has no adapter for pictures: {folder / 'adapter_model.safetensors'} is missing",
            _again(spec),
        )
    try:
        model.load_adapter(str(folder), adapter_name="vision", local_files_only=True)
        model.set_adapter("vision")
    except (ImportError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelUnavailableError(
            f"the adapter for pictures of '{spec.name}' cannot be loaded: {_line(error)}",
            "run: pip install peft" if "peft" in str(error).lower() else _again(spec),
        ) from error


def _processor(spec: ModelSpec, folder: Path, config: Any) -> Any:
    """The model's own processor, without its part for videos."""
    arguments = {"local_files_only": True, "trust_remote_code": False}
    try:
        return _for_pictures(_processor_class(config)).from_pretrained(folder, **arguments)
    except (ImportError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        missing = next((name for name in _OPTIONAL_PACKAGES if name.lower() in str(error).lower()), None)
        raise ModelUnavailableError(
            f"the processor of '{spec.name}' cannot be made: {_line(error)}",
            f"run: pip install {missing}" if missing else _again(spec),
        ) from error


def _processor_class(config: Any) -> type[Any]:
    # SmolVLM's own processor differs from Idefics3's only by videos, for which it wants two more packages.
    if config.model_type == "smolvlm":
        return transformers.Idefics3Processor
    return PROCESSOR_MAPPING[type(config)]


def _for_pictures(kind: type[Any]) -> type[Any]:
    """The processor's class, but without its part for videos: that needs torchvision, mmrobot does not.

    ProcessorMixin makes and checks the parts that `get_attributes` names, in the order of __init__.
    """
    parts = kind.get_attributes()
    if parts[-1] != "video_processor":
        return kind

    class ForPictures(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return parts[:-1]

        @classmethod
        def _get_arguments_from_pretrained(cls, *args: Any, **others: Any) -> list[Any]:
            return [*super()._get_arguments_from_pretrained(*args, **others), None]

    ForPictures.__name__ = kind.__name__  # goes into processor_config.json when saved
    return ForPictures


def _device(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelUnavailableError(
            f"the device '{device}' was asked for, but torch sees no GPU",
            "use device cpu, or mend the driver",
        )
    return device


def _again(spec: ModelSpec) -> str:
    return f"run: {spec.download_command} --force-download" if spec.repo else "correct its YAML or its folder"


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"

"""From a model's name or folder to a model that looks and reads: on the best rung that works here."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from mmrobot.config import Config, ModelConfig
from mmrobot.errors import InvalidConfigError, MmrobotError, ModelUnavailableError
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.ladder import Ladder, Rung
from mmrobot.vlm.model_spec import ModelSpec, load_spec, spec_files
from mmrobot.vlm.rungs import Loader, check_sight, nano_loaders, remote_loader, spec_loaders

DEFAULT_MODEL = "mmrobot-nano"
SHIPPED = {"mmrobot-nano": Path(__file__).parent / "models" / "nano" / "weights"}
"""Models whose weights are in the package."""

NANO_TYPE = "mmrobot-nano"

BACKENDS = {
    "tensorrt": ("tensorrt",),
    "torch": ("torch_cuda", "torch_cpu"),
    "torch_cuda": ("torch_cuda",),
    "torch_cpu": ("torch_cpu",),
    "onnx": ("onnx",),
    "remote": ("remote",),
}
"""What `backend` may say, besides auto, and the rungs that it leaves."""

_ON_CPU, _ON_GPU = ("onnx", "torch_cpu", "remote"), ("tensorrt", "torch_cuda", "remote")

Tell = Callable[[str, MmrobotError | None], None]


def load_model(
    model: str | Path | ModelSpec = "",
    device: str = "auto",
    backend: str = "auto",
    config: Config | None = None,
    tell: Tell = lambda words, fault: None,
    check: bool = True,
) -> Ladder:
    """A model on the best rung for it: by name, from a folder with config.json and model.safetensors, or
    of a spec (config/models/NAME.yaml, by name or path).

    Empty or auto takes what `config` (default: the defaults of mmrobot/config.py) says: its model, its
    device, its ladder. A `device` (cpu, cuda, cuda:0, ...) leaves the rungs that run there and the remote
    one; a `backend` (see BACKENDS) its own rungs only. `tell` hears of each change of rung.
    Each rung must pass the self-test, unless `check` is false: to measure a model that is not done yet.
    Raises ModelUnavailableError, which names the nearest known model, what is wrong with the folder, or
    each rung with its reason; InvalidConfigError for a device or backend that is none.
    """
    config = config or Config()
    device = config.model.device if device == "auto" else device
    chosen = choose_rungs(config.model, device, backend)
    found: Path | ModelSpec | None
    if isinstance(model, ModelSpec):
        name, found = model.name, model
    else:
        name = str(model) or config.model.name
        # A server brings its own model: nothing of this machine's folders is needed.
        found = None if chosen == ("remote",) and not _is_spec(name) else _found(name)
    spec = found if isinstance(found, ModelSpec) else None
    loaders: dict[str, Loader] = {}
    if isinstance(found, Path):
        loaders = nano_loaders(found, device, config.model.threads)
    elif spec is not None:
        loaders = spec_loaders(spec, device)
    else:
        name = config.remote.model or "the server's model"
    loaders["remote"] = remote_loader(config.remote, spec)
    sight = check_sight if check else _unchecked
    return Ladder(name, [Rung(rung, loaders[rung]) for rung in chosen], sight, tell)


def _unchecked(model: VisionLanguageModel) -> None:
    """Any model passes."""


def check_name(name: str, config: Config | None = None) -> None:
    """Raises ModelUnavailableError when there is no such model: what can be known without loading it."""
    if (config or Config()).model.ladder != ("remote",):
        _found(name)


def choose_rungs(model: ModelConfig, device: str = "auto", backend: str = "auto") -> tuple[str, ...]:
    """The rungs to try, best first. Raises InvalidConfigError for unknown words, or when none is left."""
    rungs: Sequence[str] = model.ladder
    if backend != "auto":
        if backend not in BACKENDS:
            raise InvalidConfigError(
                f"there is no backend '{backend}'", f"known: auto, {', '.join(BACKENDS)}"
            )
        rungs = BACKENDS[backend]
    where = device.partition(":")[0]
    if device not in ("auto", "cpu", "cuda") and not (
        where == "cuda" and device.removeprefix("cuda:").isdecimal()
    ):
        raise InvalidConfigError(f"there is no device '{device}'", "known: auto, cpu, cuda, cuda:0, ...")
    if where != "auto":
        allowed = _ON_CPU if where == "cpu" else _ON_GPU
        rungs = [rung for rung in rungs if rung in allowed]
    if not rungs:
        raise InvalidConfigError(
            f"no rung of model.ladder {list(model.ladder)} with backend '{backend}' runs on '{device}'",
            "set model.device: auto, or add a rung that runs there",
        )
    return tuple(dict.fromkeys(rungs))


def _is_spec(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or name in spec_files()


def _found(name: str) -> Path | ModelSpec:
    """What a name means: a folder of mmrobot-nano's kind, or the spec of an open model."""
    return load_spec(name) if name not in SHIPPED and _is_spec(name) else _folder(name)


def nano_folder(name: str = "") -> Path:
    """The weights of a model of mmrobot-nano's kind, by name or folder, for measuring its parts one by one.

    Raises ModelUnavailableError.
    """
    return _folder(name or DEFAULT_MODEL)


def _folder(name: str) -> Path:
    """The folder of a model of mmrobot-nano's kind."""
    folder = SHIPPED.get(name, Path(name))
    if not (folder / "config.json").is_file():
        if name in SHIPPED:
            raise ModelUnavailableError(
                f"the weights of '{name}' are missing: no {folder / 'config.json'}",
                "install the package anew",
            )
        known = [*SHIPPED, *spec_files()]
        near = difflib.get_close_matches(name, known, 1, 0.3)
        raise ModelUnavailableError(
            f"no model '{name}'",
            f"did you mean '{near[0]}'?"
            if near
            else f"known: {', '.join(known)}; or give a folder with config.json",
        )
    try:
        model_type = json.loads((folder / "config.json").read_text())["model_type"]
    except (ValueError, KeyError, OSError, TypeError) as error:
        raise ModelUnavailableError(
            f"{folder / 'config.json'} cannot be read: {error}", "install the package anew"
        ) from error
    if model_type != NANO_TYPE:
        raise ModelUnavailableError(
            f"{folder} holds a '{model_type}', which is not supported", f"use a {NANO_TYPE}"
        )
    return folder

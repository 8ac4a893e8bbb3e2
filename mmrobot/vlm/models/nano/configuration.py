"""The sizes of mmrobot-nano as a `transformers` configuration: to make, save and load the model in torch."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig

from mmrobot.vlm.models.nano.sizes import NAMES, NanoSizes


class NanoConfig(NanoSizes, PretrainedConfig):
    """NanoSizes, and what `transformers` keeps of every model."""

    model_type = "mmrobot-nano"

    def __init__(self, **kwargs: Any) -> None:
        NanoSizes.__init__(self, **{name: kwargs.pop(name) for name in NAMES if name in kwargs})
        PretrainedConfig.__init__(self, **kwargs)

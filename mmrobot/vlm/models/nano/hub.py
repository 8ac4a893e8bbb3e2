"""mmrobot-nano for `transformers`: importing this module registers it with the Auto classes."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any

from transformers import AutoConfig, AutoModel, AutoProcessor, ProcessorMixin

from mmrobot.vlm.models.nano import processing
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.modeling import NanoModel

NAMES = tuple(inspect.signature(processing.NanoProcessor).parameters)


class NanoProcessor(processing.NanoProcessor, ProcessorMixin):
    """The same, for `save_pretrained` and AutoProcessor; its name is written beside the weights."""

    # With the signature of the sizes: what is saved is chosen by it.
    @wraps(processing.NanoProcessor.__init__)  # type: ignore[misc]
    def __init__(self, *sizes: int, **kwargs: Any) -> None:
        own = {name: kwargs.pop(name) for name in NAMES if name in kwargs}
        processing.NanoProcessor.__init__(self, *sizes, **own)
        ProcessorMixin.__init__(self, **kwargs)


AutoConfig.register(NanoConfig.model_type, NanoConfig)
AutoModel.register(NanoConfig, NanoModel)
AutoProcessor.register(NanoConfig, NanoProcessor)

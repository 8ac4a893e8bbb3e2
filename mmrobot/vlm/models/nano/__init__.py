"""mmrobot-nano: an object-centric vision-language model, a `transformers` PreTrainedModel.

A picture becomes at most K object tokens (a centre-heatmap head finds them), words become vectors of
their own letters, a transformer reads both; it points at objects, and writes plans whose phrases are
copied from the words. Taking a class from this package registers it with the Auto classes of
`transformers`; the modules that the ONNX backend needs load neither that nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmrobot.vlm.models.nano.hub import NanoConfig, NanoModel, NanoProcessor

__all__ = ["NanoConfig", "NanoModel", "NanoProcessor"]


def __getattr__(name: str) -> Any:
    """The classes, loaded when first asked for: torch and transformers take ten seconds of a core."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mmrobot.vlm.models.nano import hub

    return getattr(hub, name)

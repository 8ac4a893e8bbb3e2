"""mmrobot-nano: an object-centric vision-language model, a `transformers` PreTrainedModel.

A picture becomes at most K object tokens (a centre-heatmap head finds them), words become vectors of
their own letters, a transformer reads both; it points at objects, and writes plans whose phrases are
copied from the words. Importing this package registers it with the Auto classes.
"""

from transformers import AutoConfig, AutoModel, AutoProcessor

from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.modeling import NanoModel
from mmrobot.vlm.models.nano.processing import NanoProcessor

AutoConfig.register(NanoConfig.model_type, NanoConfig)
AutoModel.register(NanoConfig, NanoModel)
AutoProcessor.register(NanoConfig, NanoProcessor)

__all__ = ["NanoConfig", "NanoModel", "NanoProcessor"]

"""Random-weight models of the true classes, a few kilobytes each, saved as a hub folder would be.

The tokenizer is bytes plus each family's own special tokens, so any text goes in and comes out. What
they write is noise; that they load, look at a picture and write is what is tested.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from mmrobot.vlm.transformers_backend import _for_pictures

TEXT = dict(
    hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
    max_position_embeddings=8192,
)  # fmt: skip


def tokenizer(special: list[str], **named: Any) -> tf.PreTrainedTokenizerFast:
    """Bytes and special tokens; <s> </s> <pad> are always there."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        additional_special_tokens=special, **({"extra_special_tokens": named} if named else {}),
    )  # fmt: skip


def template(picture: str) -> str:
    """A chat template that writes the picture's mark, then the words."""
    return (
        "{% for m in messages %}<s>{{ m['role'] }}: {% for c in m['content'] %}"
        "{% if c['type'] == 'image' %}" + picture + "{% else %}{{ c['text'] }}{% endif %}"
        "{% endfor %}</s>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )


def _ids(words: tf.PreTrainedTokenizerFast) -> dict[str, int]:
    return dict(
        bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id
    )


def _qwen_tokens() -> tf.PreTrainedTokenizerFast:
    return tokenizer(["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"])


def _qwen_ids(words: tf.PreTrainedTokenizerFast) -> dict[str, int]:
    of = words.convert_tokens_to_ids
    return dict(
        image_token_id=of("<|image_pad|>"), video_token_id=of("<|video_pad|>"),
        vision_start_token_id=of("<|vision_start|>"), vision_end_token_id=of("<|vision_end|>"),
    )  # fmt: skip


_QWEN_TEMPLATE = template("<|vision_start|><|image_pad|><|vision_end|>")


def qwen2_5_vl() -> tuple[Any, Any]:
    words = _qwen_tokens()
    rope = {"type": "default", "rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4}
    config = tf.Qwen2_5_VLConfig(
        text_config=dict(TEXT, vocab_size=len(words), rope_parameters=rope, **_ids(words)),
        vision_config=dict(
            depth=2, hidden_size=32, intermediate_size=48, num_heads=2, out_hidden_size=32,
            fullatt_block_indexes=[1],
        ),
        **_qwen_ids(words),
    )  # fmt: skip
    pictures = Qwen2VLImageProcessorPil(min_pixels=3136, max_pixels=28 * 28 * 48)
    kind = _for_pictures(tf.Qwen2_5_VLProcessor)
    return tf.Qwen2_5_VLForConditionalGeneration(config), kind(
        pictures, words, None, chat_template=_QWEN_TEMPLATE
    )


def qwen3_vl() -> tuple[Any, Any]:
    words = _qwen_tokens()
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4, "mrope_interleaved": True}
    config = tf.Qwen3VLConfig(
        text_config=dict(TEXT, head_dim=16, vocab_size=len(words), rope_parameters=rope, **_ids(words)),
        vision_config=dict(
            depth=2, hidden_size=32, intermediate_size=48, num_heads=2, out_hidden_size=32,
            num_position_embeddings=64, deepstack_visual_indexes=[0],
        ),
        **_qwen_ids(words),
    )  # fmt: skip
    pictures = Qwen2VLImageProcessorPil(patch_size=16, min_pixels=65536, max_pixels=65536)
    kind = _for_pictures(tf.Qwen3VLProcessor)
    return tf.Qwen3VLForConditionalGeneration(config), kind(pictures, words, chat_template=_QWEN_TEMPLATE)


def internvl3() -> tuple[Any, Any]:
    words = tokenizer(
        ["<ref>", "</ref>", "<box>", "</box>"],
        start_image_token="<img>", end_image_token="</img>", context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )  # fmt: skip
    config = tf.InternVLConfig(
        vision_config=dict(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
            image_size=[56, 56],
        ),
        text_config=dict(TEXT, model_type="qwen2", vocab_size=len(words), **_ids(words)),
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )  # fmt: skip
    pictures = GotOcr2ImageProcessorPil(size={"height": 56, "width": 56}, crop_to_patches=True, max_patches=6)
    kind = _for_pictures(tf.InternVLProcessor)
    processor = kind(pictures, words, image_seq_length=4, chat_template=template("<IMG_CONTEXT>"))
    return tf.InternVLForConditionalGeneration(config), processor


def _idefics_tokens() -> tf.PreTrainedTokenizerFast:
    grid = [f"<row_{r}_col_{c}>" for r in range(1, 5) for c in range(1, 5)]
    marks = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", "<video>"]
    return tokenizer(marks + grid)


def _idefics_config(kind: Any, words: tf.PreTrainedTokenizerFast) -> Any:
    return kind(
        vision_config=dict(
            hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=64,
            patch_size=16,
        ),
        text_config=dict(TEXT, model_type="llama", vocab_size=len(words), **_ids(words)),
        image_token_id=words.convert_tokens_to_ids("<image>"), scale_factor=2,
        pad_token_id=words.pad_token_id,
    )  # fmt: skip


def idefics3() -> tuple[Any, Any]:
    words = _idefics_tokens()
    pictures = Idefics3ImageProcessorPil(size={"longest_edge": 128}, max_image_size={"longest_edge": 64})
    processor = tf.Idefics3Processor(pictures, words, image_seq_len=4, chat_template=template("<image>"))
    return tf.Idefics3ForConditionalGeneration(_idefics_config(tf.Idefics3Config, words)), processor


def smolvlm2() -> tuple[Any, Any]:
    words = _idefics_tokens()
    pictures = SmolVLMImageProcessorPil(size={"longest_edge": 128}, max_image_size={"longest_edge": 64})
    processor = tf.Idefics3Processor(pictures, words, image_seq_len=4, chat_template=template("<image>"))
    return tf.SmolVLMForConditionalGeneration(_idefics_config(tf.SmolVLMConfig, words)), processor


def paligemma2() -> tuple[Any, Any]:
    words = tokenizer([])
    pictures = SiglipImageProcessorPil(size={"height": 56, "width": 56}, do_convert_rgb=True)
    pictures.image_seq_length = 16
    processor = tf.PaliGemmaProcessor(pictures, words)
    text = dict(
        TEXT, model_type="gemma2", head_dim=16, vocab_size=len(words), sliding_window=4096, **_ids(words)
    )
    config = tf.PaliGemmaConfig(
        vision_config=dict(
            model_type="siglip_vision_model", hidden_size=32, intermediate_size=48, num_hidden_layers=2,
            num_attention_heads=2, image_size=56, patch_size=14, projection_dim=32, vision_use_head=False,
        ),
        text_config=text, projection_dim=32, hidden_size=32, vocab_size=len(words),
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    return tf.PaliGemmaForConditionalGeneration(config), processor


def florence2() -> tuple[Any, Any]:
    words = tokenizer([f"<loc_{i}>" for i in range(1000)], image_token="<image>")
    pictures = CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
    pictures.image_seq_length = 5
    processor = tf.Florence2Processor(pictures, words)
    config = tf.Florence2Config(
        vision_config=dict(
            depths=[1, 1, 1, 1], embed_dim=[8, 16, 16, 32], num_heads=[1, 2, 2, 4], num_groups=[1, 2, 2, 4],
            window_size=4, projection_dim=32, max_position_embeddings=8,
        ),
        text_config=dict(
            model_type="bart", d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=48, decoder_ffn_dim=48, vocab_size=len(words),
            decoder_start_token_id=words.eos_token_id, forced_eos_token_id=None, **_ids(words),
        ),
        image_token_id=words.image_token_id,
    )  # fmt: skip
    return tf.Florence2ForConditionalGeneration(config), processor


def phi4_multimodal() -> tuple[Any, Any]:
    """The model and its tokenizer: the processor needs torchvision."""
    words = tokenizer([], image_token="<|image|>", audio_token="<|audio|>")
    config = tf.Phi4MultimodalConfig(
        **TEXT, **_ids(words), vocab_size=len(words), sliding_window=4096,
        vision_config=dict(
            hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=28,
            crop_size=28, image_token_id=words.image_token_id, feature_layer=-1,
        ),
        audio_config=dict(
            hidden_size=32, intermediate_size=48, num_blocks=1, num_attention_heads=2, ext_pw_out_channel=32,
            depthwise_separable_out_channel=32, nemo_conv_channels=32, audio_token_id=words.audio_token_id,
        ),
    )  # fmt: skip
    return tf.Phi4MultimodalForCausalLM(config), words


def molmo2() -> tuple[Any, Any]:
    """The model and its tokenizer: the processor needs torchvision."""
    words = tokenizer([])
    heads = dict(num_attention_heads=2, num_key_value_heads=2, head_dim=16, intermediate_size=48)
    config = tf.Molmo2Config(
        text_config=dict(TEXT, head_dim=16, vocab_size=len(words), additional_vocab_size=8, **_ids(words)),
        vision_config=dict(
            heads, hidden_size=32, num_hidden_layers=3, image_size=[28, 28], num_position_embeddings=4
        ),
        adapter_config=dict(heads, hidden_size=32, vision_feature_layer=[-1, -2], text_hidden_size=32),
    )
    return tf.Molmo2ForConditionalGeneration(config), words


WITHOUT_PROCESSOR = {"phi4_multimodal": phi4_multimodal, "molmo2": molmo2}
BUILDERS = {
    "qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl, "internvl3": internvl3, "idefics3": idefics3,
    "smolvlm2": smolvlm2, "paligemma2": paligemma2, "florence2": florence2,
}  # fmt: skip


def save(name: str, folder: Path) -> Path:
    """The folder of a tiny model, as `hf download` would leave it."""
    torch.manual_seed(0)
    model, processor = (BUILDERS | WITHOUT_PROCESSOR)[name]()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    if name in WITHOUT_PROCESSOR:
        kind = type(model.config).__name__.removesuffix("Config")
        parts = {
            "processor_class": f"{kind}Processor",
            "image_processor": {"image_processor_type": f"{kind}ImageProcessor"},
        }
        (folder / "processor_config.json").write_text(json.dumps(parts))
    return folder

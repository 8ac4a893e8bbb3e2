"""Tiny models of the true classes, saved and loaded as from a hub, looking and writing in earnest.

Their weights are random. Where a reply has to say something, the head's scores are overruled token by
token, so that generation, decoding and reading run as they would. Molmo 2 and Phi-4 need torchvision for
their processors, which this project does without: of them only the refusal and the replies are tested.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from mmrobot.errors import DeadlineError, InvalidConfigError, ModelReplyInvalidError, ModelUnavailableError
from mmrobot.vlm.chat_vlm import ChatVlm
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.model_spec import ModelSpec, load_spec
from mmrobot.vlm.self_test import SelfTestError, draw_cube, self_test
from mmrobot.vlm.transformers_backend import TransformersEngine, open_model
from tests.support import tiny_vlms

FAMILY = {"idefics3": "smolvlm2"}
PICTURE = np.random.default_rng(3).integers(0, 255, (120, 200, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("hub")
    return {name: tiny_vlms.save(name, root / name) for name in tiny_vlms.BUILDERS}


def spec_of(name: str, folder: Path, **changes: Any) -> ModelSpec:
    values = dict(name=name, family=FAMILY.get(name, name), folder=folder, memory_gb=0.01, license="none")
    return ModelSpec.model_validate(values | dict(dtype="float32") | changes)


def make_write(model: ChatVlm, text: str | Callable[[np.ndarray], str], eos: bool = True) -> None:
    """From now on each reply is this text: the head's scores are overruled as tokens are asked for."""
    engine: Any = model.engine
    left: list[int] = []

    def overrule(module: Any, inputs: Any, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.clone()
        scores[:, -1, left.pop(0) if len(left) > 1 else left[0]] = 1e4
        return scores

    original = type(engine)._generate

    def restarted(image_rgb: np.ndarray, *others: Any) -> Any:
        said = text if isinstance(text, str) else text(image_rgb)
        left[:] = engine._tokenizer.encode(said, add_special_tokens=False)
        left.extend([engine._tokenizer.eos_token_id] if eos else [])
        return original(engine, image_rgb, *others)

    head = engine._model.get_output_embeddings()
    head._forward_hooks.clear()
    head.register_forward_hook(overrule)
    engine._generate = restarted


@pytest.mark.parametrize("name", tiny_vlms.BUILDERS)
def test_each_true_class_looks_and_writes(name: str, folders: dict[str, Path]) -> None:
    model = open_model(spec_of(name, folders[name]), "cpu")
    engine: Any = model.engine
    first = engine.reply(PICTURE, "what is there?", None, 12)
    assert engine.reply(PICTURE, "what is there?", None, 12) == first
    assert 0 < engine.last_confidence < 1
    yes, no = engine.first_token_probability(PICTURE, "is it red?", ("yes", "no"))
    assert 0 < yes < 0.5
    assert 0 < no < 0.5
    black = engine.first_token_probability(np.zeros_like(PICTURE), "is it red?", ("yes", "no"))
    assert black != (yes, no)  # the picture is looked at
    # Noise is no reply, and random weights do not weigh yes against no.
    with pytest.raises(ModelReplyInvalidError):
        make_write(model, "zzz")
        model.ground(PICTURE, "the red cube")
    if "verify" in model.operations:
        with pytest.raises(ModelReplyInvalidError, match="yes and no together"):
            model.verify(PICTURE, "it is red")


WRITES = {
    "qwen2_5_vl": '```json\n[{"bbox_2d": [50, 28, 100, 56], "label": "cube"}]\n```',
    "qwen3_vl": '[{"bbox_2d": [250, 250, 500, 500], "label": "cube"}]',
    "internvl3": "<ref>the cube</ref><box>[[250, 250, 500, 500]]</box>",
    "idefics3": '{"objects": [{"bbox_2d": [250, 250, 500, 500], "label": "cube"}]}',
    "smolvlm2": '{"objects": [{"bbox_2d": [250, 250, 500, 500], "label": "cube"}]}',
    "paligemma2": "<loc0256><loc0256><loc0512><loc0512> the cube",
    "florence2": "the cube<loc_250><loc_250><loc_499><loc_499>",
}


@pytest.mark.parametrize("name", WRITES)
def test_a_reply_goes_through_generation_and_decoding_to_a_box(name: str, folders: dict[str, Path]) -> None:
    model = open_model(spec_of(name, folders[name]), "cpu")
    make_write(model, WRITES[name])
    (box,) = model.ground(PICTURE, "the cube")
    # Qwen2.5-VL sees 200x120 as 196x112: its 50 and 100 are the original's 51.0 and 102.0.
    expected = (50.5, 29.5, 101.5, 59.5) if name == "qwen2_5_vl" else (49.5, 29.5, 99.5, 59.5)
    assert box.box_xyxy == pytest.approx(expected, abs=0.6)
    assert box.score > 0.99


def test_plan_verify_answer_and_describe_with_a_true_class(folders: dict[str, Path]) -> None:
    model = open_model(spec_of("qwen3_vl", folders["qwen3_vl"]), "cpu")
    make_write(model, '{"steps": [{"skill": "pick", "target": "the cube"}]}')
    draft = model.plan(PICTURE, "take the cube")
    assert draft.steps[0].target == "the cube"
    assert draft.confidence > 0.99
    make_write(model, "yes")
    assert model.verify(PICTURE, "it is red") > 0.99
    make_write(model, "no")
    assert model.verify(PICTURE, "it is red") < 0.01
    make_write(model, "two")
    assert model.answer(PICTURE, "how many?") == "two"
    make_write(model, WRITES["qwen3_vl"])
    assert model.describe(PICTURE)[0].label == "cube"


def test_the_bounds_of_the_resize_are_the_processors(folders: dict[str, Path]) -> None:
    model = open_model(spec_of("qwen2_5_vl", folders["qwen2_5_vl"]), "cpu")
    processor = model.engine._processor  # type: ignore[attr-defined]
    for height, width in ((120, 200), (31, 97), (700, 900), (28, 28), (266, 434)):
        shape = processor.image_processor(
            images=[np.zeros((height, width, 3), np.uint8)], return_tensors="pt"
        )
        _, rows, columns = shape["image_grid_thw"][0].tolist()
        assert model.family.convention.spans(width, height) == (columns * 14, rows * 14)


def test_smolvlm_pictures_are_laid_out_as_its_own_processor_does(folders: dict[str, Path]) -> None:
    from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

    processor = open_model(spec_of("smolvlm2", folders["smolvlm2"]), "cpu").engine._processor  # type: ignore[attr-defined]
    made = processor(text=["<image>"], images=[PICTURE], return_tensors="pt")
    cut = processor.image_processor([PICTURE], return_tensors="pt", return_row_col_info=True)
    rows, columns = cut["rows"][0][0], cut["cols"][0][0]
    assert rows * columns > 1
    theirs = get_image_prompt_string(rows, columns, 4, "<fake_token_around_image>", "<image>", "<global-img>")
    assert processor.tokenizer.decode(made["input_ids"][0]).replace(" ", "") == theirs


def test_self_test_of_a_true_class_names_the_convention(folders: dict[str, Path]) -> None:
    cube = draw_cube(200, 120)
    model = open_model(spec_of("qwen2_5_vl", folders["qwen2_5_vl"]), "cpu")

    def write(convention: Convention) -> Callable[[np.ndarray], str]:
        def text(image_rgb: np.ndarray) -> str:
            shown = cube if np.array_equal(image_rgb, cube.image_rgb) else cube.mirrored()
            numbers = convention.from_pixels(shown.box_xyxy, 200, 120)
            return json.dumps([{"bbox_2d": [int(n) for n in numbers], "label": "x"}], separators=(",", ":"))

        return text

    make_write(model, write(model.family.convention))
    assert min(self_test(model, cube).ious) > 0.9
    make_write(model, write(Convention("0 to 1000", span=1000)))
    with pytest.raises(SelfTestError) as caught:
        self_test(model, cube)
    assert caught.value.fits == "0 to 1000, x first"


def test_a_slow_reply_ends_in_time(folders: dict[str, Path]) -> None:
    model = open_model(spec_of("qwen3_vl", folders["qwen3_vl"], timeout_s=0.002), "cpu")
    make_write(model, "a", eos=False)
    with pytest.raises(DeadlineError, match="0.002 s"):
        model.answer(PICTURE, "what?")


def test_words_that_begin_alike_cannot_be_weighed(folders: dict[str, Path]) -> None:
    engine: Any = open_model(spec_of("qwen3_vl", folders["qwen3_vl"]), "cpu").engine
    assert engine.first_token_probability(PICTURE, "?", ("yes", "yellow")) is None


def test_weights_that_are_not_here_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    spec = load_spec("qwen3-vl-2b")
    with pytest.raises(ModelUnavailableError, match="not on this machine") as caught:
        open_model(spec, "cpu")
    assert caught.value.fix == f"run: hf download {spec.repo} --revision {spec.revision}"
    with pytest.raises(InvalidConfigError, match="no revision"):
        open_model(spec.model_copy(update={"revision": None}), "cpu")
    with pytest.raises(ModelUnavailableError, match=r"config.json is missing"):
        open_model(spec_of("qwen3_vl", tmp_path), "cpu")
    with pytest.raises(InvalidConfigError, match="neither a repo nor a folder"):
        open_model(load_spec("gemini"), "cpu")


def test_a_folder_that_is_wrong_is_refused(tmp_path: Path, folders: dict[str, Path]) -> None:
    def copy(name: str) -> Path:
        return Path(shutil.copytree(folders["qwen3_vl"], tmp_path / name))

    with pytest.raises(ModelUnavailableError, match="holds a 'qwen3_vl'") as caught:
        open_model(spec_of("x", folders["qwen3_vl"], family="qwen2_5_vl"), "cpu")
    assert caught.value.fix == "write family: qwen3_vl"
    with pytest.raises(ModelUnavailableError, match="needs 1999.0 GB"):
        open_model(spec_of("x", folders["qwen3_vl"], family="qwen3_vl", memory_gb=1999), "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(ModelUnavailableError, match="no GPU"):
            open_model(spec_of("x", folders["qwen3_vl"], family="qwen3_vl"), "cuda:0")

    pickled = copy("pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ModelUnavailableError, match="no \\*.safetensors"):
        open_model(spec_of("x", pickled, family="qwen3_vl"), "cpu")

    broken = copy("broken")
    data = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelUnavailableError, match="cannot be loaded"):
        open_model(spec_of("x", broken, family="qwen3_vl"), "cpu")

    partial = copy("partial")
    from safetensors.torch import load_file, save_file

    tensors = load_file(partial / "model.safetensors")
    dropped = next(k for k in tensors if "language_model.layers.0" in k)
    save_file(
        {k: v for k, v in tensors.items() if k != dropped}, partial / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(ModelUnavailableError, match="lack 1 of the model's tensors"):
        open_model(spec_of("x", partial, family="qwen3_vl"), "cpu")

    mute = copy("mute")
    (mute / "chat_template.jinja").unlink()
    with pytest.raises(ModelUnavailableError, match="no chat template"):
        open_model(spec_of("x", mute, family="qwen3_vl"), "cpu")

    unread = copy("unread")
    (unread / "config.json").write_text("{")
    with pytest.raises(ModelUnavailableError, match="configuration"):
        open_model(spec_of("x", unread, family="qwen3_vl"), "cpu")

    blind = copy("blind")
    (blind / "processor_config.json").unlink()
    with pytest.raises(ModelUnavailableError, match="processor of 'x' cannot be made"):
        open_model(spec_of("x", blind, family="qwen3_vl"), "cpu")


def test_code_in_a_repository_is_never_run(tmp_path: Path, folders: dict[str, Path]) -> None:
    folder = Path(shutil.copytree(folders["qwen3_vl"], tmp_path / "m"))
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own_vl", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\nclass Model: pass\n"
    )
    with pytest.raises(ModelUnavailableError):
        open_model(spec_of("x", folder, family="qwen3_vl"), "cpu")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", tiny_vlms.WITHOUT_PROCESSOR)
def test_what_needs_torchvision_says_so(name: str, tmp_path: Path) -> None:
    """The true class is saved, loaded and writes; its processor is refused. Pictures are not tested."""
    folder = tiny_vlms.save(name, tmp_path / name)
    model = transformers.AutoModelForMultimodalLM.from_pretrained(folder, local_files_only=True).eval()
    assert model.generate(torch.tensor([[40, 41, 42]]), max_new_tokens=2, do_sample=False).shape[1] > 3
    if name == "phi4_multimodal":
        with pytest.raises(ModelUnavailableError, match="no adapter for pictures"):
            open_model(spec_of(name, folder), "cpu")
        (folder / "vision-lora").mkdir()
        (folder / "vision-lora" / "adapter_model.safetensors").touch()
        if importlib.util.find_spec("peft") is None:
            with pytest.raises(ModelUnavailableError) as caught:
                open_model(spec_of(name, folder), "cpu")
            assert caught.value.fix == "run: pip install peft"
        return
    if importlib.util.find_spec("torchvision") is None:
        with pytest.raises(ModelUnavailableError, match="processor") as caught:
            open_model(spec_of(name, folder), "cpu")
        assert caught.value.fix == "run: pip install torchvision"


def test_an_engine_needs_a_template_only_for_chat(folders: dict[str, Path]) -> None:
    model: Any = open_model(spec_of("paligemma2", folders["paligemma2"]), "cpu").engine
    with pytest.raises(ModelUnavailableError, match="no chat template"):
        TransformersEngine(model._model, model._processor, "x", chat=True)

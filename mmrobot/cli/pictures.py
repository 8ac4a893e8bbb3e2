"""`mmrobot plan`, `ground`, `describe`, `ask` and `verify`: one picture in, the model's word out, no ROS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.cli.output import Output
from mmrobot.cli.plan_table import plan_as_dict, plan_table
from mmrobot.command.text import clean_instruction
from mmrobot.config import Config, default_config_file, load_config
from mmrobot.errors import InvalidImageError, TargetNotFoundError
from mmrobot.perception.camera import check_same_size
from mmrobot.perception.camera_file import load_camera_yaml
from mmrobot.perception.image_decoding import clean_depth, millimetres_to_depth
from mmrobot.pipeline import Pipeline
from mmrobot.types import RgbdFrame, ScoredBox
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.registry import load_model

MAX_BYTES = 100 * 1024 * 1024


def run_plan(
    instruction: str,
    image: Path,
    camera: Path,
    depth: Path | None,
    model: str,
    config: Path | None,
    output: Output,
) -> None:
    """Plan for a picture; `ok` when there is a plan that passed the gate."""
    words = clean_instruction(instruction)
    settings = load_config(config or default_config_file())
    rgb = read_colour(image)
    camera_model, T_base_camera = load_camera_yaml(camera)
    check_same_size(camera_model, *rgb.shape[:2])
    depth_m = None if depth is None else read_depth(depth)
    if depth_m is not None:
        check_same_size(camera_model, *depth_m.shape[:2])
    frame = RgbdFrame(rgb, depth_m, camera_model, T_base_camera, stamp_ns=0)
    with output.log.status("loading the model"):
        pipeline = Pipeline(_model(model, settings), settings)
    plan = pipeline.plan(frame, words)
    output.console.print(plan_table(plan))
    output.finish(True, plan=plan_as_dict(plan), timings_ms=_rounded(plan.timings_ms), model=plan.model)


def run_ground(phrase: str, image: Path, model: str, config: Path | None, output: Output) -> None:
    """Boxes in pixels of the picture, best first; fails when there are none."""
    words = clean_instruction(phrase)
    rgb, vlm, settings = _looking(image, model, config, output)
    boxes = [b for b in vlm.ground(rgb, words) if b.score >= settings.grounding.threshold]
    if not boxes:
        raise TargetNotFoundError(
            f"there is no '{words}' in {image.name}", "name something that the picture shows"
        )
    _tell(boxes, vlm, output)


def run_describe(image: Path, model: str, config: Path | None, output: Output) -> None:
    """Everything that the model sees, with boxes in pixels of the picture, the surest first."""
    rgb, vlm, _ = _looking(image, model, config, output)
    _tell(vlm.describe(rgb), vlm, output)


def run_ask(question: str, image: Path, model: str, config: Path | None, output: Output) -> None:
    """An answer to a question about the picture."""
    words = clean_instruction(question)
    rgb, vlm, _ = _looking(image, model, config, output)
    answer = vlm.answer(rgb, words)
    output.console.print(answer)
    output.finish(True, answer=answer, model=vlm.name)


def run_verify(statement: str, image: Path, model: str, config: Path | None, output: Output) -> None:
    """The probability that a statement holds in the picture; `ok` whatever it is."""
    words = clean_instruction(statement)
    rgb, vlm, _ = _looking(image, model, config, output)
    probability = vlm.verify(rgb, words)
    output.console.print(f"{'holds' if probability >= 0.5 else 'does not hold'}, p = {probability:.3f}")
    output.finish(True, probability=round(probability, 4), model=vlm.name)


def _looking(
    image: Path, model: str, config: Path | None, output: Output
) -> tuple[NDArray[np.uint8], VisionLanguageModel, Config]:
    settings = load_config(config or default_config_file())
    rgb = read_colour(image)
    with output.log.status("loading the model"):
        return rgb, _model(model, settings), settings


def _tell(boxes: Sequence[ScoredBox], vlm: VisionLanguageModel, output: Output) -> None:
    objects = [
        {"label": b.label, "box_xyxy": [round(v, 1) for v in b.box_xyxy], "score": round(b.score, 4)}
        for b in boxes
    ]
    for thing in objects:
        output.console.print(f"{thing['label']}  box {thing['box_xyxy']}  score {thing['score']:.3f}")
    output.finish(True, objects=objects, model=vlm.name)


def read_colour(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a picture file; raises InvalidImageError."""
    picture = cv2.imdecode(_bytes(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InvalidImageError(f"'{path}' is no picture that can be decoded", "give a PNG or JPEG file")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def read_depth(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 metres of a 16-bit PNG (mm) or .npy (m); raises InvalidImageError."""
    if path.suffix == ".npy":
        _bytes(path)
        try:
            values = np.load(path, allow_pickle=False)
        except ValueError as error:
            raise InvalidImageError(
                f"'{path}' is no array: {error}", "save it with numpy.save, metres"
            ) from error
        if values.ndim != 2 or values.dtype.kind not in "fiu":
            raise InvalidImageError(
                f"'{path}' holds {values.dtype} of shape {values.shape}",
                "give numbers in metres, (height, width)",
            )
        return clean_depth(values.astype(np.float32))
    picture = cv2.imdecode(_bytes(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2 or picture.dtype != np.uint16:
        found = "no picture" if picture is None else f"{picture.dtype} of shape {picture.shape}"
        raise InvalidImageError(
            f"'{path}' is {found}", "give a 16-bit grey PNG in millimetres, or .npy in metres"
        )
    return clean_depth(millimetres_to_depth(np.asarray(picture, dtype=np.uint16)))


def _bytes(path: Path) -> NDArray[np.uint8]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidImageError(f"'{path}' has {path.stat().st_size} bytes", f"give at most {MAX_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise InvalidImageError(f"cannot read '{path}': {error.strerror}", "give a readable file") from error
    if not data:
        raise InvalidImageError(f"'{path}' is empty", "give a PNG or JPEG file")
    return np.frombuffer(data, dtype=np.uint8)


def _model(name: str, config: Config) -> VisionLanguageModel:
    return load_model(name, config=config)


def _rounded(timings: dict[str, float]) -> dict[str, Any]:
    return {stage: round(ms, 2) for stage, ms in timings.items()}

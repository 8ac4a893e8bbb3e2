"""The default rung loads and answers without torch and transformers, whose import takes most of a start: a
node that was killed is back sooner without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mmrobot.vlm.engines.export_nano import export_nano
from mmrobot.vlm.models.nano import NanoConfig, NanoProcessor
from mmrobot.vlm.registry import nano_folder

ASK = """
import sys
from pathlib import Path
import numpy as np
import {module}
from mmrobot.vlm.registry import load_model
model = load_model(backend="onnx")
answer = model.answer(np.full((240, 320, 3), 128, np.uint8), "how many cubes are there?")
heavy = sorted({{"torch", "transformers", "onnx"}} & set(sys.modules))
print(answer, *heavy)
"""


def asked(module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(module=module)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_onnx_rung_answers_without_torch_and_transformers() -> None:
    export_nano(nano_folder())  # a first start on a machine makes the graphs, with torch
    assert asked("mmrobot.ros.vlm_node") == "0"


def test_the_test_would_see_them() -> None:
    assert asked("mmrobot.vlm.models.nano.hub") == "0 torch transformers"


def test_what_is_saved_of_the_processor_is_what_ships(tmp_path: Path) -> None:
    NanoProcessor.of(NanoConfig()).save_pretrained(tmp_path)
    saved, shipped = (
        json.loads((folder / "processor_config.json").read_text()) for folder in (tmp_path, nano_folder())
    )
    assert saved == shipped and saved["image_width"] == 320

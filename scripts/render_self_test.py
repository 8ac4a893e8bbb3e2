"""Render the picture on which mmrobot-nano shows at activation that it sees: one scene, one phrase, its box.

    MUJOCO_GL=egl .venv/bin/python scripts/render_self_test.py

The picture is cut so that it is neither square nor of the camera's shape, and lies off its middle: a swap of
axes, a wrong scale or a wrong fit all move the box away.
"""

import base64
import json
from pathlib import Path

import cv2
import numpy as np

from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene

TARGET = Path(__file__).resolve().parent.parent / "mmrobot/vlm/models/nano/self_test.json"
PHRASE = "the red cube"
SCENE = {
    "seed": 11,
    "objects": [
        {"id": "red_cube", "shape": "cube", "color": "red", "position": [0.36, -0.16], "yaw": 0.4},
        {"id": "blue_bowl", "shape": "bowl", "color": "blue", "position": [0.50, 0.12]},
        {"id": "green_ball", "shape": "ball", "color": "green", "position": [0.38, 0.16]},
    ],
}
LEFT, TOP, RIGHT, BOTTOM = 96, 120, 616, 432
QUALITY = 90


def main() -> None:
    """Write the JSON file."""
    with Simulator(scene=Scene.from_dict(SCENE)) as simulator:
        picture = simulator.render_true().rgb[TOP:BOTTOM, LEFT:RIGHT]
        mask = simulator.segmentation()["red_cube"][TOP:BOTTOM, LEFT:RIGHT]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5]
    done, data = cv2.imencode(".jpg", picture[..., ::-1].copy(), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "the picture cannot be written"
    content = {
        "phrase": PHRASE,
        "box_xyxy": [float(v) for v in box],
        "picture_jpeg": base64.b64encode(data.tobytes()).decode(),
    }
    TARGET.write_text(json.dumps(content) + "\n")
    print(f"{TARGET.name}: {picture.shape[1]}x{picture.shape[0]}, box {box}, {len(data)} bytes of JPEG")


if __name__ == "__main__":
    main()

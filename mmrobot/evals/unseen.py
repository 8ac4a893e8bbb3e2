"""Level L4 while the robot works: camera pose, light, table, noise, blur and exposure outside of training's
ranges, drawn as for the pictures of `eval-model`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mmrobot.simulator.looks import unseen_look
from mmrobot.simulator.noise import NoiseModel
from mmrobot.simulator.scene_pool import Randomisation, through_lens
from mmrobot.simulator.simulator import Simulator
from mmrobot.types import RgbdFrame

_SALT = 0x14


def unseen_lens(simulator: Simulator, seed: int) -> Callable[[RgbdFrame], RgbdFrame]:
    """Changes how the simulator's scene looks from now on, always alike for a seed; the answer is what its
    lens does to each picture."""
    rng = np.random.default_rng([seed, _SALT])
    vary = Randomisation.unseen(rng)
    sigma = float(rng.uniform(*(vary.noise_sigma or (2.0, 2.0))))
    simulator.show(unseen_look(rng), NoiseModel(color_sigma=sigma))
    exposure, blur_px = float(rng.uniform(*vary.exposure)), float(rng.uniform(*vary.blur_px))
    return lambda frame: replace(frame, rgb=through_lens(frame.rgb, exposure, blur_px))

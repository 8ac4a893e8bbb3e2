"""The RGB-D camera of the world: what `rgbd_camera` in SDF describes, rendered."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from mmrobot.simulator.mjcf_parts import SDF_TO_MUJOCO_CAMERA
from mmrobot.simulator.noise import NoiseModel
from mmrobot.simulator.renderer import Renderer, fixed_camera
from mmrobot.simulator.sdf_model import CameraSensor
from mmrobot.types import CameraModel, RgbdFrame

# MuJoCo's camera looks along -z with y up, the optical frame along z with y down (REP-103).
_MUJOCO_TO_OPTICAL = np.diag([1.0, -1.0, -1.0])


def camera_model(sensor: CameraSensor) -> CameraModel:
    """Intrinsics of a sensor: square pixels, the axis through the middle of the picture."""
    focal = sensor.width / 2 / np.tan(sensor.horizontal_fov_rad / 2)
    return CameraModel(
        sensor.width,
        sensor.height,
        float(focal),
        float(focal),
        (sensor.width - 1) / 2,
        (sensor.height - 1) / 2,
        frame_id=sensor.frame_id,
    )


def optical_pose(model: mujoco.MjModel, data: mujoco.MjData, name: str) -> NDArray[np.float64]:
    """(4, 4) from the optical frame of a camera to base (the world's origin)."""
    index = model.camera(name).id
    pose = np.eye(4)
    pose[:3, :3] = data.cam_xmat[index].reshape(3, 3) @ _MUJOCO_TO_OPTICAL
    pose[:3, 3] = data.cam_xpos[index]
    return pose


def link_to_optical() -> NDArray[np.float64]:
    """(3, 3) from the optical frame to the SDF camera link (x forward, z up)."""
    return SDF_TO_MUJOCO_CAMERA @ _MUJOCO_TO_OPTICAL


class RgbdCamera:
    """Renders one sensor of a model. With a noise model it errs, from a generator of its own."""

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        sensor: CameraSensor,
        noise: NoiseModel | None,
        rng: np.random.Generator,
    ) -> None:
        self._model, self._data = model, data
        self.sensor = sensor
        self.camera = camera_model(sensor)
        self._noise, self._rng = noise, rng
        self._renderer: Renderer | None = None

    def _view(self) -> Renderer:
        # Made on first use: a run without pictures needs no graphics.
        if self._renderer is None:
            self._renderer = Renderer(self._model, self.sensor.width, self.sensor.height)
        self._renderer.view(self._data, fixed_camera(self._model, self.sensor.name))
        return self._renderer

    def frame(self, stamp_s: float, *, noise: bool = True) -> RgbdFrame:
        """Colour and depth of now; depth NaN beyond the clip planes."""
        rgb, depth = self._view().color_depth()
        depth[(depth < self.sensor.near_m) | (depth > self.sensor.far_m)] = np.nan
        if noise and self._noise is not None:
            rgb, depth = self._noise.color(rgb, self._rng), self._noise.depth(depth, self._rng)
        pose = optical_pose(self._model, self._data, self.sensor.name)
        return RgbdFrame(rgb, depth, self.camera, pose, round(stamp_s * 1e9))

    def geoms(self) -> NDArray[np.int32]:
        """(H, W) id of the geom in each pixel, -1 for none."""
        return self._view().segmentation()

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

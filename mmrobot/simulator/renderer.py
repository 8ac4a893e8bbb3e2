"""Pictures of a MuJoCo model: colour, depth and segmentation, on an off-screen context of its own.

One renderer belongs to one thread: it is made, used and closed there.
"""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import RobotUnavailableError
from mmrobot.simulator.mjcf_parts import VISUAL_GROUP

MAX_GEOMS = 2000


class Renderer:
    """Renders views of one model; `close()` frees the graphics context.

    `sky` draws the background, which costs as much as all the rest: only for views that see it.
    `samples` smooths edges, for pictures that people look at. Shadows fall within `shadow_reach_m` of where
    the light's axis meets the table, `shadow_size` texels across.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        width: int,
        height: int,
        *,
        sky: bool = False,
        samples: int = 0,
        shadow_size: int = 512,
        shadow_reach_m: float = 1.0,
    ) -> None:
        self._model = model
        self.width, self.height = width, height
        try:
            self._context = mujoco.GLContext(width, height)
            self._context.make_current()
            model.vis.quality.offsamples = samples
            model.vis.quality.shadowsize = shadow_size
            model.vis.map.shadowclip = shadow_reach_m
            self._mjr = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        except (ImportError, RuntimeError, AttributeError, mujoco.FatalError) as error:
            raise RobotUnavailableError(
                f"the simulated camera cannot render: {error}",
                "install Mesa's EGL (Debian: libegl1 libgl1-mesa-dri) or set MUJOCO_GL=osmesa",
            ) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._mjr)
        self._mjr.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR.value
        self._scene = mujoco.MjvScene(model, maxgeom=MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = sky
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[VISUAL_GROUP] = 1
        self._option.sitegroup[:] = 0
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._open = True

    def upload_mesh(self, mesh: int) -> None:
        """Shows a mesh of the model as it now is."""
        self._context.make_current()
        mujoco.mjr_uploadMesh(self._model, self._mjr, mesh)

    def upload_texture(self, texture: int) -> None:
        """Shows a texture of the model as it now is."""
        self._context.make_current()
        mujoco.mjr_uploadTexture(self._model, self._mjr, texture)

    def view(self, data: mujoco.MjData, camera: mujoco.MjvCamera) -> None:
        """Takes the state and the camera for the pictures that follow."""
        if not self._open:
            raise RobotUnavailableError("the renderer was closed", "make a new simulator")
        self._context.make_current()
        mujoco.mjv_updateScene(
            self._model, data, self._option, None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, self._scene
        )

    def color(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 of the current view."""
        return self._read(depth=False)[0]

    def color_depth(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Colour and depth along the optical axis in metres (H, W) float32, in one pass; the far plane
        of the model where there is nothing."""
        rgb, raw = self._read(depth=True)
        assert raw is not None
        near, far = self._model.vis.map.znear, self._model.vis.map.zfar
        scale = self._model.stat.extent
        near, far = near * scale, far * scale
        # Reversed depth buffer: 1 at the near plane, 0 at the far one.
        depth = np.float32(near * far) / (np.float32(near) + raw * np.float32(far - near))
        return rgb, depth

    def segmentation(self, shrink: int = 1) -> NDArray[np.int32]:
        """(H, W) id of the geom seen in each pixel of this view, -1 for none; `shrink` 2 halves both."""
        flags = self._scene.flags
        normal = np.array(flags)
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = 1
        flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 1
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 0
        try:
            image = self._read(depth=False, shrink=shrink)[0]
        finally:
            flags[:] = normal
        index = image[..., 0] | (image[..., 1].astype(np.uint16) << 8)
        geoms = np.full(self._scene.ngeom + 1, -1, dtype=np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geoms[geom.segid + 1] = geom.objid
        return geoms[index]

    def _read(self, depth: bool, shrink: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        self._context.make_current()
        width, height = self.width // shrink, self.height // shrink
        rect = self._rect if shrink == 1 else mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(rect, self._scene, self._mjr)
        rgb = np.empty((height, width, 3), dtype=np.uint8)
        raw = np.empty((height, width), dtype=np.float32) if depth else None
        mujoco.mjr_readPixels(rgb, raw, rect, self._mjr)
        # OpenGL's first row is the lowest.
        return np.ascontiguousarray(rgb[::-1]), None if raw is None else raw[::-1]

    def close(self) -> None:
        """Frees the context; may be called again."""
        if self._open:
            self._open = False
            self._context.make_current()
            self._mjr.free()
            self._context.free()


def fixed_camera(model: mujoco.MjModel, name: str) -> mujoco.MjvCamera:
    """The view of a camera of the model."""
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
    camera.fixedcamid = model.camera(name).id
    return camera

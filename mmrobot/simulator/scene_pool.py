"""Pictures of many scenes without compiling any: one model holds enough copies of every shape.

For training data. What a scene needs is shown, coloured and placed at run time; the rest is hidden. Objects
stand where the scene says, at rest without physics. The looks are those of `Simulator`: same world file,
same light, camera, table and shadows, varied by `Randomisation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from mmrobot.simulator.controllers import HOME_WIDTH_M, ArmJoints, home_posture
from mmrobot.simulator.files import WORLD_FILE
from mmrobot.simulator.looks import (
    Look,
    jitter_color,
    look_of_seed,
    look_setter,
    sample_look,
    training_look,
    unseen_look,
)
from mmrobot.simulator.mjcf import build_world
from mmrobot.simulator.noise import NoiseModel
from mmrobot.simulator.pooled import PooledThings, first_copies, pool_models
from mmrobot.simulator.renderer import Renderer, fixed_camera
from mmrobot.simulator.sdf_model import World
from mmrobot.simulator.sdf_parse import parse_world, with_models
from mmrobot.tabletop.objects import COLORS
from mmrobot.tabletop.scene import Scene

FIRST_COPIES = 5
# A random posture must keep the hand and the elbow this far above the table.
ARM_CLEARANCE_M = 0.08
_POSTURE_TRIES = 50


@dataclass(frozen=True)
class Randomisation:
    """What varies besides the scene. `look` 0 is plain, 1 the simulator's range; shares are 0..1.

    `scene_look` takes the look from the scene's own seed, as Simulator does, and ignores `look`.
    `wide` and `unseen_looks` draw the look from training's range, or from outside of it. Ranges (low, high):
    `noise_sigma` of grain in steps of 255 (in place of the camera's own), `blur_px` the deviation of a blur,
    `exposure` a factor of light, `shine` the objects' specular share (None: their own).
    """

    look: float = 1.0
    scene_look: bool = False
    color_jitter: float = 1.0
    arm_random: float = 0.2
    arm_shake_rad: float = 0.03
    noise: bool = True
    wide: bool = False
    unseen_looks: bool = False
    noise_sigma: tuple[float, float] | None = None
    blur_px: tuple[float, float] = (0.0, 0.0)
    exposure: tuple[float, float] = (1.0, 1.0)
    shine: tuple[float, float] | None = None

    @classmethod
    def training(cls) -> Randomisation:
        """Of training's pictures. Blur and exposure are added while training: see `augment` there."""
        return cls(
            wide=True, color_jitter=1.3, arm_random=0.25, arm_shake_rad=0.06, noise_sigma=(0.5, 5.0),
            shine=(0.0, 0.45),
        )  # fmt: skip

    @classmethod
    def unseen(cls, rng: np.random.Generator) -> Randomisation:
        """Of level L4: what training varies, outside of its ranges; one of too dark and too bright."""
        dark = rng.random() < 0.5
        return cls(
            unseen_looks=True, color_jitter=1.3, arm_random=0.25, arm_shake_rad=0.06, noise_sigma=(8.0, 13.0),
            blur_px=(1.8, 2.6), exposure=(0.5, 0.65) if dark else (1.35, 1.5), shine=(0.5, 0.7),
        )  # fmt: skip

    def draw_look(self, rng: np.random.Generator, seed: int) -> Look:
        """The look of one picture of a scene with that seed."""
        if self.scene_look:
            return look_of_seed(seed)
        if self.unseen_looks:
            return unseen_look(rng)
        return training_look(rng) if self.wide else sample_look(rng, self.look)


def through_lens(rgb: NDArray[np.uint8], exposure: float, blur_px: float) -> NDArray[np.uint8]:
    """A picture (H, W, 3) with a factor of light, and blurred by a Gaussian of that deviation."""
    if exposure != 1.0:
        rgb = cv2.convertScaleAbs(rgb, alpha=exposure).astype(np.uint8)
    if blur_px > 0:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), dtype=np.uint8)
    return rgb


PLAIN = Randomisation(look=0.0, color_jitter=0.0, arm_random=0.0, arm_shake_rad=0.0, noise=False)
"""Nothing varies: the picture that Simulator.render_true gives for a scene of seed 0."""


class ScenePool:
    """Renders scenes to (rgb, mask). Seeded: same seed, same calls, same pictures. Close it when done;
    one pool belongs to one thread. `size` (width, height) in pixels: the camera's own unless given.
    `mask_shrink` 2 halves the mask's width and height, which costs less."""

    def __init__(
        self,
        seed: int = 0,
        *,
        world: Path | None = None,
        size: tuple[int, int] | None = None,
        copies: int = FIRST_COPIES,
        mask_shrink: int = 1,
    ) -> None:
        self._size = size
        self._rng = np.random.default_rng(seed)
        self._base: World = parse_world(WORLD_FILE if world is None else world)
        self._noise = NoiseModel()
        self._renderer: Renderer | None = None
        self._mask_shrink = mask_shrink
        self._copies = first_copies(copies)
        self._build()

    def _build(self) -> None:
        self.close()
        pool = pool_models(self._copies)
        built = build_world(with_models(self._base, pool))
        for model in pool:
            built.spec.body(model.name).mocap = True
        self._model = built.spec.compile()
        self._data = mujoco.MjData(self._model)
        self._looks = look_setter(self._model, built)
        self._sensor = next(s for m in built.world.models for link in m.links for s in link.cameras)
        joints = ArmJoints.of(built.joints)
        self._arm_addresses = [int(self._model.joint(info.name).qposadr[0]) for info in joints.arm]
        self._finger_addresses = [int(self._model.joint(info.name).qposadr[0]) for info in joints.fingers]
        self._home = home_posture(joints.arm)
        self._limits = np.array([(info.joint.lower, info.joint.upper) for info in joints.arm])
        self._max_finger_m = float(joints.fingers[0].joint.upper)
        arm = joints.arm[0].model
        self._arm_bodies = [
            self._model.body(body).id for (model, _), body in built.bodies.items() if model == arm
        ]
        self._things = PooledThings(self._model, self._copies)
        self._specular = self._model.mat_specular.copy()

    def render(
        self,
        scene: Scene,
        randomisation: Randomisation | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
        """(H, W, 3) uint8 colour and (H, W) int16 mask with each object's index in the scene, or -1.

        What varies is drawn from `rng`, or from the pool's own generator.
        """
        vary = randomisation or Randomisation()
        if rng is not None:
            self._rng = rng
        rgb, mask = self._picture(scene, vary)
        return self._sensed(rgb, vary), mask

    def _sensed(self, rgb: NDArray[np.uint8], vary: Randomisation) -> NDArray[np.uint8]:
        exposure, blur = self._rng.uniform(*vary.exposure), self._rng.uniform(*vary.blur_px)
        rgb = through_lens(rgb, float(exposure), float(blur))
        if not vary.noise:
            return rgb
        if vary.noise_sigma is None:
            return self._noise.color(rgb, self._rng)
        return NoiseModel(color_sigma=float(self._rng.uniform(*vary.noise_sigma))).color(rgb, self._rng)

    def _picture(self, scene: Scene, vary: Randomisation) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
        self._reserve(scene)
        if self._renderer is None:
            self._renderer = Renderer(self._model, *(self._size or (self._sensor.width, self._sensor.height)))
        self._looks.apply(vary.draw_look(self._rng, scene.seed))
        shown = self._place(scene, vary, self._renderer)
        self._pose_arm(vary)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._renderer.view(self._data, fixed_camera(self._model, self._sensor.name))
        rgb = self._renderer.color()
        geoms = self._renderer.segmentation(self._mask_shrink)
        # One more entry at the end, for "no geom" (-1).
        owner = np.full(self._model.ngeom + 1, -1, dtype=np.int16)
        for index, bodies in enumerate(shown):
            for body in bodies:
                owner[self._things.geoms[body]] = index
        return rgb, owner[geoms]

    def _reserve(self, scene: Scene) -> None:
        missing = self._things.missing(scene.objects)
        if missing:
            self._copies |= {shape: count + 1 for shape, count in missing.items()}
            self._build()

    def _place(self, scene: Scene, vary: Randomisation, renderer: Renderer) -> list[list[int]]:
        """Shows and colours the scene's objects; returns their bodies in the scene's order."""
        self._things.begin()
        materials = self._things.materials
        self._model.mat_specular[materials] = (
            self._specular[materials] if vary.shine is None else self._rng.uniform(*vary.shine)
        )
        return [
            self._things.show(
                self._data,
                o,
                jitter_color(COLORS[o.color], self._rng, vary.color_jitter),
                renderer.upload_mesh,
                renderer.upload_texture,
            )
            for o in scene.objects
        ]

    def _pose_arm(self, vary: Randomisation) -> None:
        data = self._data
        random = self._rng.random() < vary.arm_random
        data.qpos[self._finger_addresses] = (
            self._rng.uniform(0.0, self._max_finger_m) if vary.arm_random > 0 else HOME_WIDTH_M / 2
        )
        shake = self._rng.uniform(-1, 1, len(self._home)) * vary.arm_shake_rad
        data.qpos[self._arm_addresses] = self._home + shake
        if not random:
            return
        for _ in range(_POSTURE_TRIES):
            data.qpos[self._arm_addresses] = self._rng.uniform(*(self._limits.T * 0.9))
            mujoco.mj_kinematics(self._model, data)
            if data.xpos[self._arm_bodies[3:], 2].min() > ARM_CLEARANCE_M:
                return
        data.qpos[self._arm_addresses] = self._home + shake

    def close(self) -> None:
        """Frees the graphics context; the next picture makes another."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __enter__(self) -> ScenePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

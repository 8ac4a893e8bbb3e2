"""How a scene looks apart from its objects: light, camera shake, table and floor, all from one seed.

Three distributions: `sample_look`, what the simulator shows; `training_look`, wider, for training pictures;
`unseen_look`, outside of both (level L4).
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.simulator.mjcf import BuiltWorld
from mmrobot.simulator.table_textures import NAMES, TRAINED, UNSEEN

Rgb = tuple[float, float, float]

# Hue, saturation, value ranges of table tops: woods, greys, whites, and some muted cloths.
_TABLES: tuple[tuple[tuple[float, float], tuple[float, float], tuple[float, float]], ...] = (
    ((0.06, 0.11), (0.15, 0.40), (0.60, 0.90)),
    ((0.55, 0.65), (0.00, 0.08), (0.45, 0.90)),
    ((0.25, 0.60), (0.05, 0.20), (0.50, 0.80)),
)
_TABLE_SHARES = (0.55, 0.30, 0.15)


@dataclass(frozen=True)
class Look:
    """Light factors are of the SDF's values; the camera's shake is in its own frame, metres and radians."""

    table: str = "wood"
    table_rgb: Rgb | None = None
    floor_value: float | None = None
    sun_turn_rad: float = 0.0
    sun_lean_rad: float = 0.0
    sun: float = 1.0
    fill: float = 1.0
    ambient: float = 1.0
    tint: Rgb = (1.0, 1.0, 1.0)
    camera_shift_m: Rgb = (0.0, 0.0, 0.0)
    camera_turn_rad: Rgb = (0.0, 0.0, 0.0)
    shadows: bool = True
    lamp: float = 0.0
    """Strength of a light at the camera."""


def sample_look(rng: np.random.Generator, strength: float = 1.0) -> Look:
    """A look within the ranges of training at strength 1; 0 gives the plain one, more than 1 leaves them."""
    kind = _TABLES[rng.choice(len(_TABLES), p=_TABLE_SHARES)]
    hue, saturation, value = (float(rng.uniform(*bounds)) for bounds in kind)
    table = str(rng.choice(NAMES))
    floor = float(rng.uniform(0.3, 0.7))
    turn, lean = float(rng.uniform(-1.2, 1.2)), float(rng.uniform(-0.15, 0.2))
    levels = rng.uniform(-1, 1, 3)
    warmth = float(rng.uniform(-1, 1))
    shift, tilt = rng.normal(0, 0.004, 3), rng.normal(0, 0.006, 3)
    if strength <= 0:
        return Look()
    levels, warmth = strength * levels, strength * warmth
    shift, tilt = np.clip(shift, -0.01, 0.01) * strength, np.clip(tilt, -0.015, 0.015) * strength
    return Look(
        table,
        colorsys.hsv_to_rgb(hue % 1.0, saturation, value),
        floor,
        strength * turn,
        strength * lean,
        max(1.0 + 0.25 * float(levels[0]), 0.2),
        max(1.0 + 0.4 * float(levels[1]), 0.0),
        max(1.0 + 0.15 * float(levels[2]), 0.2),
        (1.0 + 0.05 * warmth, 1.0, 1.0 - 0.06 * warmth),
        _triple(shift),
        _triple(tilt),
    )


# Hue, saturation, value of any table that is no bright toy's colour.
_ANY_TABLE = ((0.0, 1.0), (0.0, 0.35), (0.25, 0.97))
# Vivid cloths: only in level L4.
_VIVID_TABLE = ((0.0, 1.0), (0.40, 0.60), (0.35, 0.85))
CAMERA_SHIFT_M, CAMERA_TURN_RAD = 0.03, 0.04
UNSEEN_CAMERA_SHIFT_M, UNSEEN_CAMERA_TURN_RAD = (0.045, 0.08), (0.06, 0.10)


def training_look(rng: np.random.Generator) -> Look:
    """Wider than what the simulator shows: light from anywhere above, one to three lamps, shadows or none,
    the camera within 3 cm and 2.3 degrees of where it should be, tables of muted colours."""
    kind = _TABLES[rng.choice(len(_TABLES), p=_TABLE_SHARES)] if rng.random() < 0.6 else _ANY_TABLE
    hue, saturation, value = (float(rng.uniform(*bounds)) for bounds in kind)
    sun = float(rng.uniform(0.6, 1.4))
    return Look(
        table=str(rng.choice(TRAINED)),
        table_rgb=colorsys.hsv_to_rgb(hue % 1.0, saturation, value),
        floor_value=float(rng.uniform(0.15, 0.85)),
        sun_turn_rad=float(rng.uniform(-2.4, 2.4)),
        sun_lean_rad=float(rng.uniform(-0.35, 0.35)),
        sun=sun,
        fill=0.0 if rng.random() < 0.15 else float(rng.uniform(0.3, 1.8)),
        ambient=float(rng.uniform(0.75, 1.35)),
        tint=_tint(float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))),
        camera_shift_m=_triple(rng.uniform(-1, 1, 3) * CAMERA_SHIFT_M),
        camera_turn_rad=_triple(rng.uniform(-1, 1, 3) * CAMERA_TURN_RAD),
        shadows=bool(rng.random() < 0.85),
        lamp=float(rng.uniform(0.05, 0.3)) if rng.random() < 0.25 else 0.0,
    )


def unseen_look(rng: np.random.Generator) -> Look:
    """Outside of training's ranges in every respect at once: camera pose, light, table texture and colour."""
    hue, saturation, value = (float(rng.uniform(*bounds)) for bounds in _VIVID_TABLE)
    dim = rng.random() < 0.5
    turn = float(rng.uniform(2.5, 3.1)) * (1 if rng.random() < 0.5 else -1)
    return Look(
        table=str(rng.choice(UNSEEN)),
        table_rgb=colorsys.hsv_to_rgb(hue, saturation, value),
        floor_value=float(rng.uniform(0.0, 0.12)) if rng.random() < 0.5 else float(rng.uniform(0.88, 1.0)),
        sun_turn_rad=turn,
        sun_lean_rad=float(rng.uniform(0.38, 0.55)),
        sun=float(rng.uniform(0.35, 0.55)) if dim else float(rng.uniform(1.45, 1.7)),
        fill=float(rng.uniform(1.85, 2.4)) if dim else float(rng.uniform(0.0, 0.25)),
        ambient=float(rng.uniform(0.55, 0.72)) if dim else float(rng.uniform(1.36, 1.5)),
        tint=_tint(float(rng.choice([-1, 1])) * float(rng.uniform(1.2, 1.8)), 0.0),
        camera_shift_m=_outside(rng, UNSEEN_CAMERA_SHIFT_M),
        camera_turn_rad=_outside(rng, UNSEEN_CAMERA_TURN_RAD),
        shadows=True,
        lamp=float(rng.uniform(0.32, 0.4)) if rng.random() < 0.3 else 0.0,
    )


def _tint(warmth: float, green: float) -> Rgb:
    """Lamplight at 1, skylight at -1; a tenth of it, and a little green or magenta."""
    return (1.0 + 0.09 * warmth, 1.0 + 0.03 * green, 1.0 - 0.10 * warmth)


def _outside(rng: np.random.Generator, length: tuple[float, float]) -> Rgb:
    """A random direction, so long."""
    direction = rng.standard_normal(3)
    return _triple(direction / np.linalg.norm(direction) * rng.uniform(*length))


def look_of_seed(seed: int) -> Look:
    """The look of a scene; seed 0 is the plain one, without shake."""
    return Look() if seed == 0 else sample_look(np.random.default_rng([seed, 0x100C]))


def _triple(values: NDArray[np.float64]) -> Rgb:
    return float(values[0]), float(values[1]), float(values[2])


class LookSetter:
    """Applies looks to one compiled model, each from the model's own values."""

    def __init__(
        self, model: mujoco.MjModel, table_geoms: list[int], floor_geoms: list[int], camera: str
    ) -> None:
        self._model = model
        self._table, self._floor = table_geoms, floor_geoms
        self._camera = model.camera(camera).id if camera else -1
        self._diffuse, self._direction = model.light_diffuse.copy(), model.light_dir.copy()
        self._position = model.light_pos.copy()
        self._ambient = model.vis.headlight.ambient.copy()
        self._rgba = model.geom_rgba.copy()
        self._camera_pose = (model.cam_pos.copy(), model.cam_quat.copy())
        self._shadowing = np.array(model.light_castshadow, dtype=bool)

    def apply(self, look: Look) -> None:
        """Writes a look into the model; the next forward pass and picture show it."""
        model = self._model
        turn = Rotation.from_euler("z", look.sun_turn_rad)
        tint = np.array(look.tint)
        for i, shadowing in enumerate(self._shadowing):
            factor = look.sun if shadowing else look.fill
            model.light_diffuse[i] = np.clip(self._diffuse[i] * factor * tint, 0.0, 1.0)
            direction, position = self._direction[i].copy(), self._position[i].copy()
            if shadowing:
                flat = np.hypot(direction[0], direction[1])
                angle = np.clip(np.arctan2(flat, -direction[2]) + look.sun_lean_rad, 0.05, 0.9)
                heading = direction[:2] / max(flat, 1e-9)
                direction = turn.apply([*(heading * np.sin(angle)), -np.cos(angle)])
                # The shadow map is centred where the light's axis meets the table: keep that point.
                hit = self._position[i] + self._direction[i] * (-self._position[i][2] / self._direction[i][2])
                position = hit - direction * (self._position[i][2] / -direction[2])
            model.light_dir[i], model.light_pos[i] = direction, position
        model.light_castshadow[:] = self._shadowing & look.shadows
        model.vis.headlight.ambient = np.clip(self._ambient * look.ambient * tint, 0.0, 1.0)
        model.vis.headlight.diffuse = look.lamp
        self._paint(look)
        if self._camera >= 0:
            self._shake(look)

    def _paint(self, look: Look) -> None:
        model = self._model
        model.geom_rgba[self._table, :3] = (
            self._rgba[self._table, :3] if look.table_rgb is None else np.array(look.table_rgb)
        )
        model.geom_matid[self._table] = model.material(f"table_{look.table}").id
        model.geom_rgba[self._floor, :3] = (
            self._rgba[self._floor, :3] if look.floor_value is None else look.floor_value
        )

    def _shake(self, look: Look) -> None:
        position, quaternion = (values[self._camera] for values in self._camera_pose)
        base = Rotation.from_quat(quaternion, scalar_first=True)
        turned = base * Rotation.from_rotvec(look.camera_turn_rad)
        self._model.cam_pos[self._camera] = position + base.apply(look.camera_shift_m)
        self._model.cam_quat[self._camera] = turned.as_quat(scalar_first=True)


def look_setter(model: mujoco.MjModel, built: BuiltWorld) -> LookSetter:
    """For a world whose table top is the visual `top` of the model `table`, its floor the model `floor`."""
    names = [model.geom(i).name for i in range(model.ngeom)]
    table = [i for i, name in enumerate(names) if name == "table/top"]
    floor = [i for i, name in enumerate(names) if name.startswith("floor/")]
    cameras = [s.name for m in built.world.models for link in m.links for s in link.cameras]
    return LookSetter(model, table, floor, cameras[0] if cameras else "")


def jitter_color(rgb: Rgb, rng: np.random.Generator, strength: float = 1.0) -> Rgb:
    """Another shade of a colour that still bears its name: hue within 0.012 of a turn, value within 12 %."""
    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    jitter = rng.uniform(-1, 1, 3) * strength
    # A grey has no hue to keep: tinting it would give it a name.
    saturation = saturation * (1 + 0.12 * float(jitter[1])) if saturation > 0.1 else saturation
    value = value * (1 + 0.12 * float(jitter[2])) + 0.02 * float(jitter[0]) * (value < 0.15)
    return colorsys.hsv_to_rgb(
        (hue + 0.012 * float(jitter[0])) % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.02), 1.0)
    )

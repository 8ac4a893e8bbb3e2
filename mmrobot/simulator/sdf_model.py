"""What is left of an SDF file once read: links, joints and the rest with all poses resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pose = NDArray[np.float64]
"""(4, 4), takes points of the thing's frame to the frame named beside it."""

Rgba = tuple[float, float, float, float]


@dataclass(frozen=True)
class Geometry:
    """`kind` box (x, y, z), sphere (r), cylinder and capsule (r, length), plane (x, y), or mesh."""

    kind: str
    size_m: tuple[float, ...] = ()
    mesh: Path | None = None
    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    normal: tuple[float, ...] = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Material:
    """Colours 0..1; `texture` a picture file (PBR albedo map)."""

    diffuse: Rgba = (0.7, 0.7, 0.7, 1.0)
    specular: float = 0.1
    shininess: float = 0.4
    emission: float = 0.0
    texture: Path | None = None


@dataclass(frozen=True)
class Visual:
    """`pose` in the link's frame."""

    name: str
    pose: Pose
    geometry: Geometry
    material: Material
    cast_shadows: bool = True


@dataclass(frozen=True)
class Collision:
    """`pose` in the link's frame; friction of sliding (mu), spinning and rolling (metres)."""

    name: str
    pose: Pose
    geometry: Geometry
    mu: float = 1.0
    torsional_m: float = 0.005
    rolling_m: float = 0.0


@dataclass(frozen=True)
class Inertial:
    """`pose` of the centre of mass frame in the link's; `inertia` (3, 3) kg m^2 in that frame."""

    mass_kg: float
    pose: Pose
    inertia: NDArray[np.float64]


@dataclass(frozen=True)
class CameraSensor:
    """A camera looking along +x of its frame (z up); `pose` in the link's frame."""

    name: str
    kind: str
    pose: Pose
    width: int
    height: int
    horizontal_fov_rad: float
    near_m: float
    far_m: float
    rate_hz: float
    frame_id: str
    noise_stddev: float = 0.0


@dataclass(frozen=True)
class Light:
    """`pose` in the world (or link); `direction` in the light's frame."""

    name: str
    kind: str
    pose: Pose
    diffuse: tuple[float, float, float]
    specular: tuple[float, float, float]
    direction: tuple[float, float, float]
    cast_shadows: bool
    attenuation: tuple[float, float, float]
    outer_angle_rad: float = 0.8


@dataclass(frozen=True)
class Link:
    """`pose` in the model's frame."""

    name: str
    pose: Pose
    inertial: Inertial | None
    collisions: tuple[Collision, ...]
    visuals: tuple[Visual, ...]
    cameras: tuple[CameraSensor, ...]
    lights: tuple[Light, ...]
    gravity: bool = True


@dataclass(frozen=True)
class Joint:
    """`kind` revolute, continuous, prismatic or fixed; `pose` in the child link, `axis` in that pose's
    frame. `parent` is a link or `world`. Limits are rad or m, N m or N; infinite when there is none."""

    name: str
    kind: str
    parent: str
    child: str
    pose: Pose
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    lower: float = -np.inf
    upper: float = np.inf
    effort: float = np.inf
    velocity: float = np.inf
    damping: float = 0.0
    friction: float = 0.0
    stiffness: float = 0.0
    reference: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A named pose fixed to a link; `pose` in that link's frame."""

    name: str
    link: str
    pose: Pose


@dataclass(frozen=True)
class JointCommand:
    """What a Gazebo joint controller says of one joint; gains are 0 where it says nothing."""

    joint: str
    controller: str
    p_gain: float = 0.0
    i_gain: float = 0.0
    d_gain: float = 0.0
    initial_position: float = 0.0


@dataclass(frozen=True)
class Model:
    """One top-level model, nested ones merged in with `nested::` before their names; `pose` in the world."""

    name: str
    pose: Pose
    static: bool
    self_collide: bool
    links: tuple[Link, ...]
    joints: tuple[Joint, ...]
    frames: tuple[Frame, ...]
    commands: tuple[JointCommand, ...]


@dataclass(frozen=True)
class World:
    """All that the simulator needs of a world file, models in the order of the file."""

    name: str = "world"
    timestep_s: float = 0.002
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)
    ambient: tuple[float, float, float] = (0.4, 0.4, 0.4)
    background: tuple[float, float, float] = (0.7, 0.7, 0.7)
    shadows: bool = True
    lights: tuple[Light, ...] = ()
    models: tuple[Model, ...] = field(default_factory=tuple)

"""SDF values to MuJoCo: one MjSpec, with the names by which the rest finds its bodies again.

Names in MuJoCo: a model of one link gives its body its own name; links and joints of larger models
keep their names, with `model::` before them only where two models would clash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import mujoco
import numpy as np

from mmrobot.errors import UnsupportedSdfError
from mmrobot.simulator.mjcf_parts import AssetStore, add_camera, add_collision, add_light, add_visual
from mmrobot.simulator.sdf_model import Frame, Joint, JointCommand, Link, Model, Pose, World
from mmrobot.simulator.sdf_poses import quaternion_wxyz
from mmrobot.simulator.table_textures import add_table_materials

JOINT_TYPES = {
    "revolute": mujoco.mjtJoint.mjJNT_HINGE,
    "continuous": mujoco.mjtJoint.mjJNT_HINGE,
    "prismatic": mujoco.mjtJoint.mjJNT_SLIDE,
}


@dataclass(frozen=True)
class JointInfo:
    """A movable joint by its name in MuJoCo, with the limits of the file and its controller, if any."""

    name: str
    model: str
    joint: Joint
    command: JointCommand | None


@dataclass
class BuiltWorld:
    """An uncompiled MuJoCo model and the way back from SDF names.

    `bodies` maps (model, link) to body names; `roots` each model that moves freely to its one root body.
    """

    world: World
    spec: mujoco.MjSpec
    bodies: dict[tuple[str, str], str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    joints: list[JointInfo] = field(default_factory=list)


def build_world(world: World) -> BuiltWorld:
    """The MuJoCo spec of a world. Options for friction grasping: elliptic cones, stiff tangentially."""
    spec = mujoco.MjSpec()
    spec.modelname = world.name
    _set_options(spec, world)
    built = BuiltWorld(world, spec)
    assets = AssetStore(spec)
    names = _Names(world)
    add_table_materials(spec)
    for light in world.lights:
        add_light(spec.worldbody, light, world.shadows)
    for model in world.models:
        _add_model(built, assets, names, model)
    return built


def compile_models(models: Iterable[Model]) -> mujoco.MjModel:
    """Only these models, compiled: for kinematics (an arm by itself)."""
    return build_world(World(models=tuple(models))).spec.compile()


def _set_options(spec: mujoco.MjSpec, world: World) -> None:
    spec.option.timestep = world.timestep_s
    spec.option.gravity = world.gravity
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    # Friction cones ten times stiffer than normals: a held thing does not creep out of the fingers.
    spec.option.impratio = 10.0
    spec.compiler.degree = False
    spec.compiler.autolimits = True
    spec.compiler.boundmass = 0.0
    # Clip planes in metres, not multiples of the model's extent.
    spec.stat.extent = 1.0
    spec.stat.center = (0.4, 0.0, 0.1)
    spec.visual.map.znear = 0.02
    spec.visual.map.zfar = 20.0
    spec.visual.map.shadowclip = 1.0
    # Facets fine enough for 640x480: rendering on a processor costs by the vertex.
    spec.visual.quality.numslices = 24
    spec.visual.quality.numstacks = 8
    spec.visual.quality.numquads = 1
    spec.visual.global_.offwidth = 1280
    spec.visual.global_.offheight = 960
    spec.visual.headlight.ambient = world.ambient
    spec.visual.headlight.diffuse = (0.0, 0.0, 0.0)
    spec.visual.headlight.specular = (0.0, 0.0, 0.0)
    sky = spec.add_texture()
    sky.name = "sky"
    sky.type = mujoco.mjtTexture.mjTEXTURE_SKYBOX
    sky.builtin = mujoco.mjtBuiltin.mjBUILTIN_FLAT
    sky.rgb1 = sky.rgb2 = world.background
    sky.width = sky.height = 16


class _Names:
    """MuJoCo names of links, joints and frames: short where that is clear."""

    def __init__(self, world: World) -> None:
        self._single = {model.name for model in world.models if len(model.links) == 1}
        self._links = Counter(x.name for m in world.models if m.name not in self._single for x in m.links)
        self._links.update(self._single)
        self._joints = Counter(x.name for m in world.models for x in m.joints)
        self._frames = Counter(x.name for m in world.models for x in m.frames)

    def link(self, model: str, link: str) -> str:
        if model in self._single:
            return model
        return link if self._links[link] == 1 else f"{model}::{link}"

    def joint(self, model: str, joint: str) -> str:
        return joint if self._joints[joint] == 1 else f"{model}::{joint}"

    def frame(self, model: str, frame: str) -> str:
        return frame if self._frames[frame] == 1 else f"{model}::{frame}"


def _add_model(built: BuiltWorld, assets: AssetStore, names: _Names, model: Model) -> None:
    by_child: dict[str, Joint] = {}
    for joint in model.joints:
        if joint.child in by_child:
            raise UnsupportedSdfError(
                f"model '{model.name}': link '{joint.child}' is the child of two joints, "
                f"'{by_child[joint.child].name}' and '{joint.name}'",
                "closed chains are not supported: remove one joint",
            )
        by_child[joint.child] = joint
    links = {link.name: link for link in model.links}
    children: dict[str, list[str]] = {}
    roots = []
    for name in links:
        above = by_child.get(name)
        if above is None or above.parent == "world":
            roots.append(name)
        else:
            children.setdefault(above.parent, []).append(name)
    commands = {command.joint: command for command in model.commands}
    visited: set[str] = set()

    def add(link: Link, parent: mujoco.MjsBody, parent_pose: Pose, parent_name: str | None) -> None:
        visited.add(link.name)
        body_name = names.link(model.name, link.name)
        local = np.linalg.inv(parent_pose) @ (model.pose @ link.pose)
        body = parent.add_body(name=body_name, pos=local[:3, 3], quat=quaternion_wxyz(local))
        built.bodies[model.name, link.name] = body_name
        joint = by_child.get(link.name)
        moves = False
        if not model.static:
            if joint is None:
                if len(roots) > 1:
                    raise UnsupportedSdfError(
                        f"model '{model.name}': links {', '.join(roots)} hang together by no joint",
                        "join them, or make models of them",
                    )
                body.add_freejoint(name=f"{body_name}::free")
                built.roots[model.name] = body_name
                moves = True
            elif joint.kind != "fixed":
                name = names.joint(model.name, joint.name)
                _add_joint(body, joint, name)
                built.joints.append(JointInfo(name, model.name, joint, commands.get(joint.name)))
                moves = True
        _add_inertia(body, model, link, moves)
        _add_parts(built, assets, body, body_name, link)
        for frame in model.frames:
            if frame.link == link.name:
                _add_frame(body, names.frame(model.name, frame.name), frame)
        for child in children.get(link.name, []):
            add(links[child], body, model.pose @ link.pose, body_name)

    for root in roots:
        add(links[root], built.spec.worldbody, np.eye(4), None)
    if len(visited) != len(links):
        lost = ", ".join(sorted(set(links) - visited))
        raise UnsupportedSdfError(
            f"model '{model.name}': the joints of {lost} form a circle", "break the circle"
        )
    if not model.static and not model.self_collide:
        _exclude_self_contacts(built, model)


def _add_joint(body: mujoco.MjsBody, joint: Joint, name: str) -> None:
    added = body.add_joint(
        name=name,
        type=JOINT_TYPES[joint.kind],
        pos=joint.pose[:3, 3],
        axis=joint.pose[:3, :3] @ np.array(joint.axis),
        frictionloss=joint.friction,
    )
    # MuJoCo 4 keeps polynomials for damping and stiffness: the linear coefficient comes first.
    _set_linear(added, "damping", joint.damping)
    _set_linear(added, "stiffness", joint.stiffness)
    added.springref = joint.reference
    if np.isfinite(joint.lower):
        added.limited = mujoco.mjtLimited.mjLIMITED_TRUE
        added.range = (joint.lower, joint.upper)
    else:
        added.limited = mujoco.mjtLimited.mjLIMITED_FALSE


def _set_linear(joint: mujoco.MjsJoint, name: str, value: float) -> None:
    current = getattr(joint, name)
    if np.ndim(current) == 0:
        setattr(joint, name, value)
    else:
        current[:] = 0.0
        current[0] = value


def _add_inertia(body: mujoco.MjsBody, model: Model, link: Link, moves: bool) -> None:
    inertial = link.inertial
    if inertial is None:
        if not model.static and (moves or link.collisions):
            raise UnsupportedSdfError(
                f"model '{model.name}': link '{link.name}' has no <inertial>", "write its mass and inertia"
            )
        # Without mass of its own: a frame such as a tool centre point.
        body.explicitinertial = True
        body.mass = 0.0
        body.inertia = (0.0, 0.0, 0.0)
        return
    moments, axes = np.linalg.eigh(inertial.inertia)
    if np.linalg.det(axes) < 0:
        axes[:, 0] = -axes[:, 0]
    pose = inertial.pose.copy()
    pose[:3, :3] = pose[:3, :3] @ axes
    body.explicitinertial = True
    body.mass = inertial.mass_kg
    body.ipos = pose[:3, 3]
    body.iquat = quaternion_wxyz(pose)
    body.inertia = moments
    if not link.gravity:
        body.gravcomp = 1.0


def _add_parts(
    built: BuiltWorld, assets: AssetStore, body: mujoco.MjsBody, body_name: str, link: Link
) -> None:
    for visual in link.visuals:
        add_visual(body, assets, f"{body_name}/{visual.name}", visual)
    for collision in link.collisions:
        add_collision(body, assets, f"{body_name}#{collision.name}", collision)
    for camera in link.cameras:
        add_camera(body, camera)
    for light in link.lights:
        add_light(body, light, built.world.shadows)


def _add_frame(body: mujoco.MjsBody, name: str, frame: Frame) -> None:
    body.add_site(
        name=name,
        pos=frame.pose[:3, 3],
        quat=quaternion_wxyz(frame.pose),
        group=5,
        size=(0.005, 0.005, 0.005),
    )


def _exclude_self_contacts(built: BuiltWorld, model: Model) -> None:
    """SDF's default: the links of one model do not touch each other."""
    solid = [built.bodies[model.name, link.name] for link in model.links if link.collisions]
    for i, first in enumerate(solid):
        for second in solid[i + 1 :]:
            built.spec.add_exclude(bodyname1=first, bodyname2=second)

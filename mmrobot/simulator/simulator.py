"""The embedded simulator: a world, its arm, its camera, and the objects of a scene, stepped in MuJoCo.

It knows neither ROS nor wall time: whoever owns it steps it. One instance belongs to one thread.
Same world, scene, seed and calls: the same run, bit for bit, on one machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidSceneError, UnsupportedSdfError
from mmrobot.simulator.camera import RgbdCamera
from mmrobot.simulator.contacts import Contact, ContactReader
from mmrobot.simulator.controllers import (
    HOME_WIDTH_M,
    ArmJoints,
    TrajectoryController,
    add_actuators,
    home_posture,
)
from mmrobot.simulator.files import WORLD_FILE
from mmrobot.simulator.gripper import GripperController
from mmrobot.simulator.looks import Look, look_of_seed, look_setter
from mmrobot.simulator.mjcf import BuiltWorld, build_world
from mmrobot.simulator.noise import NoiseModel
from mmrobot.simulator.renderer import Renderer
from mmrobot.simulator.sdf_model import CameraSensor, World
from mmrobot.simulator.sdf_parse import parse_model, parse_world, with_models
from mmrobot.simulator.state import JointState
from mmrobot.tabletop.goals import ObjectState, WorldState
from mmrobot.tabletop.scene import Scene
from mmrobot.tabletop.scene_sdf import scene_sdf
from mmrobot.types import CameraModel, JointTrajectory, RgbdFrame

MAX_SETTLE_S = 1.5
SETTLED_SPEED = 0.002
SPECTATOR_SIZE = (960, 540)


@dataclass(frozen=True, eq=False)
class LinkPose:
    """A frame and its parent, with the pose of the one in the other, (4, 4)."""

    parent: str
    child: str
    pose: NDArray[np.float64]


class Simulator:
    """A world of SDF with a scene's objects on its table. See the module's docstring."""

    def __init__(
        self,
        world: Path | None = None,
        scene: Scene | None = None,
        *,
        seed: int = 0,
        camera_noise: bool = True,
    ) -> None:
        self._base: World = parse_world(WORLD_FILE if world is None else world)
        self._seed = seed
        self._noise = NoiseModel() if camera_noise else None
        self._clock_offset_s = 0.0
        self._spectator: Renderer | None = None
        self._camera: RgbdCamera | None = None
        self._build(scene or Scene())

    # -- set-up ---------------------------------------------------------------------------------

    def _build(self, scene: Scene) -> None:
        world = with_models(self._base, [parse_model(text) for text in scene_sdf(scene)])
        built: BuiltWorld = build_world(world)
        joints = ArmJoints.of(built.joints)
        add_actuators(built.spec, joints)
        self.scene = scene
        self.model: mujoco.MjModel = built.spec.compile()
        self.data = mujoco.MjData(self.model)
        self._built = built
        self._rng = np.random.default_rng([self._seed, scene.seed])
        self._objects = {o.id: built.roots[o.id] for o in scene.objects}
        self._arm_model = joints.arm[0].model
        self._hand, self._fingers = self._hand_bodies(built, joints)
        self.arm = TrajectoryController(self.model, self.data, joints.arm)
        self.gripper = GripperController(self.model, self.data, joints.fingers)
        self._contacts = ContactReader(self.model, self.data)
        self._camera = self._make_camera(built)
        self._looks = look_setter(self.model, built)
        self._looks.apply(look_of_seed(scene.seed))
        self.arm.place(home_posture(joints.arm))
        self.gripper.place(HOME_WIDTH_M)
        self._settle()

    @staticmethod
    def _hand_bodies(built: BuiltWorld, joints: ArmJoints) -> tuple[frozenset[str], tuple[str, ...]]:
        names = {link: body for (model, link), body in built.bodies.items() if model == joints.arm[0].model}
        fingers = tuple(names[info.joint.child] for info in joints.fingers)
        return frozenset((*fingers, *(names[info.joint.parent] for info in joints.fingers))), fingers

    def _make_camera(self, built: BuiltWorld) -> RgbdCamera | None:
        sensors = [
            s for m in built.world.models for link in m.links for s in link.cameras if s.kind == "rgbd_camera"
        ]
        if not sensors:
            return None
        return RgbdCamera(self.model, self.data, sensors[0], self._noise, self._rng)

    def _settle(self) -> None:
        """Lets the objects come to rest, then calls this the beginning."""
        mujoco.mj_forward(self.model, self.data)
        steps = round(MAX_SETTLE_S / self.model.opt.timestep)
        for i in range(steps):
            self._step_once()
            if i > 50 and i % 25 == 0 and np.abs(self.data.qvel).max() < SETTLED_SPEED:
                break
        self.data.time = 0.0
        mujoco.mj_forward(self.model, self.data)

    def reset_scene(self, scene: Scene) -> None:
        """Another scene in the same world: arm home, objects settled. Time goes on, never back."""
        self._clock_offset_s = self.time_s
        self.close()
        self._build(scene)

    # -- time -----------------------------------------------------------------------------------

    @property
    def time_s(self) -> float:
        """Simulated time since construction."""
        return self._clock_offset_s + float(self.data.time)

    @property
    def timestep_s(self) -> float:
        return float(self.model.opt.timestep)

    def step(self, duration_s: float) -> None:
        """Physics only, for a duration rounded to whole time steps."""
        for _ in range(round(duration_s / self.model.opt.timestep)):
            self._step_once()

    def _step_once(self) -> None:
        self.arm.update()
        self.gripper.update()
        mujoco.mj_step(self.model, self.data)

    # -- commands -------------------------------------------------------------------------------

    def command_trajectory(self, trajectory: JointTrajectory) -> None:
        """Replaces the running trajectory and starts now; its last point is held. Raises
        ExecutionFailedError for unknown joints, positions beyond limits and jumps."""
        self.arm.follow(trajectory)

    def command_gripper(self, width_m: float) -> None:
        """Moves the fingers towards an opening (sum of both), with the force of the SDF's limit."""
        self.gripper.command(width_m)

    def hold(self) -> None:
        """The commanded velocity is zero from the next step on; a grip is kept."""
        self.arm.hold()
        self.gripper.hold()

    @property
    def commanded_velocity(self) -> NDArray[np.float64]:
        """(J,) rad/s that the arm's joints are commanded to have now."""
        return self.arm.commanded_velocity.copy()

    # -- what a robot reports -------------------------------------------------------------------

    def joint_state(self) -> JointState:
        """All joints of the arm and the fingers."""
        names = (*self.arm.names, *self.gripper.names)
        joints = [self.model.joint(name) for name in names]
        qpos = np.array([self.data.qpos[j.qposadr[0]] for j in joints])
        dofs = np.array([j.dofadr[0] for j in joints])
        return JointState(names, qpos, self.data.qvel[dofs], self.data.qfrc_actuator[dofs], self.time_s)

    def render(self) -> RgbdFrame:
        """What the camera sees now, with its noise."""
        return self._rgbd().frame(self.time_s)

    def render_true(self) -> RgbdFrame:
        """The same without noise: for tests and training."""
        return self._rgbd().frame(self.time_s, noise=False)

    @property
    def camera_model(self) -> CameraModel:
        return self._rgbd().camera

    @property
    def camera_sensor(self) -> CameraSensor:
        """Rate, clip planes and names of the camera, as the SDF has them."""
        return self._rgbd().sensor

    def _rgbd(self) -> RgbdCamera:
        if self._camera is None:
            raise UnsupportedSdfError("the world has no rgbd_camera sensor", "add one to the world's SDF")
        return self._camera

    def link_poses(self) -> tuple[LinkPose, ...]:
        """Every link of the arm in its parent link, the root in base: for /tf."""
        names = {body: link for (model, link), body in self._built.bodies.items() if model == self._arm_model}
        poses = []
        for body, link in names.items():
            index = self.model.body(body).id
            parent = self.model.body(self.model.body_parentid[index]).name
            pose = np.eye(4)
            if parent in names:
                pose = np.linalg.inv(self._pose(parent)) @ self._pose(body)
                poses.append(LinkPose(names[parent], link, pose))
        return tuple(poses)

    def _pose(self, body: str) -> NDArray[np.float64]:
        pose = np.eye(4)
        pose[:3, :3] = self.data.body(body).xmat.reshape(3, 3)
        pose[:3, 3] = self.data.body(body).xpos
        return pose

    # -- for judges, tests, training and videos -------------------------------------------------

    def truth(self) -> WorldState:
        """Where everything is. For goals and tests only: no node of the running robot may see it."""
        objects = {}
        for name, body in self._objects.items():
            joint = self.model.joint(f"{body}::free")
            q, v = joint.qposadr[0], joint.dofadr[0]
            position, quaternion = self.data.qpos[q : q + 3].tolist(), self.data.qpos[q + 3 : q + 7].tolist()
            speed, spin = self.data.qvel[v : v + 3].tolist(), self.data.qvel[v + 3 : v + 6].tolist()
            objects[name] = ObjectState(name, tuple(position), tuple(quaternion), tuple(speed), tuple(spin))
        return WorldState(objects, self._contacts.held(self._objects, self._fingers, self._hand), self.time_s)

    def contacts(self) -> tuple[Contact, ...]:
        """All pairs of bodies that touch now. An object's body bears its id, the table's is `table`."""
        return self._contacts.pairs()

    def segmentation(self) -> dict[str, NDArray[np.bool_]]:
        """True masks (H, W) per object id, of what the camera sees of each."""
        geoms = self._rgbd().geoms()
        bodies = np.where(geoms >= 0, self.model.geom_bodyid[geoms], -1)
        return {name: bodies == self.model.body(body).id for name, body in self._objects.items()}

    def spectator(self) -> NDArray[np.uint8]:
        """(540, 960, 3) uint8: a view from the side, for people."""
        if self._spectator is None:
            self._spectator = Renderer(
                self.model, *SPECTATOR_SIZE, sky=True, samples=4, shadow_size=2048, shadow_reach_m=1.8
            )
        camera = mujoco.MjvCamera()
        camera.lookat[:] = (0.33, -0.02, 0.13)
        camera.distance, camera.azimuth, camera.elevation = 1.55, 140.0, -26.0
        self._spectator.view(self.data, camera)
        return self._spectator.color()

    def show(self, look: Look, noise: NoiseModel | None) -> None:
        """Another light, table and camera pose, and another camera noise (None: none), from now on."""
        self._looks.apply(look)
        mujoco.mj_forward(self.model, self.data)
        self.close()
        self._noise = noise
        self._camera = self._make_camera(self._built)

    def move_object(self, object_id: str, position: tuple[float, ...]) -> None:
        """Puts an object elsewhere, upright, at rest: `position` is the middle of its underside, (x, y) on
        the table or (x, y, z)."""
        if object_id not in self._objects:
            raise InvalidSceneError(
                f"no object '{object_id}'", f"use one of: {', '.join(self._objects) or 'none'}"
            )
        if len(position) not in (2, 3) or not np.isfinite(position).all():
            raise InvalidSceneError(
                f"position {list(position)} of '{object_id}'", "give two or three finite numbers"
            )
        x, y, z = (*position, 0.0)[:3]
        moved = replace(self.scene.by_id[object_id], position=(x, y, z))
        joint = self.model.joint(f"{self._objects[object_id]}::free")
        q, v = joint.qposadr[0], joint.dofadr[0]
        self.data.qpos[q : q + 3] = moved.center_m
        self.data.qpos[q + 3 : q + 7] = (np.cos(moved.yaw / 2), 0.0, 0.0, np.sin(moved.yaw / 2))
        self.data.qvel[v : v + 6] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def close(self) -> None:
        """Frees the graphics contexts; may be called again."""
        if self._camera is not None:
            self._camera.close()
        if self._spectator is not None:
            self._spectator.close()
            self._spectator = None

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

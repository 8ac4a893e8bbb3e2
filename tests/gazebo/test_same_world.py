"""What Gazebo 11 loads is what MuJoCo loads: bodies, joints, limits, camera; and it settles alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mmrobot.arm.hand import ARM_JOINTS, GRIPPER_JOINTS, OBSERVE_POSTURE
from mmrobot.simulator.files import WORLD_FILE
from mmrobot.simulator.gazebo.homing import home_trajectory
from mmrobot.simulator.mjcf import BuiltWorld, build_world
from mmrobot.simulator.sdf_parse import parse_model, parse_world, with_models
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.families import generate_episode
from mmrobot.tabletop.scene import Scene
from mmrobot.tabletop.scene_sdf import scene_sdf
from tests.gazebo.server import GazeboServer

pytestmark = [pytest.mark.gazebo, pytest.mark.timeout(900)]

PIXELS = 3.0
HEIGHT_M = 0.002
# Seen from above the table by at least this, a pixel belongs to a thing.
RAISED_M = 0.004
SETTLE_S = 2.0


def scene_of(seed: int, *things: tuple[str, str, float, float]) -> Scene:
    objects = [
        {"id": f"{shape}_{i}", "shape": shape, "color": color, "position": [x, y]}
        for i, (shape, color, x, y) in enumerate(things)
    ]
    return Scene.from_dict({"seed": seed, "objects": objects}, "test")


SCENES = {
    "episode": generate_episode("put_in", "L0", 1_000_000).scene,
    "tall": scene_of(
        7, ("cube", "red", 0.36, 0.2), ("ball", "orange", 0.36, 0.0), ("cylinder", "green", 0.36, -0.2),
        ("cup", "white", 0.54, 0.2), ("hexagon", "purple", 0.54, 0.0), ("cone", "blue", 0.54, -0.2),
    ),
    "flat": scene_of(
        0, ("plate", "white", 0.36, 0.2), ("tray", "blue", 0.38, -0.15), ("bar", "red", 0.56, 0.24),
        ("ring", "green", 0.56, 0.05), ("slab", "yellow", 0.56, -0.12), ("wedge", "purple", 0.58, -0.28),
    ),
    "parts": scene_of(
        3, ("arch", "red", 0.36, 0.2), ("capsule", "green", 0.36, 0.0), ("dumbbell", "blue", 0.36, -0.2),
        ("stairs", "orange", 0.54, 0.2), ("t_block", "yellow", 0.54, 0.0), ("pyramid", "purple", 0.54, -0.2),
    ),
}  # fmt: skip


class Pair:
    """One scene in both: Gazebo's report, its world at rest and pictures; MuJoCo's model and simulator."""

    def __init__(self, scene: Scene, server: GazeboServer) -> None:
        self.scene, self.server = scene, server
        world = with_models(parse_world(WORLD_FILE), [parse_model(text) for text in scene_sdf(scene)])
        self.built: BuiltWorld = build_world(world)
        self.model = self.built.spec.compile()
        self.data = mujoco.MjData(self.model)
        mujoco.mj_forward(self.model, self.data)
        self.simulator = Simulator(scene=scene, camera_noise=False)
        begin = server.state["t"]
        # As the companion does: the arm would hide the table from the camera.
        home = home_trajectory(ARM_JOINTS, np.zeros(6), np.array(OBSERVE_POSTURE))
        points = zip(home.times_s, home.positions, home.velocities, strict=True)
        server.send_trajectory(ARM_JOINTS, [(t, list(p), list(v)) for t, p, v in points])
        server.wait(lambda: server.state["t"] > begin + home.times_s[-1] + SETTLE_S, 60.0)
        self.state = server.state
        server.wait(lambda: all(t > self.state["t"] for t, _ in server.pictures.values()), 20.0)

    def body(self, model: str, link: str) -> Any:
        return self.model.body(self.built.bodies[model, link])


@pytest.fixture(scope="module", params=list(SCENES))
def pair(request: pytest.FixtureRequest, gazebo_root: Path) -> Iterator[Pair]:
    scene = SCENES[request.param]
    with GazeboServer(gazebo_root, scene) as server:
        made = Pair(scene, server)
        with made.simulator:
            yield made


def test_it_loads_without_an_error(pair: Pair) -> None:
    errors = [line for line in pair.server.log.splitlines() if "[Err]" in line or "Error" in line]
    assert not errors, errors
    assert "gazebo master" in pair.server.log


def test_bodies_have_the_same_masses_and_poses(pair: Pair) -> None:
    loaded = pair.server.loaded["models"]
    assert set(loaded) == {m.name for m in pair.built.world.models}
    told = {(model, link) for model, content in loaded.items() for link in content["links"]}
    assert told == set(pair.built.bodies)
    statics = {m.name for m in pair.built.world.models if m.static}
    for (model, link), _ in pair.built.bodies.items():
        if model == "camera":
            continue  # shaken by the scene's seed: see below
        report, body = loaded[model]["links"][link], pair.body(model, link)
        where = f"{model}::{link}"
        # Gazebo tells of it after its first step: a thing may have fallen by a hair.
        assert report["pose"][:3] == pytest.approx(pair.data.body(body.id).xpos, abs=2e-4), where
        assert turned_by(report["pose"][3:], pair.data.body(body.id).xquat) < 1e-3, where
        if model in statics:
            continue
        assert report["mass"] == pytest.approx(body.mass[0], rel=1e-6), where
        assert report["com"] == pytest.approx(body.ipos, abs=1e-6), where
        xx, yy, zz, xy, xz, yz = report["inertia"]
        moments = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert moments == pytest.approx(np.sort(body.inertia), rel=1e-3), where


def turned_by(first: Any, second: Any) -> float:
    one, other = (Rotation.from_quat(q, scalar_first=True) for q in (first, second))
    return float((one * other.inv()).magnitude())


def test_joints_have_the_same_places_axes_and_limits(pair: Pair) -> None:
    reports = pair.server.loaded["models"]["arm"]["joints"]
    (arm,) = [m for m in pair.built.world.models if m.name == "arm"]
    assert set(reports) == {joint.name for joint in arm.joints}
    for joint in arm.joints:
        report = reports[joint.name]
        assert (report["parent"], report["child"]) == (joint.parent, joint.child), joint.name
        assert report["fixed"] == (joint.kind == "fixed"), joint.name
        if joint.kind == "fixed":
            continue
        in_mujoco = pair.model.joint(joint.name)
        assert report["slides"] == (in_mujoco.type[0] == mujoco.mjtJoint.mjJNT_SLIDE), joint.name
        assert report["limits"] == pytest.approx(in_mujoco.range, abs=1e-6), joint.name
        assert report["damping"] == pytest.approx(np.ravel(in_mujoco.damping)[0]), joint.name
        assert (report["effort"], report["velocity"]) == (joint.effort, joint.velocity), joint.name
        assert report["axis"] == pytest.approx(pair.data.xaxis[in_mujoco.id], abs=1e-4), joint.name
        if report["slides"]:
            continue  # ODE's sliders have no anchor; their links' poses are compared above
        assert report["anchor"] == pytest.approx(pair.data.xanchor[in_mujoco.id], abs=1e-4), joint.name


def test_the_camera_is_the_same(pair: Pair) -> None:
    camera, sensor = pair.server.camera, pair.simulator.camera_sensor
    assert (camera["width"], camera["height"]) == (sensor.width, sensor.height)
    assert camera["hfov"] == pytest.approx(sensor.horizontal_fov_rad, abs=1e-5)
    assert (camera["near"], camera["far"]) == pytest.approx((sensor.near_m, sensor.far_m))
    T_base_optical = pair.simulator.render_true().T_base_camera
    assert camera["pose"][:3] == pytest.approx(T_base_optical[:3, 3], abs=1e-5)
    link_in_optical = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])
    expected = Rotation.from_matrix(T_base_optical[:3, :3] @ link_in_optical).as_quat(scalar_first=True)
    assert turned_by(camera["pose"][3:], expected) < 1e-4


def test_things_come_to_rest_at_the_same_heights(pair: Pair) -> None:
    truth = pair.simulator.truth().objects
    assert set(truth) == set(pair.state["models"])
    off = [abs(pair.state["models"][n][2] - s.position_m[2]) for n, s in truth.items()]
    print(f"heights at most {1000 * max(off):.2f} mm apart")
    for name, state in truth.items():
        at = pair.state["models"][name]
        assert at[2] == pytest.approx(state.position_m[2], abs=HEIGHT_M), name
        assert np.hypot(at[0] - state.position_m[0], at[1] - state.position_m[1]) < 0.005, name
        assert np.linalg.norm(at[7:10]) < 0.01, f"{name} still moves"


def raised(depth_m: NDArray[Any], pair: Pair) -> NDArray[np.bool_]:
    """(H, W) which pixels see something above the table, by depth alone."""
    camera = pair.simulator.camera_model
    T = pair.simulator.render_true().T_base_camera
    v, u = np.mgrid[: depth_m.shape[0], : depth_m.shape[1]]
    points = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1)
    z = (points * depth_m[..., None]) @ T[2, :3] + T[2, 3]
    return z > RAISED_M


def test_things_are_seen_at_the_same_pixels(pair: Pair) -> None:
    """By both cameras' depth pictures, and the colour there is the same to the eye."""
    frame = pair.simulator.render_true()
    seen, expected = raised(pair.server.pictures["D"][1], pair), raised(frame.depth_m, pair)
    colors = pair.server.pictures["I"][1].astype(float), frame.rgb.astype(float)
    far = []
    for name, mask in pair.simulator.segmentation().items():
        assert mask.sum() > 100, f"{name} is hidden in MuJoCo's picture"
        window = ndimage.binary_dilation(mask, iterations=8)
        centres = [np.array(ndimage.center_of_mass(picture & window)) for picture in (seen, expected)]
        far.append(float(np.linalg.norm(centres[0] - centres[1])))
        assert far[-1] < PIXELS, f"{name}: {centres}"
        inner = ndimage.binary_erosion(mask, iterations=2)
        difference = np.abs(colors[0][inner].mean(0) - colors[1][inner].mean(0)).max()
        assert difference < 60, f"{name} has another colour: by {difference:.0f} of 255"
    print(f"centres at most {max(far):.2f} pixels apart")


def test_depth_pictures_agree(pair: Pair) -> None:
    """Table, floor, arm and things alike; only at edges may a pixel see the one or the other."""
    seen, expected = pair.server.pictures["D"][1], pair.simulator.render_true().depth_m
    both = np.isfinite(seen) & np.isfinite(expected)
    assert both.mean() > 0.99
    off = np.abs(seen - expected)[both]
    print(f"depth: half of the pixels within {1000 * np.median(off):.2f} mm")
    assert np.median(off) < 0.002
    assert (off > 0.01).mean() < 0.02


def test_the_arm_came_home_and_the_fingers_obey(pair: Pair) -> None:
    joints = pair.state["joints"]
    assert [joints[n][0] for n in ARM_JOINTS] == pytest.approx(OBSERVE_POSTURE, abs=0.005)
    assert max(abs(joints[n][1]) for n in ARM_JOINTS) < 0.01
    for topic in ("gripper_left_position", "gripper_right_position"):
        pair.server.send_position(topic, 0.015)
    begin = pair.server.state["t"]
    pair.server.wait(lambda: pair.server.state["t"] > begin + 1.0, 20.0)
    assert [pair.server.state["joints"][n][0] for n in GRIPPER_JOINTS] == pytest.approx([0.015] * 2, abs=1e-3)

"""The arm's SDF: what its numbers promise."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.hand import ARM_JOINTS, GRIPPER_JOINTS, HAND, OBSERVE_POSTURE
from mmrobot.arm.kinematics import ArmKinematics
from mmrobot.simulator.mjcf import build_world
from mmrobot.simulator.sdf_model import World
from mmrobot.simulator.sdf_parse import MODELS_FOLDER, parse_model

ARM_FILE = Path(MODELS_FOLDER) / "arm" / "model.sdf"
# Thin trim that weighs nothing of note.
TRIM = {"ring", "dome", "badge", "elbow_dome", "axle_badge"}
CAMERA = np.array([-0.25, 0.0, 1.05])


def solid(visual: ET.Element) -> tuple[float, np.ndarray, np.ndarray]:
    """Volume, middle, inertia (3, 3) at density 1 of a primitive, about its middle, in the link's axes."""
    shape = next(iter(visual.find("geometry")))
    pose = np.array([float(v) for v in visual.findtext("pose", "0 0 0 0 0 0").split()])
    if shape.tag == "box":
        x, y, z = (float(v) for v in shape.findtext("size").split())
        volume, moments = x * y * z, np.array([y * y + z * z, x * x + z * z, x * x + y * y]) / 12
        inertia = volume * moments
    else:
        r, length = float(shape.findtext("radius")), float(shape.findtext("length", "0"))
        tube, ball = math.pi * r * r * length, 4 / 3 * math.pi * r**3
        tube = 0.0 if shape.tag == "sphere" else tube
        ball = 0.0 if shape.tag == "cylinder" else ball
        volume = tube + ball
        across = tube * (3 * r * r + length**2) / 12
        across += ball * (0.4 * r * r + length**2 / 4 + 3 / 8 * length * r)
        inertia = np.array([across, across, tube * r * r / 2 + ball * 0.4 * r * r])
    turn = Rotation.from_euler("xyz", pose[3:]).as_matrix()
    return volume, pose[:3], turn @ np.diag(inertia) @ turn.T


LINKS = list(ET.parse(ARM_FILE).getroot().iter("link"))


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.get("name"))
def test_inertia_is_that_of_the_solids_at_even_density(link: ET.Element) -> None:
    solids = [solid(v) for v in link.findall("visual") if v.get("name") not in TRIM]
    if not solids:
        assert link.get("name") == "tcp"
        return
    volume = sum(v for v, _, _ in solids)
    middle = sum(v * c for v, c, _ in solids) / volume
    inertia = np.zeros((3, 3))
    for v, c, i in solids:
        d = c - middle
        inertia += i + v * (d @ d * np.eye(3) - np.outer(d, d))
    mass = float(link.findtext("inertial/mass"))
    tags = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    written = {tag: float(link.findtext(f"inertial/inertia/{tag}")) for tag in tags}
    expected = inertia * mass / volume
    pose = [float(v) for v in link.findtext("inertial/pose").split()]
    np.testing.assert_allclose(pose[:3], middle, atol=1e-5)
    for tag, (a, b) in zip(written, ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)), strict=True):
        assert written[tag] == pytest.approx(expected[a, b], rel=2e-3, abs=1e-9), tag


def test_joints_limits_and_mass() -> None:
    model = arm_model()
    assert [model.joint(i).name for i in range(model.njnt)] == [*ARM_JOINTS, *GRIPPER_JOINTS]
    assert 10.0 < float(model.body_mass.sum()) < 15.0
    for name in GRIPPER_JOINTS:
        np.testing.assert_allclose(model.joint(name).range, [0.0, HAND.max_opening_m / 2])


def test_the_hand_model_is_the_sdf_s() -> None:
    model = arm_model()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    tcp = data.body("tcp").xpos[2]
    pad = model.geom("gripper_left_finger#pad")
    middle, half = data.geom("gripper_left_finger#pad").xpos, pad.size
    assert middle[2] + half[2] - tcp == pytest.approx(HAND.tip_m, abs=1e-6)
    assert tcp - (middle[2] - half[2]) == pytest.approx(HAND.palm_m, abs=1e-6)
    assert 2 * half[0] == pytest.approx(HAND.finger_width_m)
    assert 2 * half[1] == pytest.approx(HAND.finger_thickness_m)


def test_the_sdf_starts_in_the_observe_posture() -> None:
    values = [float(e.text) for e in ET.parse(ARM_FILE).getroot().iter("initial_position")]
    np.testing.assert_allclose(values, OBSERVE_POSTURE, atol=1e-4)


def test_observe_posture_hides_none_of_the_work_area() -> None:
    """No ray from the camera to the work area, up to 15 cm high, meets the arm or a thing in its hand."""
    spec = build_world(World(models=(parse_model(ARM_FILE),))).spec
    spec.body("tcp").add_geom(
        name="held", type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=[0.08, 0.07, 0.0], pos=[0, 0, 0.04]
    )
    model = spec.compile()
    data = mujoco.MjData(model)
    for name, value in zip(ARM_JOINTS, OBSERVE_POSTURE, strict=True):
        data.joint(name).qpos = value
    mujoco.mj_forward(model, data)
    geom = np.zeros(1, dtype=np.int32)
    for x in np.linspace(0.25, 0.65, 9):
        for y in np.linspace(-0.35, 0.35, 15):
            for z in (0.0, 0.05, 0.10, 0.15):
                ray = np.array([x, y, z]) - CAMERA
                reached = mujoco.mj_ray(model, data, CAMERA, ray, None, 1, -1, geom)
                free = reached < 0 or reached >= 1.0
                assert free, f"{model.geom(geom[0]).name} hides ({x:.2f}, {y:.2f}, {z:.2f})"


def test_observe_posture_is_free_and_upright() -> None:
    kinematics = ArmKinematics(arm_model())
    assert kinematics.collision(OBSERVE_POSTURE) is None
    pose = kinematics.forward(OBSERVE_POSTURE)
    np.testing.assert_allclose(pose[:3, 2], [0, 0, -1], atol=1e-9)
    assert pose[2, 3] > 0.2

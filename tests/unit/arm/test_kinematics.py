from __future__ import annotations

import time

import mujoco
import numpy as np
import pytest

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.hand import OBSERVE_POSTURE, top_down
from mmrobot.arm.kinematics import ArmKinematics
from mmrobot.errors import InvalidConfigError, UnreachableError


@pytest.fixture(scope="module")
def kinematics() -> ArmKinematics:
    return ArmKinematics(arm_model())


def test_every_grasp_of_the_work_area_is_reached(kinematics: ArmKinematics) -> None:
    """The corners and a grid between them, from 1 cm to 30 cm high, at every direction of closing."""
    times = []
    for x in np.linspace(0.25, 0.65, 4):
        for y in np.linspace(-0.35, 0.35, 5):
            for z in (0.012, 0.15, 0.30):
                for yaw in np.arange(0.0, np.pi, np.pi / 4):
                    pose = top_down(x, y, z, yaw)
                    begin = time.process_time()
                    joints = kinematics.solve(pose, OBSERVE_POSTURE)
                    times.append(time.process_time() - begin)
                    assert kinematics.within_limits(joints)
                    np.testing.assert_allclose(kinematics.forward(joints), pose, atol=3e-3)
                    assert kinematics.collision(joints) is None
    assert np.median(times) < 0.02


def test_a_solution_is_found_again_from_nearby(kinematics: ArmKinematics) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        joints = np.array(OBSERVE_POSTURE) + rng.uniform(-0.4, 0.4, 6)
        found = kinematics.solve(kinematics.forward(joints), joints + rng.uniform(-0.05, 0.05, 6))
        np.testing.assert_allclose(found, joints, atol=0.05)


@pytest.mark.parametrize("x", [1.2, -1.5, 3.0])
def test_out_of_reach_is_refused_with_the_pose(kinematics: ArmKinematics, x: float) -> None:
    with pytest.raises(UnreachableError, match=f"{x:.3f}.*0.100") as caught:
        kinematics.solve(top_down(x, 0.0, 0.1, 0.0), OBSERVE_POSTURE)
    assert caught.value.fix


def test_within_reach_but_against_the_limits_is_refused(kinematics: ArmKinematics) -> None:
    inside_the_base = np.eye(4)
    inside_the_base[:3, 3] = (0.0, 0.0, 0.05)
    with pytest.raises(UnreachableError, match="no posture"):
        kinematics.solve(inside_the_base, OBSERVE_POSTURE)


def test_the_table_is_seen(kinematics: ArmKinematics) -> None:
    joints = kinematics.solve(top_down(0.45, 0.0, -0.02, 0.0), OBSERVE_POSTURE)
    what = kinematics.collision(joints)
    assert what is not None and "finger" in what and "table" in what


def test_the_arm_itself_is_seen(kinematics: ArmKinematics) -> None:
    # The hand folded back into the column.
    what = kinematics.collision([0.0, 0.5, 2.6, 0.0, 1.6, 0.0])
    assert what is not None and "touch" in what


def test_lowest_points_are_those_of_the_geometry(kinematics: ArmKinematics) -> None:
    """Against MuJoCo's own distance to a plane, in random postures."""
    rng = np.random.default_rng(0)
    model = arm_model()
    data = mujoco.MjData(model)
    for _ in range(20):
        joints = rng.uniform(kinematics.lower, kinematics.upper)
        data.qpos[:6] = joints
        mujoco.mj_kinematics(model, data)
        kinematics.forward(joints)
        for geom in kinematics._moving:
            points = surface(model, data, geom, rng)
            assert kinematics._lowest_z(geom) <= points[:, 2].min() + 1e-9
            assert kinematics._lowest_z(geom) > points[:, 2].min() - 0.02


def surface(model: mujoco.MjModel, data: mujoco.MjData, geom: int, rng: np.random.Generator) -> np.ndarray:
    """(N, 3) points of a primitive's surface in the world."""
    directions = rng.normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    size, kind = model.geom_size[geom], model.geom_type[geom]
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        local = np.sign(directions) * size
    elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        local = directions * size[0] + np.sign(directions[:, 2:]) * [0, 0, size[1]]
    else:
        around = directions[:, :2] / np.linalg.norm(directions[:, :2], axis=1, keepdims=True)
        local = np.column_stack([around * size[0], np.sign(directions[:, 2]) * size[1]])
    return local @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]


def test_a_model_without_the_arm_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="shoulder_pan_joint"):
        ArmKinematics(mujoco.MjModel.from_xml_string("<mujoco><worldbody/></mujoco>"))

"""SDF is read as it is meant: poses, inertias, axes, limits, friction, sensors, controllers."""

from __future__ import annotations

import math
from pathlib import Path

import mujoco
import numpy as np
import pytest

from mmrobot.simulator.files import MODELS_FOLDER, WORLD_FILE
from mmrobot.simulator.mjcf import build_world, compile_models
from mmrobot.simulator.sdf_model import World
from mmrobot.simulator.sdf_parse import parse_model, parse_world
from tests.support.sdf_samples import BOX, INERTIAL, link, model, world

CHAIN = model(
    f"<pose>1 0 0 0 0 {math.pi / 2}</pose>"
    f"<link name='a'>{INERTIAL}</link>"
    f"<frame name='mark' attached_to='a'><pose>0 0 1 0 0 0</pose></frame>"
    f"<link name='b'><pose relative_to='mark'>2 0 0 0 0 0</pose>{INERTIAL}</link>"
    "<joint name='root' type='fixed'><parent>world</parent><child>a</child></joint>"
    "<joint name='slide' type='prismatic'><pose relative_to='mark'>0 0 0 0 0 0</pose><parent>a</parent>"
    "<child>b</child><axis><xyz expressed_in='__model__'>1 0 0</xyz><limit><lower>-1</lower><upper>1</upper>"
    "<effort>5</effort></limit><dynamics><damping>3</damping><friction>0.5</friction></dynamics></axis></joint>"
)


def _compiled(text: str) -> tuple[mujoco.MjModel, mujoco.MjData]:
    compiled = compile_models([parse_model(text)])
    data = mujoco.MjData(compiled)
    mujoco.mj_forward(compiled, data)
    return compiled, data


def test_poses_follow_relative_to_and_frames() -> None:
    _, data = _compiled(CHAIN)
    assert np.allclose(data.body("a").xpos, [1, 0, 0])
    # Two along the model's x, which points along the world's y, and one up.
    assert np.allclose(data.body("b").xpos, [1, 2, 1])
    assert np.allclose(data.site("mark").xpos, [1, 0, 1])


def test_joints_keep_axis_limits_and_dynamics() -> None:
    compiled, data = _compiled(CHAIN)
    joint = compiled.joint("slide")
    assert np.allclose(data.joint("slide").xaxis, [0, 1, 0])
    assert np.allclose(joint.range, [-1, 1])
    assert np.ravel(joint.damping)[0] == 3
    assert np.ravel(joint.frictionloss)[0] == 0.5
    assert parse_model(CHAIN).joints[1].effort == 5


def test_inertia_keeps_its_tensor() -> None:
    text = model(
        "<link name='a'><inertial><pose>0.1 0 0 0 0 0</pose><mass>2</mass><inertia><ixx>0.03</ixx>"
        "<iyy>0.02</iyy><izz>0.04</izz><ixy>0.004</ixy><ixz>-0.002</ixz><iyz>0.001</iyz></inertia></inertial></link>"
    )
    compiled, data = _compiled(text)
    axes = np.zeros(9)
    mujoco.mju_quat2Mat(axes, compiled.body("thing").iquat)
    axes = axes.reshape(3, 3)
    tensor = axes @ np.diag(compiled.body("thing").inertia) @ axes.T
    assert np.allclose(
        tensor, [[0.03, 0.004, -0.002], [0.004, 0.02, 0.001], [-0.002, 0.001, 0.04]], atol=1e-9
    )
    assert compiled.body("thing").mass == 2
    assert np.allclose(data.body("thing").xipos, [0.1, 0, 0])


def test_a_free_model_falls_and_a_static_one_stays() -> None:
    loose, fixed = parse_model(model(link())), parse_model(model(link() + "<static>true</static>", "still"))
    built = build_world(World(models=(loose, fixed)))
    compiled = built.spec.compile()
    data = mujoco.MjData(compiled)
    mujoco.mj_step(compiled, data, 100)
    assert data.body("thing").xpos[2] < -0.1
    assert data.body("still").xpos[2] == 0
    assert built.roots == {"thing": "thing"}


def test_friction_is_read_in_all_three_kinds() -> None:
    surface = (
        "<surface><friction><ode><mu>0.8</mu><mu2>0.8</mu2></ode><torsional><coefficient>0.5</coefficient>"
        "<patch_radius>0.006</patch_radius></torsional><bullet><rolling_friction>0.001</rolling_friction></bullet>"
        "</friction></surface>"
    )
    compiled, _ = _compiled(model(link(f"<collision name='c'>{BOX}{surface}</collision>")))
    assert np.allclose(compiled.geom_friction[0], [0.8, 0.5 * 0.006 * 3 * math.pi / 16, 0.001])
    assert compiled.geom_condim[0] == 6


def test_nested_models_join_under_their_names(tmp_path: Path) -> None:
    inner = model(link(name="tip"), "inner")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "model.sdf").write_text(inner)
    text = (
        f"<sdf><model name='outer'>{link()}<include><uri>model://inner</uri><name>hand</name>"
        "<pose>0 0 1 0 0 0</pose></include><joint name='grip' type='fixed'><parent>body</parent>"
        "<child>hand::tip</child></joint></model></sdf>"
    )
    compiled = compile_models([parse_model(text, model_folders=(tmp_path,))])
    data = mujoco.MjData(compiled)
    mujoco.mj_kinematics(compiled, data)
    assert np.allclose(data.body("hand::tip").xpos, [0, 0, 1])


def test_links_of_one_model_do_not_touch_each_other_unless_it_says_so() -> None:
    parts = [
        f"<link name='{n}'><pose>0 0 {0.01 * i} 0 0 0</pose>{INERTIAL}"
        f"<collision name='c'>{BOX}</collision></link>"
        for i, n in enumerate("abc")
    ]
    joints = "".join(
        f"<joint name='j{c}' type='revolute'><parent>a</parent><child>{c}</child>"
        "<axis><xyz>0 0 1</xyz></axis></joint>"
        for c in "bc"
    )
    for collide, contacts in (("false", False), ("true", True)):
        text = model(f"<self_collide>{collide}</self_collide>{''.join(parts)}{joints}")
        _, data = _compiled(text)
        assert (data.ncon > 0) is contacts


def test_light_scene_and_step_are_read(tmp_path: Path) -> None:
    path = tmp_path / "w.sdf"
    path.write_text(
        world(
            "<physics><max_step_size>0.004</max_step_size></physics><gravity>0 0 -1.6</gravity>"
            "<scene><ambient>0.1 0.2 0.3 1</ambient><background>1 1 1 1</background></scene>"
            "<light name='l' type='spot'><pose>0 0 2 0 0 0</pose><diffuse>0.5 0.4 0.3 1</diffuse><intensity>"
            "0.5</intensity><cast_shadows>true</cast_shadows><spot><outer_angle>0.6</outer_angle></spot></light>"
            f"<model name='m'><static>true</static>{link()}</model>"
        )
    )
    compiled = build_world(parse_world(path)).spec.compile()
    assert compiled.opt.timestep == 0.004
    assert np.allclose(compiled.opt.gravity, [0, 0, -1.6])
    assert np.allclose(compiled.vis.headlight.ambient, [0.1, 0.2, 0.3])
    assert np.allclose(compiled.light_diffuse[0], [0.25, 0.2, 0.15])
    assert compiled.light_castshadow[0]
    assert compiled.light_cutoff[0] == pytest.approx(math.degrees(0.6))


def test_the_shipped_world_and_every_shipped_model_load() -> None:
    compiled = build_world(parse_world(WORLD_FILE)).spec.compile()
    assert compiled.ncam == 1
    folders = sorted(path.parent for path in MODELS_FOLDER.glob("*/model.sdf"))
    assert len(folders) >= 9
    for folder in folders:
        assert compile_models([parse_model(folder / "model.sdf")]).nbody > 1


def test_the_arms_controllers_say_which_joints_are_commanded() -> None:
    arm = parse_model(MODELS_FOLDER / "arm" / "model.sdf")
    commanded = {command.joint: command.controller for command in arm.commands}
    assert sorted(commanded.values()) == ["position"] * 2 + ["trajectory"] * 6
    assert commanded["gripper_left_joint"] == "position"

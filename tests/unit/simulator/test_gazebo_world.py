"""The generated worlds: what both dialects hold, where they differ; the embedded simulator reads one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from mmrobot.arm.hand import ARM_JOINTS, GRIPPER_JOINTS
from mmrobot.errors import InvalidConfigError, UnsupportedSdfError
from mmrobot.simulator.gazebo.arm import ARM_GAINS, FINGER_GAINS
from mmrobot.simulator.gazebo.elements import child, named, read_pose, write_pose
from mmrobot.simulator.gazebo.frames import arm_frames, camera_pose
from mmrobot.simulator.gazebo.world import STEP_S, Dialect, gazebo_world
from mmrobot.simulator.sdf_parse import parse_world
from mmrobot.simulator.sdf_plugins import POSITION, TRAJECTORY
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene

SCENE = Scene.from_dict(
    {
        "seed": 7,
        "objects": [
            {"id": "red_cube", "shape": "cube", "color": "red", "position": [0.42, 0.10], "label": "A7"},
            {"id": "blue_bowl", "shape": "bowl", "color": "blue", "position": [0.50, -0.15]},
            {"id": "green_pill", "shape": "capsule", "color": "green", "position": [0.36, -0.05]},
        ],
    },
    "test",
)


def world_of(dialect: Dialect, **options) -> ET.Element:
    return child(ET.fromstring(gazebo_world(SCENE, dialect, **options)), "world")


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_world_holds_arm_table_camera_and_objects(dialect: Dialect) -> None:
    names = [model.get("name") for model in world_of(dialect).findall("model")]
    assert sorted(names) == sorted(["arm", "table", "camera", "floor", "red_cube", "blue_bowl", "green_pill"])


def test_the_embedded_simulator_reads_harmonics_world(tmp_path: Path) -> None:
    """So nothing in it is anything else than in the world that it reads itself."""
    path = tmp_path / "table.sdf"
    path.write_text(gazebo_world(SCENE))
    world = parse_world(path)
    assert {m.name for m in world.models} >= {"arm", "red_cube"}
    assert world.timestep_s == STEP_S


def test_camera_and_pace_are_as_asked() -> None:
    world = world_of(Dialect.HARMONIC, camera_rate_hz=5.0, real_time_factor=0.5)
    assert world.findtext(".//sensor/update_rate") == "5"
    assert world.findtext("physics/real_time_factor") == "0.5"
    classic = world_of(Dialect.CLASSIC, real_time_factor=0.5)
    assert float(classic.findtext("physics/real_time_update_rate") or 0) == 0.5 / STEP_S


@pytest.mark.parametrize("options", [{"camera_rate_hz": 0.0}, {"real_time_factor": -1.0}])
def test_rates_that_are_none_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidConfigError, match=next(iter(options))):
        gazebo_world(SCENE, **options)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("model://arm", "model://leg", "model://arm"),
        ('type="rgbd_camera"', 'type="camera"', "rgbd_camera"),
        ('<model name="table">', '<model name="desk">', "table"),
        ("</world>", "", "no XML"),
    ],
)
def test_a_world_that_lacks_a_part_is_refused(tmp_path: Path, old: str, new: str, text: str) -> None:
    from mmrobot.simulator.files import WORLD_FILE

    path = tmp_path / "world.sdf"
    path.write_text(WORLD_FILE.read_text().replace(old, new))
    with pytest.raises(UnsupportedSdfError, match=text):
        gazebo_world(SCENE, world=path)


def test_the_trajectory_controller_names_everything_of_each_joint() -> None:
    plugins = [
        p
        for p in named(world_of(Dialect.HARMONIC), "model", "arm").iter("plugin")
        if p.get("name") == TRAJECTORY
    ]
    (plugin,) = plugins
    tags = {e.tag for e in plugin} - {"topic", "use_header_start_time"}
    assert [e.text for e in plugin.findall("joint_name")] == list(ARM_JOINTS)
    # The controller reads the n-th of each tag for joint n: as many of each as joints.
    assert {tag: len(plugin.findall(tag)) for tag in tags} == dict.fromkeys(tags, len(ARM_JOINTS))
    efforts = {
        j.get("name"): float(j.findtext("axis/limit/effort") or 0)
        for j in named(world_of(Dialect.HARMONIC), "model", "arm").findall("joint")
        if j.get("type") != "fixed"
    }
    assert all(ARM_GAINS[name].limit <= efforts[name] for name in ARM_JOINTS)
    assert all(FINGER_GAINS.limit <= efforts[name] for name in GRIPPER_JOINTS)


def test_the_arm_carries_no_weight_and_tells_of_its_movable_joints() -> None:
    arm = named(world_of(Dialect.HARMONIC), "model", "arm")
    assert {link.findtext("gravity") for link in arm.findall("link")} == {"false"}
    (states,) = [p for p in arm.findall("plugin") if "JointStatePublisher" in p.get("name", "")]
    assert [e.text for e in states.findall("joint_name")] == [*ARM_JOINTS, *GRIPPER_JOINTS]


def test_classic_has_nothing_that_gazebo_11_does_not_know() -> None:
    root = ET.fromstring(gazebo_world(SCENE, Dialect.CLASSIC, socket="/run/socket"))
    tags = {e.tag for e in root.iter()}
    assert root.get("version") == "1.7"
    assert not tags & {"capsule", "pbr", "gz_frame_id", "optical_frame_id"}
    assert {s.get("type") for s in root.iter("sensor")} == {"camera", "depth"}
    (plugin,) = list(root.iter("plugin"))
    assert plugin.findtext("socket") == "/run/socket"
    world = child(root, "world")
    assert world.get("name") not in {m.get("name") for m in world.findall("model")}


def test_classics_controllers_are_harmonics_word_for_word() -> None:
    harmonic = {
        p.findtext("topic"): [(e.tag, e.text) for e in p]
        for p in named(world_of(Dialect.HARMONIC), "model", "arm").findall("plugin")
        if p.get("name") in (TRAJECTORY, POSITION)
    }
    bridge = child(named(world_of(Dialect.CLASSIC, socket="/s"), "model", "arm"), "plugin")
    classic = {
        e.findtext("topic"): [(x.tag, x.text) for x in e] for e in bridge if e.tag.endswith("_controller")
    }
    strip = {k: [(t, (x or "").strip()) for t, x in v] for k, v in harmonic.items()}
    assert {k: [(t, (x or "").strip()) for t, x in v] for k, v in classic.items()} == strip
    assert len(strip) == 3


def test_a_capsule_becomes_a_cylinder_between_two_balls() -> None:
    arm = named(world_of(Dialect.CLASSIC), "model", "arm")
    link = named(arm, "link", "upper_arm_link")
    tube = named(link, "collision", "tube")
    assert float(tube.findtext("geometry/cylinder/length") or 0) == pytest.approx(0.42)
    heights = [
        read_pose(named(link, "collision", f"tube_{end}").findtext("pose"))[2, 3] for end in ("top", "bottom")
    ]
    assert heights == pytest.approx([0.42, 0.0])


def test_poses_survive_being_written() -> None:
    pose = read_pose("1 2 3 0.1 -0.2 0.3")
    assert read_pose(write_pose(pose)) == pytest.approx(pose)
    assert read_pose(None) == pytest.approx(np.eye(4))


@pytest.mark.parametrize("seed", [0, 7, 1_000_003])
def test_the_camera_stands_where_the_embedded_simulator_has_it(seed: int) -> None:
    scene = Scene(seed=seed)
    with Simulator(scene=scene, camera_noise=False) as simulator:
        T_base_optical = simulator.render_true().T_base_camera
    optical_in_link = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    expected = T_base_optical.copy()
    expected[:3, :3] = T_base_optical[:3, :3] @ optical_in_link.T
    assert camera_pose(scene) == pytest.approx(expected, abs=1e-5)


def test_frames_of_links_are_the_embedded_simulators() -> None:
    with Simulator(scene=Scene(), camera_noise=False) as simulator:
        state = simulator.joint_state()
        frames = {f.child: f for f in arm_frames(dict(zip(state.names, state.positions, strict=True)))}
        for link in simulator.link_poses():
            assert frames[link.child].parent == link.parent
            assert frames[link.child].pose == pytest.approx(link.pose, abs=1e-4), link.child

"""What the embedded simulator does not support is refused, with file, element and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.errors import UnsupportedSdfError
from mmrobot.simulator.mjcf import build_world
from mmrobot.simulator.sdf_model import World
from mmrobot.simulator.sdf_parse import parse_model, parse_world, with_models
from tests.support.sdf_samples import BOX, INERTIAL, link, model, world

VISUAL = f"<visual name='v'>{BOX}</visual>"

BAD_MODELS = {
    "unknown element": (model(link("<laser/>")), "/sdf/model[thing]/link[body]/laser"),
    "unknown shape": (
        model(link("<visual name='v'><geometry><heightmap/></geometry></visual>")),
        "/sdf/model[thing]/link[body]/visual[v]/geometry/heightmap",
    ),
    "size of zero": (
        model(link("<visual name='v'><geometry><sphere><radius>0</radius></sphere></geometry></visual>")),
        "sphere/radius",
    ),
    "text for a number": (
        model(link("<visual name='v'><geometry><sphere><radius>big</radius></sphere></geometry></visual>")),
        "'big'",
    ),
    "no shape": (model(link("<visual name='v'><geometry/></visual>")), "geometry is empty"),
    "mesh of another kind": (
        model(link("<visual name='v'><geometry><mesh><uri>a.dae</uri></mesh></geometry></visual>")),
        "a.dae",
    ),
    "no links": (model(""), "has no links"),
    "link without a name": (model(f"<link>{INERTIAL}</link>"), "no name"),
    "two links of one name": (model(link() + link()), "repeats the name 'body'"),
    "sensor of another kind": (model(link("<sensor name='s' type='gpu_lidar'/>")), "gpu_lidar"),
    "unknown plugin": (model(link() + "<plugin filename='x' name='gz::sim::systems::Wind'/>"), "Wind"),
    "attaching plugin": (
        model(link() + "<plugin name='gz::sim::systems::DetachableJoint'/>"),
        "DetachableJoint",
    ),
    "controller of no joint": (
        model(
            link()
            + "<plugin name='gz::sim::systems::JointPositionController'><joint_name>j</joint_name></plugin>"
        ),
        "'j'",
    ),
    "unknown joint": (
        model(
            link()
            + link(name="b")
            + "<joint name='j' type='ball'><parent>body</parent><child>b</child></joint>"
        ),
        "'ball'",
    ),
    "joint of no link": (
        model(link() + "<joint name='j' type='fixed'><parent>body</parent><child>gone</child></joint>"),
        "'gone'",
    ),
    "pose to nothing": (
        model(f"<link name='a'><pose relative_to='gone'>0 0 0 0 0 0</pose>{INERTIAL}</link>"),
        "'gone'",
    ),
    "pose in a circle": (
        model(
            f"<link name='a'><pose relative_to='b'>0 0 0 0 0 0</pose>{INERTIAL}</link>"
            f"<link name='b'><pose relative_to='a'>0 0 0 0 0 0</pose>{INERTIAL}</link>"
        ),
        "depends on itself",
    ),
    "impossible inertia": (
        model(
            "<link name='a'><inertial><mass>1</mass><inertia><ixx>1</ixx><iyy>1</iyy><izz>9</izz></inertia>"
            "</inertial></link>"
        ),
        "principal moments",
    ),
    "automatic inertia": (model("<link name='a'><inertial auto='true'/></link>"), "automatic"),
    "unequal friction": (
        model(
            link(
                f"<collision name='c'>{BOX}<surface><friction><ode><mu>1</mu><mu2>2</mu2></ode></friction>"
                "</surface></collision>"
            )
        ),
        "mu2",
    ),
    "limits crossed": (
        model(
            link()
            + link(name="b")
            + "<joint name='j' type='revolute'><parent>body</parent><child>b</child><axis><limit>"
            "<lower>1</lower><upper>-1</upper></limit></axis></joint>"
        ),
        "above upper",
    ),
    "limit on one side": (
        model(
            link()
            + link(name="b")
            + "<joint name='j' type='revolute'><parent>body</parent><child>b</child><axis><limit>"
            "<lower>1</lower></limit></axis></joint>"
        ),
        "one side",
    ),
    "mimicking joint": (
        model(
            link()
            + link(name="b")
            + "<joint name='j' type='revolute'><parent>body</parent><child>b</child><axis>"
            "<mimic joint='i'/></axis></joint>"
        ),
        "mimic",
    ),
    "not well-formed": ("<sdf><model>", "not well-formed"),
    "not SDF": ("<robot name='urdf'/>", "is not SDF"),
    "two models": (
        f"<sdf><model name='a'>{link()}</model><model name='b'>{link()}</model></sdf>",
        "2 models",
    ),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_models_are_refused_by_name(name: str) -> None:
    text, told = BAD_MODELS[name]
    with pytest.raises(UnsupportedSdfError) as error:
        parse_model(text)
    assert told in error.value.message
    assert error.value.fix


BAD_WORLDS = {
    "unknown element": ("<wind/>", "/sdf/world[w]/wind"),
    "missing include": ("<include><uri>model://nowhere</uri></include>", "model://nowhere"),
    "uri of another kind": ("<include><uri>https://fuel/arm</uri></include>", "https://fuel/arm"),
    "step too long": ("<physics><max_step_size>0.5</max_step_size></physics>", "0.5"),
    "light of another kind": ("<light name='l' type='laser'/>", "laser"),
    "unknown plugin": ("<plugin name='gz::sim::systems::Buoyancy'/>", "Buoyancy"),
}


@pytest.mark.parametrize("name", BAD_WORLDS)
def test_worlds_are_refused_by_name(name: str, tmp_path: Path) -> None:
    inside, told = BAD_WORLDS[name]
    path = tmp_path / "bad.sdf"
    path.write_text(world(inside))
    with pytest.raises(UnsupportedSdfError) as error:
        parse_world(path)
    assert told in error.value.message
    assert str(path) in error.value.message
    assert error.value.fix


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedSdfError, match="cannot be read"):
        parse_world(tmp_path / "none.sdf")


BAD_TREES = {
    "no inertial": (model("<link name='a'/>"), "no <inertial>"),
    "links apart": (model(link() + link(name="b")), "by no joint"),
    "two parents": (
        model(
            link()
            + link(name="b")
            + link(name="c")
            + "<joint name='j' type='fixed'><parent>body</parent><child>c</child></joint>"
            + "<joint name='k' type='fixed'><parent>b</parent><child>c</child></joint>"
        ),
        "child of two joints",
    ),
    "a circle": (
        model(
            link()
            + link(name="b")
            + link(name="c")
            + "<joint name='j' type='fixed'><parent>b</parent><child>c</child></joint>"
            + "<joint name='k' type='fixed'><parent>c</parent><child>b</child></joint>"
        ),
        "circle",
    ),
}


@pytest.mark.parametrize("name", BAD_TREES)
def test_trees_that_do_not_hang_together_are_refused(name: str) -> None:
    text, told = BAD_TREES[name]
    with pytest.raises(UnsupportedSdfError, match=told):
        build_world(World(models=(parse_model(text),)))


def test_two_models_of_one_name_are_refused() -> None:
    one = parse_model(model(link()))
    with pytest.raises(UnsupportedSdfError, match="two models named 'thing'"):
        with_models(World(models=(one,)), [one])


def test_a_hollow_collision_mesh_is_refused() -> None:
    text = model(
        link(
            "<collision name='c'><geometry><mesh><uri>model://bowl/meshes/bowl.obj</uri></mesh></geometry></collision>"
        )
    )
    with pytest.raises(UnsupportedSdfError, match="hollow or concave"):
        build_world(World(models=(parse_model(text),)))

"""Scenes and episodes: what is right is read, what is wrong names file, field, value and fix."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, dump_episodes, load_episodes, parse_when
from mmrobot.tabletop.objects import COLORS, SHAPES, SIZES, dimensions
from mmrobot.tabletop.scene import Scene, SceneObject, overlap

GOOD = {
    "name": "red_in_blue_bowl",
    "family": "put_in",
    "level": "L0",
    "scene": {
        "seed": 7,
        "objects": [
            {"id": "red_cube", "shape": "cube", "color": "red", "position": [0.42, 0.10], "yaw": 0.3},
            {"id": "blue_bowl", "shape": "bowl", "color": "blue", "position": [0.50, -0.15]},
            {"id": "tray", "shape": "tray", "color": "grey", "position": [0.55, 0.24], "label": "A7"},
        ],
    },
    "instruction": "put the red cube in the blue bowl",
    "followups": [{"when": "step:1", "say": "no, the other one"}],
    "disturb": [{"when": "step:0", "move": {"id": "red_cube", "position": [0.30, 0.2]}}],
    "expect": {
        "outcome": "success",
        "goal": ["in(red_cube, blue_bowl)"],
        "unchanged": ["tray"],
        "answer": [],
    },
}


def test_contract_example_is_read_and_written_back(tmp_path: Path) -> None:
    path = tmp_path / "episodes.yaml"
    path.write_text(yaml.safe_dump([GOOD]))
    (episode,) = load_episodes(path)
    assert episode.scene.by_id["blue_bowl"].size == "large"
    assert episode.scene.by_id["red_cube"].size == "small"
    assert episode.disturb[0].move.position == (0.30, 0.2)
    path.write_text(dump_episodes([episode]))
    assert load_episodes(path) == [episode]


def _set(path: str, value: object):  # type: ignore[no-untyped-def]
    def change(data: dict) -> None:  # type: ignore[type-arg]
        *parents, last = [int(k) if k.isdigit() else k for k in path.split("/")]
        for key in parents:
            data = data[key]
        data[last] = value

    return change


FAULTS = [
    ("scene/objects/0/shape", "cub", "scene: objects[0].shape: 'cub'", "'cube'"),
    ("scene/objects/0/color", "rde", "objects[0].color: 'rde'", "'red'"),
    ("scene/objects/0/size", "huge", "objects[0].size: 'huge'", "small, large"),
    ("scene/objects/0/colour", "red", "scene.objects[0].colour: unknown key", "Remove"),
    ("scene/objects/0/position", [0.42], "scene.objects[0].position[1]: missing", "Add"),
    ("scene/objects/0/position", "here", "scene.objects[0].position: 'here'", "Correct"),
    ("scene/objects/0/position", [0.42, 3.0], "position: [0.42, 3.0]", "Keep all of it"),
    ("scene/objects/0/position", [0.03, 0.03], "arm's foot", "clear of (0, 0)"),
    ("scene/objects/0/position", [0.42, 0.1, -0.1], "z = -0.1", "z from 0"),
    ("scene/objects/0/position", [float("nan"), 0.1], "nan", "finite"),
    ("scene/objects/0/position", [0.5, -0.1], "'red_cube' at [0.5, -0.1] and 'blue_bowl'", "Move one"),
    (
        "scene/objects/0/id",
        "blue_bowl",
        "objects[1].id: 'blue_bowl' is already the id of objects[0]",
        "own id",
    ),
    ("scene/objects/0/id", "red cube!", "'red cube!'", "letters"),
    ("scene/objects/1/label", "B2", "'B2' on a bowl", "cube, tray"),
    ("scene/objects/2/label", "longer", "'longer'", "1 to 4"),
    ("scene/objects/2/label", 7, "scene.objects[2].label: 7", "Correct"),
    ("scene/seed", "x", "scene.seed: 'x'", "Correct"),
    ("scene/seed", -1, "seed: -1", "0 or more"),
    ("scene/objects", None, "scene.objects: None", "Correct"),
    ("name", " ", "name: ' '", "name"),
    ("extra", 1, "extra: unknown key", "Remove"),
    ("instruction", 5, "instruction: 5", "Correct"),
    ("expect/outcome", "sucess", "'sucess'", "'success'"),
    ("expect/outcome", "answer", "expect.answer: empty", "List"),
    ("expect/goal", ["in(red_cub, blue_bowl)"], "expect.goal[0]: 'red_cub'", "'red_cube'"),
    ("expect/goal", ["inn(red_cube, blue_bowl)"], "'inn'", "'in'"),
    ("expect/goal", ["in(red_cube)"], "1 arguments", "2 object(s)"),
    ("expect/goal", ["red cube in bowl"], "no predicate", "in(a, b)"),
    ("expect/goal", ["near(red_cube, blue_bowl, far)"], "far", "metres"),
    ("expect/goal", ["near(red_cube, blue_bowl, -1)"], "-1", "above 0"),
    ("expect/unchanged", ["bowl"], "expect.unchanged: 'bowl'", "'blue_bowl'"),
    ("followups/0/when", "step", "followups[0].when: 'step'", "step:N"),
    ("followups/0/when", "step:x", "'x' is no number", "step:N"),
    ("followups/0/when", "seconds:-1", "seconds:-1", "from 0"),
    ("disturb/0/when", "later", "'later'", "plan"),
    ("disturb/0/move/id", "cup", "disturb[0].move.id: 'cup'", "scene has"),
    ("disturb/0/move/position", [9, 9], "disturb[0].move.position", "Keep"),
    ("disturb/0/move/position", [float("inf"), 0], "inf", "finite"),
]


@pytest.mark.parametrize(("path", "value", "says", "fix"), FAULTS)
def test_fault_names_file_episode_field_value_and_fix(
    tmp_path: Path, path: str, value: object, says: str, fix: str
) -> None:
    data = copy.deepcopy(GOOD)
    _set(path, value)(data)
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump([data]))
    with pytest.raises(InvalidSceneError) as caught:
        load_episodes(file)
    assert "bad.yaml: episode" in caught.value.message
    assert says in caught.value.message
    assert fix in caught.value.fix


@pytest.mark.parametrize("key", ["name", "scene", "instruction"])
def test_missing_key_is_named(key: str) -> None:
    data = {k: v for k, v in GOOD.items() if k != key}
    with pytest.raises(InvalidSceneError, match=f"{key}: missing"):
        Episode.from_dict(data)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds nothing"),
        (b"[]", "holds nothing"),
        (b"name: x", "holds dict"),
        (b"- [1", "line 1, column 5"),
        (b"- a: b: c", "not YAML"),
        (b"- 5", "the whole"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"- !!python/object:os.system {}", "not YAML"),
    ],
)
def test_defective_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    with pytest.raises(InvalidSceneError, match="bad.yaml") as caught:
        load_episodes(file)
    assert says in caught.value.message
    assert caught.value.fix


def test_absent_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidSceneError, match="no such file"):
        load_episodes(tmp_path / "none.yaml")
    with pytest.raises(InvalidSceneError, match="is a folder"):
        load_episodes(tmp_path)


def test_names_in_a_file_are_distinct(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text(yaml.safe_dump([GOOD, GOOD]))
    with pytest.raises(InvalidSceneError, match=r"already the name of episode \[0\]"):
        load_episodes(file)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
PATHS = sorted(
    {path for path, *_ in FAULTS} | {"scene", "expect", "followups", "disturb/0/move", "scene/objects/0"}
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATHS), anything)
def test_any_value_anywhere_is_read_or_named(path: str, value: object) -> None:
    data = copy.deepcopy(GOOD)
    _set(path, value)(data)
    try:
        episode = Episode.from_dict(data, "fuzz")
    except InvalidSceneError as e:
        assert e.message.startswith("fuzz: ") and e.fix
    else:
        assert Episode.from_dict(episode.to_dict()).name == episode.name


def test_moments() -> None:
    assert parse_when("plan").moment == "plan"
    assert parse_when("step:2").value == 2
    assert parse_when("seconds:1.5").value == 1.5


def test_cube_in_bowl_and_on_cube_do_not_overlap() -> None:
    bowl = SceneObject("bowl", "bowl", "blue", "large", (0.5, 0.0))
    cube = SceneObject("cube", "cube", "red", "small", (0.5, 0.0, 0.008))
    through_floor = SceneObject("cube", "cube", "red", "small", (0.5, 0.0, 0.0))
    in_wall = SceneObject("cube", "cube", "red", "small", (0.55, 0.0, 0.01))
    on_cube = SceneObject("upper", "cube", "green", "small", (0.5, 0.0, 0.048))
    assert not overlap(bowl, cube)
    assert overlap(bowl, through_floor)
    assert overlap(bowl, in_wall)
    assert not overlap(cube, on_cube)


def test_every_shape_has_both_sizes_and_large_is_larger() -> None:
    for shape in SHAPES:
        small, large = (np.prod(dimensions(shape, s).size_m) for s in SIZES)
        assert large > 1.2 * small


def test_colours_differ() -> None:
    """The nearest two are further apart than light and noise move a colour (0.2 in sRGB)."""
    values = np.array(list(COLORS.values()))
    distances = np.linalg.norm(values[:, None] - values[None], axis=-1) + np.eye(len(values))
    assert distances.min() > 0.2


def test_too_many_objects_are_refused() -> None:
    row = [
        {
            "id": f"c{i}",
            "shape": "cube",
            "color": "red",
            "position": [0.3 + 0.06 * (i % 5), -0.3 + 0.06 * (i // 5)],
        }
        for i in range(25)
    ]
    with pytest.raises(InvalidSceneError, match="25 objects"):
        Scene.from_dict({"seed": 0, "objects": row})

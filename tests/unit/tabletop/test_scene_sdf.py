"""Objects as SDF: well-formed, true to their dimensions, honest inertia, committed files up to date."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mmrobot.tabletop.meshes import MODEL_COLORS, MODELS_DIR, model_files
from mmrobot.tabletop.objects import COLORS, DISTRACTORS, NAMELESS, ODDMENTS, SHAPES, SIZES, dimensions
from mmrobot.tabletop.parts import Part, collision_parts, inertial
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.tabletop.scene_sdf import MESH_SHAPES, object_sdf, scene_sdf

EVERY = [(shape, size) for shape in (*SHAPES, *NAMELESS) for size in SIZES]


def _corners(part: Part) -> np.ndarray:
    if part.kind == "box":
        half = np.array(part.size_m) / 2
    elif part.kind == "cylinder":
        half = np.array([part.size_m[0], part.size_m[0], part.size_m[1] / 2])
    else:
        half = np.full(3, part.size_m[0])
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    if part.kind != "box":  # the box around a round part: its faces' middles are on it
        signs = np.concatenate([np.eye(3), -np.eye(3)])
    return np.asarray(signs * half @ Rotation.from_euler("xyz", part.rpy).as_matrix().T + part.xyz_m)


@pytest.mark.parametrize(("shape", "size"), EVERY)
def test_parts_fill_the_outer_box(shape: str, size: str) -> None:
    dims = dimensions(shape, size)
    corners = np.concatenate([_corners(p) for p in collision_parts(shape, dims)])
    half = np.array(dims.size_m) / 2
    # A ring of flats is up to 2 % wider at its corners than the circle, and tilted walls have thickness.
    slack = 0.02 * half[0] + dims.wall_m if shape in MESH_SHAPES else 1e-9
    assert (np.abs(corners).max(0) <= half + slack).all()
    assert (np.abs(corners).max(0) >= half - slack).all()
    assert corners[:, 2].min() == pytest.approx(-half[2], abs=1e-9)


@pytest.mark.parametrize(("shape", "size"), EVERY)
def test_model_says_place_mass_and_colour(shape: str, size: str) -> None:
    obj = SceneObject("thing", shape, "purple", size, (0.4, 0.1), yaw=0.5)
    model = ET.fromstring(object_sdf(obj))
    assert model.get("name") == "thing"
    pose = [float(v) for v in model.findtext("pose", "").split()]
    assert pose == pytest.approx([0.4, 0.1, obj.dims.height_m / 2, 0, 0, 0.5], abs=1e-6)
    assert float(model.findtext("link/inertial/mass", "")) == pytest.approx(obj.dims.mass_kg)
    for visual in model.iterfind("link/visual"):
        diffuse = [float(v) for v in visual.findtext("material/diffuse", "").split()]
        assert diffuse[:3] == pytest.approx(COLORS["purple"], abs=1e-3)
    assert all(float(m.text or "") == 0.9 for m in model.iter("mu"))


@pytest.mark.parametrize(("shape", "size"), EVERY)
def test_inertia_is_physical(shape: str, size: str) -> None:
    dims = dimensions(shape, size)
    com, inertia = inertial(collision_parts(shape, dims), dims.mass_kg)
    a, b, c = np.linalg.eigvalsh(inertia)
    assert a > 0 and a + b >= c * (1 - 1e-9)
    lopsided = shape in ("wedge", "l_block", "t_block", "stairs", *ODDMENTS)
    assert np.abs(com[:2]).max() < (0.2 * max(dims.size_m) if lopsided else 1e-9)
    top_heavy = shape in ("arch", *ODDMENTS)
    assert -dims.height_m / 2 <= com[2] <= (0.1 * dims.height_m if top_heavy else 1e-9)
    # No thing is heavier to turn than the same mass at the corners of its outer box.
    assert c < dims.mass_kg * sum((s / 2) ** 2 for s in dims.size_m)


def test_inertia_of_solid_shapes_is_the_textbook_one() -> None:
    cube = dimensions("cube", "small")
    _, inertia = inertial(collision_parts("cube", cube), cube.mass_kg)
    assert inertia == pytest.approx(np.eye(3) * cube.mass_kg * 0.04**2 / 6)
    ball = dimensions("ball", "small")
    _, inertia = inertial(collision_parts("ball", ball), ball.mass_kg)
    assert inertia == pytest.approx(np.eye(3) * 0.4 * ball.mass_kg * 0.021**2)


def test_inertia_of_parts_adds_up() -> None:
    """A box in eight pieces has the inertia of the whole."""
    eighth = [
        Part(f"{x}{y}{z}", "box", (0.1, 0.2, 0.3), (x * 0.05, y * 0.1, z * 0.15))
        for x in (-1, 1)
        for y in (-1, 1)
        for z in (-1, 1)
    ]
    com, inertia = inertial(eighth, 2.0)
    expected = 2.0 * Part("whole", "box", (0.2, 0.4, 0.6)).unit_inertia()
    assert com == pytest.approx(np.zeros(3), abs=1e-12)
    assert inertia == pytest.approx(expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_committed_models_are_those_of_the_code(shape: str) -> None:
    for name, text in model_files(shape, MODEL_COLORS[shape]).items():
        assert (MODELS_DIR / shape / name).read_text(encoding="utf-8") == text, (
            "run python -m mmrobot.tabletop.meshes"
        )


@pytest.mark.parametrize("shape", MESH_SHAPES)
def test_meshes_are_closed_outward_and_of_the_right_size(shape: str) -> None:
    lines = (MODELS_DIR / shape / "meshes" / f"{shape}.obj").read_text().splitlines()
    points = np.array([[float(v) for v in s.split()[1:]] for s in lines if s.startswith("v ")])
    faces = np.array(
        [[int(c.split("//")[0]) - 1 for c in s.split()[1:]] for s in lines if s.startswith("f ")]
    )
    extent = points.max(0) - points.min(0)
    assert extent == pytest.approx(dimensions(shape, "small").size_m, abs=1e-4)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    # By place: a ring's seam has two points there, each with a normal of its own.
    places = {p.tobytes(): k for k, p in enumerate(points)}
    edges = np.array([places[points[i].tobytes()] for i in edges.ravel()]).reshape(-1, 2)
    assert {tuple(e) for e in edges} == {tuple(e[::-1]) for e in edges}
    p, q, r = (points[faces[:, i]] for i in range(3))
    volume = float(np.einsum("ij,ij->i", p, np.cross(q, r)).sum() / 6)
    assert 0 < volume < (0.8 if shape in DISTRACTORS else 0.5) * np.prod(extent)


def test_scene_gives_one_model_an_object() -> None:
    scene = Scene(0, (SceneObject("a", "cube", "red"), SceneObject("b", "bowl", "blue", "large", (0.5, 0.2))))
    assert [ET.fromstring(t).get("name") for t in scene_sdf(scene)] == ["a", "b"]


def test_only_rolling_shapes_roll() -> None:
    rolling = {
        s: float(
            next(ET.fromstring(object_sdf(SceneObject("x", s, "red"))).iter("rolling_friction")).text or ""
        )
        for s in SHAPES
    }
    assert {s for s, v in rolling.items() if v > 0} == {"ball", "cylinder"}

"""Makes the meshes: bowl, cup, plate and some distractors, the labels' plate; and the SDF models.

Run `python -m mmrobot.tabletop.meshes` after a change of dimensions; its files under sim/models are
committed, and a test holds them to this text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from mmrobot.tabletop.objects import DISTRACTORS, Dimensions, dimensions

MODELS_DIR = Path(__file__).resolve().parents[2] / "sim" / "models"
SEGMENTS = 40
LABEL_MESH = "label/meshes/label.obj"
_WALL_POINTS = 7
_RIM_POINTS = 3

Profile = list[tuple[float, float]]


def _bulge(shape: str) -> float:
    """How far the wall swells outwards of the straight line, as a share of its length."""
    return {"bowl": 0.05, "cup": 0.0, "plate": -0.03}[shape]


def profile(shape: str, dims: Dimensions) -> Profile:
    """The outline (radius, z) from the underside's middle up the outside, over the rim, to the floor's."""
    r0, r1 = dims.base_m[0] / 2, dims.size_m[0] / 2
    bottom, top = -dims.height_m / 2, dims.height_m / 2
    wall, floor = dims.wall_m, bottom + dims.floor_m
    length = math.hypot(r1 - r0, top - bottom)
    nr, nz = (top - bottom) / length, -(r1 - r0) / length
    swell = _bulge(shape) * length

    def outer(t: float) -> tuple[float, float]:
        s = swell * math.sin(math.pi * t)
        return (r0 + t * (r1 - r0) + s * nr, bottom + t * (top - wall / 2 - bottom) + s * nz)

    outside = [outer(i / (_WALL_POINTS - 1)) for i in range(_WALL_POINTS)]
    rim = [
        (r1 - wall / 2 + wall / 2 * math.cos(a), top - wall / 2 + wall / 2 * math.sin(a))
        for a in (math.pi * (k + 1) / (_RIM_POINTS + 1) for k in range(_RIM_POINTS))
    ]
    inside = [(r - wall, z) for r, z in reversed(outside) if z > floor + wall / 2]
    foot = inside[-1][0] - wall / 2
    return [(0.0, bottom), (r0 - 0.002, bottom), *outside[1:], *rim, *inside, (foot, floor), (0.0, floor)]


def _normals(points: Profile) -> list[tuple[float, float]]:
    """Outward normals (radius, z) at the outline's points, the mean of their two sides."""
    sides = []
    for (r0, z0), (r1, z1) in pairwise(points):
        length = math.hypot(r1 - r0, z1 - z0)
        sides.append(((z1 - z0) / length, -(r1 - r0) / length))
    out = [sides[0]]
    for (ar, az), (br, bz) in pairwise(sides):
        length = math.hypot(ar + br, az + bz)
        out.append(((ar + br) / length, (az + bz) / length))
    return [*out, sides[-1]]


def revolve(points: Profile, segments: int = SEGMENTS) -> str:
    """An OBJ file's text: the outline turned about z, closed, faces counter-clockwise from outside."""
    normals = _normals(points)
    vertices: list[tuple[float, float, float]] = []
    directions: list[tuple[float, float, float]] = []
    faces: list[tuple[int, int, int]] = []
    rings: list[Sequence[int]] = []
    for (r, z), (nr, nz) in zip(points, normals, strict=True):
        count = segments if r > 0 else 1
        rings.append(range(len(vertices) + 1, len(vertices) + 1 + count))
        for k in range(count):
            a = 2 * math.pi * k / segments
            vertices.append((r * math.cos(a), r * math.sin(a), z))
            directions.append((nr * math.cos(a), nr * math.sin(a), nz) if r > 0 else (0.0, 0.0, nz))
    for lower, upper in pairwise(rings):
        for k in range(segments):
            a, b = lower[k % len(lower)], lower[(k + 1) % len(lower)]
            c, d = upper[(k + 1) % len(upper)], upper[k % len(upper)]
            if a != b:
                faces.append((a, b, c))
            if c != d:
                faces.append((a, c, d))
    lines = ["v " + " ".join(f"{v:.5f}" for v in p) for p in vertices]
    lines += ["vn " + " ".join(f"{v:.3f}" for v in p) for p in directions]
    lines += ["f " + " ".join(f"{i}//{i}" for i in f) for f in faces]
    return "\n".join(lines) + "\n"


def flat_obj(vertices: Sequence[tuple[float, float, float]], faces: Sequence[Sequence[int]]) -> str:
    """An OBJ file's text of flat faces, each counter-clockwise from outside; indices from 0."""
    lines = ["v " + " ".join(f"{v:.5f}" for v in p) for p in vertices]
    for face in faces:
        a, b, c = (np.array(vertices[i]) for i in face[:3])
        normal = np.cross(b - a, c - a)
        lines.append("vn " + " ".join(f"{v + 0.0:.3f}" for v in normal / np.linalg.norm(normal)))
    for n, face in enumerate(faces, 1):
        lines += [
            f"f {face[0] + 1}//{n} {face[k] + 1}//{n} {face[k + 1] + 1}//{n}" for k in range(1, len(face) - 1)
        ]
    return "\n".join(lines) + "\n"


def _distractor_text(shape: str, dims: Dimensions) -> str:
    x, y, z = (v / 2 for v in dims.size_m)
    if shape == "cone":
        # Twice the tip, so that its sides keep their own normals.
        return revolve([(0.0, -z), (x, -z), (x, -z + 1e-4), (5e-4, z - 1e-4), (0.0, z)])
    if shape == "ring":
        inner = x / 2
        return revolve([(inner, z), (inner, -z), (x, -z), (x, z), (inner, z)])
    if shape == "wedge":
        corners = [(-x, -y, -z), (x, -y, -z), (x, y, -z), (-x, y, -z), (-x, -y, z), (-x, y, z)]
        return flat_obj(corners, [(0, 3, 2, 1), (0, 1, 4), (3, 5, 2), (1, 2, 5, 4), (0, 4, 5, 3)])
    if shape == "pyramid":
        corners = [(-x, -y, -z), (x, -y, -z), (x, y, -z), (-x, y, -z), (0.0, 0.0, z)]
        return flat_obj(corners, [(0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)])
    ring = [(x * math.cos(k * math.pi / 3), x * math.sin(k * math.pi / 3)) for k in range(6)]
    corners = [(*p, -z) for p in ring] + [(*p, z) for p in ring]
    sides = [(k, (k + 1) % 6, 6 + (k + 1) % 6, 6 + k) for k in range(6)]
    return flat_obj(corners, [tuple(reversed(range(6))), tuple(range(6, 12)), *sides])


def obj_text(shape: str) -> str:
    """The mesh of a shape at its small size, in metres, in the object's own frame."""
    if shape in DISTRACTORS:
        return _distractor_text(shape, dimensions(shape, "small"))
    return revolve(profile(shape, dimensions(shape, "small")))


def label_obj_text() -> str:
    """A unit box whose top shows a whole picture: its upper edge towards +x, its right edge towards -y."""
    corners = [(x, y, z) for z in (-0.5, 0.5) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += ["vt 0.01 0.01", *(f"vt {0.5 - y} {x + 0.5}" for x, y, z in corners if z > 0)]
    lines += ["vn 0 0 1", "vn 0 0 -1", "vn 1 0 0", "vn -1 0 0", "vn 0 1 0", "vn 0 -1 0"]
    top = ((5, 2), (7, 4), (8, 5), (6, 3))
    lines.append("f " + " ".join(f"{v}/{t}/1" for v, t in top))
    sides = (((1, 2, 4, 3), 2), ((3, 4, 8, 7), 3), ((2, 1, 5, 6), 4), ((4, 2, 6, 8), 5), ((1, 3, 7, 5), 6))
    lines += ["f " + " ".join(f"{v}/1/{n}" for v in face) for face, n in sides]
    return "\n".join(lines) + "\n"


_CONFIG = """<?xml version="1.0"?>
<model>
  <name>{shape}</name>
  <version>1.0</version>
  <sdf version="1.9">model.sdf</sdf>
  <author><name>mmrobot</name></author>
  <description>A small {color} {shape} of the table world; scenes make theirs from YAML.</description>
</model>
"""


def model_files(shape: str, color: str) -> dict[str, str]:
    """Paths under sim/models/<shape> and their text: a model for Gazebo to include, and its mesh if any."""
    from mmrobot.tabletop.scene import SceneObject
    from mmrobot.tabletop.scene_sdf import MESH_SHAPES, object_sdf

    model = object_sdf(SceneObject(shape, shape, color, "small", (0.0, 0.0)))
    files = {
        "model.config": _CONFIG.format(shape=shape, color=color),
        "model.sdf": f'<?xml version="1.0"?>\n<sdf version="1.9">\n{model}\n</sdf>\n',
    }
    if shape in MESH_SHAPES:
        files[f"meshes/{shape}.obj"] = obj_text(shape)
    return files


MODEL_COLORS = {
    "cube": "red",
    "ball": "orange",
    "cylinder": "green",
    "bar": "yellow",
    "cup": "white",
    "bowl": "blue",
    "plate": "white",
    "tray": "grey",
    "cone": "orange",
    "wedge": "purple",
    "ring": "cyan",
    "slab": "brown",
    "hexagon": "pink",
    "cross": "grey",
    "t_block": "green",
    "zigzag": "red",
    "stairs": "blue",
    "frame": "orange",
    "dumbbell": "purple",
    "capsule": "cyan",
    "pyramid": "yellow",
    "l_block": "brown",
    "arch": "pink",
}


def main() -> None:
    for shape, color in MODEL_COLORS.items():
        for name, text in model_files(shape, color).items():
            path = MODELS_DIR / shape / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    label = MODELS_DIR / LABEL_MESH
    label.parent.mkdir(parents=True, exist_ok=True)
    label.write_text(label_obj_text(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Copies of every shape in one compiled model, made into any scene's objects at run time.

Primitives take new sizes, meshes new vertices, label plates a new picture: a renderer is told what to load
anew. What a scene does not need is hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.simulator.mjcf_parts import HIDDEN_GROUP, VISUAL_GROUP
from mmrobot.simulator.sdf_model import Model
from mmrobot.simulator.sdf_parse import parse_model
from mmrobot.tabletop.labels import PIXELS, paint_label
from mmrobot.tabletop.objects import NAMELESS, SHAPES
from mmrobot.tabletop.parts import collision_parts
from mmrobot.tabletop.scene import SceneObject
from mmrobot.tabletop.scene_sdf import (
    LABEL_THICKNESS_M,
    MESH_SHAPES,
    label_height_m,
    label_side_m,
    object_sdf,
)

LABEL = "label"
"""The pool's name of a label's plate, beside the shapes."""
_GEOM_SIZE = {
    "box": lambda s: (s[0] / 2, s[1] / 2, s[2] / 2),
    "cylinder": lambda s: (s[0], s[1] / 2, 0.0),
    "sphere": lambda s: (s[0], 0.0, 0.0),
}


@dataclass
class _Mesh:
    """One copy's own mesh: vertices and normals as the file has them, and the frame that MuJoCo gave it."""

    id: int
    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    shift: NDArray[np.float64]
    turn: NDArray[np.float64]
    at: tuple[float, float, float] = (1.0, 1.0, 1.0)


def pool_models(copies: Mapping[str, int]) -> list[Model]:
    """The models to compile: `copies` of each shape or LABEL, bare of what is not seen."""
    pool = []
    for shape, count in copies.items():
        for i in range(count):
            model = parse_model(object_sdf(_reference(shape, i)))
            bare = tuple(
                replace(
                    link,
                    collisions=(),
                    inertial=None,
                    visuals=tuple(v for v in link.visuals if (v.name == "label") == (shape == LABEL)),
                )
                for link in model.links
            )
            pool.append(replace(model, name=body_name(shape, i), static=True, links=bare))
    return pool


def _reference(shape: str, copy: int) -> SceneObject:
    """What a copy is compiled as: none like another, since the assets' store shares equal meshes."""
    grow = 1.0 + 0.001 * copy
    if shape == LABEL:
        return SceneObject("pooled", "cube", "white", "large", label=f"{copy}", stretch=(grow, grow, grow))
    return SceneObject("pooled", shape, "white", "small", stretch=(grow, grow, grow))


def _built_size(shape: str, copy: int) -> tuple[float, float, float]:
    made = _reference(shape, copy)
    if shape == LABEL:
        side = label_side_m(made)
        return (side, side, LABEL_THICKNESS_M)
    return made.dims.size_m


def body_name(shape: str, copy: int) -> str:
    return f"pool_{shape}_{copy}"


class PooledThings:
    """Shows objects with the copies in a compiled model (their bodies are mocap bodies)."""

    def __init__(self, model: mujoco.MjModel, copies: Mapping[str, int]) -> None:
        self._model = model
        self._copies = dict(copies)
        self._bodies = {
            (shape, i): int(model.body(body_name(shape, i)).id)
            for shape, count in copies.items()
            for i in range(count)
        }
        self.geoms = {body: np.flatnonzero(model.geom_bodyid == body) for body in self._bodies.values()}
        self._all = np.concatenate(list(self.geoms.values()))
        self.materials = np.unique(model.geom_matid[self._all])
        self._meshes = {
            key: self._mesh(int(self.geoms[body][0]))
            for key, body in self._bodies.items()
            if key[0] in (*MESH_SHAPES, LABEL)
        }
        self._built = {key: _built_size(*key) for key in self._meshes}
        self._used: Counter[str] = Counter()
        self._print: dict[int, tuple[str, tuple[float, ...]]] = {}

    def missing(self, objects: tuple[SceneObject, ...]) -> dict[str, int]:
        """How many copies of what these objects need, where there are not enough."""
        needed = Counter(o.shape for o in objects)
        needed[LABEL] = sum(o.label is not None for o in objects)
        return {shape: n for shape, n in needed.items() if n > self._copies.get(shape, 0)}

    def begin(self) -> None:
        """Hides everything."""
        self._model.geom_group[self._all] = HIDDEN_GROUP
        self._used.clear()

    def show(
        self,
        data: mujoco.MjData,
        o: SceneObject,
        rgb: tuple[float, float, float],
        upload_mesh: Callable[[int], None],
        upload_texture: Callable[[int], None],
    ) -> list[int]:
        """Shows one object in a colour; answers its bodies: its own and, if it has one, its label's."""
        key = (o.shape, self._used[o.shape])
        self._used[o.shape] += 1
        body = self._bodies[key]
        self._put(data, body, o.center_m, o.yaw)
        geoms = self.geoms[body]
        self._model.geom_group[geoms] = VISUAL_GROUP
        self._model.geom_rgba[geoms, :3] = rgb
        if key in self._meshes:
            self._scale(key, o.dims.size_m, upload_mesh)
        else:
            self._resize(geoms, o)
        if o.label is None:
            return [body]
        return [body, self._show_label(data, o, rgb, upload_mesh, upload_texture)]

    def _show_label(
        self,
        data: mujoco.MjData,
        o: SceneObject,
        rgb: tuple[float, float, float],
        upload_mesh: Callable[[int], None],
        upload_texture: Callable[[int], None],
    ) -> int:
        key = (LABEL, self._used[LABEL])
        self._used[LABEL] += 1
        body, side = self._bodies[key], label_side_m(o)
        geom = int(self.geoms[body][0])
        x, y, z = o.center_m
        # The plate's body stands for the middle of its own cube: only the difference in height is left.
        z += label_height_m(o) - label_height_m(_reference(*key))
        self._put(data, body, (x, y, z), o.yaw)
        self._model.geom_group[geom] = VISUAL_GROUP
        self._scale(key, (side, side, LABEL_THICKNESS_M), upload_mesh)
        assert o.label is not None
        model = self._model
        texture = int(model.mat_texid[model.geom_matid[geom]][int(mujoco.mjtTextureRole.mjTEXROLE_RGB)])
        if self._print.get(texture) != (o.label, rgb):
            self._print[texture] = (o.label, rgb)
            start = int(model.tex_adr[texture])
            model.tex_data[start : start + PIXELS * PIXELS * 3] = paint_label(o.label, rgb).reshape(-1)
            upload_texture(texture)
        return body

    def _put(self, data: mujoco.MjData, body: int, center: tuple[float, float, float], yaw: float) -> None:
        mocap = self._model.body_mocapid[body]
        data.mocap_pos[mocap] = center
        data.mocap_quat[mocap] = (np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))

    def _resize(self, geoms: NDArray[np.int64], o: SceneObject) -> None:
        model = self._model
        for geom, part in zip(geoms, collision_parts(o.shape, o.dims), strict=True):
            model.geom_size[geom] = _GEOM_SIZE[part.kind](part.size_m)
            model.geom_pos[geom] = part.xyz_m

    def _scale(
        self, key: tuple[str, int], size_m: tuple[float, float, float], upload: Callable[[int], None]
    ) -> None:
        mesh = self._meshes[key]
        factors = tuple(w / b for w, b in zip(size_m, self._built[key], strict=True))
        if factors == mesh.at:
            return
        mesh.at = (factors[0], factors[1], factors[2])
        model, s = self._model, np.array(factors)
        first, count = model.mesh_vertadr[mesh.id], model.mesh_vertnum[mesh.id]
        model.mesh_vert[first : first + count] = (mesh.vertices * s - mesh.shift) @ mesh.turn
        # Normals go by the inverse of what stretches the surface.
        normals = mesh.normals / s
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        first, count = model.mesh_normaladr[mesh.id], model.mesh_normalnum[mesh.id]
        model.mesh_normal[first : first + count] = normals @ mesh.turn
        upload(mesh.id)

    def _mesh(self, geom: int) -> _Mesh:
        model = self._model
        mesh = int(model.geom_dataid[geom])
        turn = Rotation.from_quat(model.mesh_quat[mesh], scalar_first=True).as_matrix()
        shift = np.array(model.mesh_pos[mesh])
        v0, vn = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        n0, nn = model.mesh_normaladr[mesh], model.mesh_normalnum[mesh]
        vertices = np.array(model.mesh_vert[v0 : v0 + vn], np.float64) @ turn.T + shift
        normals = np.array(model.mesh_normal[n0 : n0 + nn], np.float64) @ turn.T
        return _Mesh(mesh, vertices, normals, shift, turn)


def first_copies(count: int) -> dict[str, int]:
    """Enough for most scenes; more are compiled when one needs them."""
    few = (count + 1) // 2
    return {**dict.fromkeys(SHAPES, count), LABEL: few, **dict.fromkeys(NAMELESS, min(few, 2))}

"""Single parts of SDF as MuJoCo elements: meshes, visuals, collisions, lights, cameras."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np

from mmrobot.errors import UnsupportedSdfError
from mmrobot.simulator.sdf_model import CameraSensor, Collision, Geometry, Light, Material, Pose, Visual
from mmrobot.simulator.sdf_poses import quaternion_wxyz

VISUAL_GROUP = 2
COLLISION_GROUP = 3
HIDDEN_GROUP = 5

# A camera link of SDF looks along +x with z up; MuJoCo's looks along -z with y up.
SDF_TO_MUJOCO_CAMERA = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])

# Contacts settle over 4 ms, two steps: stiff enough that a gripped thing sinks in by well under 1 mm.
CONTACT_SOLREF = (0.004, 1.0)
CONTACT_SOLIMP = (0.95, 0.99, 0.001, 0.5, 2.0)
# A collision mesh counts as convex when its convex hull is at most this much larger.
CONVEX_TOLERANCE = 1.05


class AssetStore:
    """Meshes, textures and materials of a spec, each added once."""

    def __init__(self, spec: mujoco.MjSpec) -> None:
        self._spec = spec
        self._meshes: dict[tuple[Path, tuple[float, ...], bool], str] = {}
        self._textures: dict[Path, str] = {}
        self._materials: dict[Material, str] = {}

    def mesh(self, path: Path, scale: tuple[float, ...], solid: bool) -> str:
        """Name of a mesh; visual ones (not solid) may be open or thin."""
        key = (path, scale, solid)
        if key not in self._meshes:
            name = f"mesh{len(self._meshes)}_{path.stem}"
            mesh = self._spec.add_mesh(name=name, file=str(path.resolve()), scale=scale)
            mesh.inertia = (
                mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
                if solid
                else mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
            )
            if solid:
                _require_convex(path)
            self._meshes[key] = name
        return self._meshes[key]

    def material(self, material: Material) -> str:
        if material not in self._materials:
            name = f"material{len(self._materials)}"
            added = self._spec.add_material(
                name=name,
                rgba=material.diffuse,
                specular=material.specular,
                shininess=material.shininess,
                emission=material.emission,
            )
            if material.texture is not None:
                textures = list(added.textures)
                textures[int(mujoco.mjtTextureRole.mjTEXROLE_RGB)] = self._texture(material.texture)
                added.textures = textures
            self._materials[material] = name
        return self._materials[material]

    def _texture(self, path: Path) -> str:
        if path.suffix.lower() != ".png":
            raise UnsupportedSdfError(f"texture {path} is no PNG", "convert it to PNG")
        if path not in self._textures:
            name = f"texture{len(self._textures)}_{path.stem}"
            self._spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, file=str(path.resolve()))
            self._textures[path] = name
        return self._textures[path]


def _require_convex(path: Path) -> None:
    """MuJoCo collides the convex hull of a mesh: a bowl would be filled. Refuse instead."""
    spec = mujoco.MjSpec()
    for name, kind in (
        ("hull", mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX),
        ("exact", mujoco.mjtMeshInertia.mjMESH_INERTIA_EXACT),
    ):
        mesh = spec.add_mesh(name=name, file=str(path.resolve()))
        mesh.inertia = kind
        body = spec.worldbody.add_body(name=name)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, density=1.0)
    try:
        model = spec.compile()
    except ValueError as error:
        raise UnsupportedSdfError(f"collision mesh {path}: {error}", "repair the mesh") from error
    hull, exact = model.body("hull").mass[0], model.body("exact").mass[0]
    if hull > exact * CONVEX_TOLERANCE:
        raise UnsupportedSdfError(
            f"collision mesh {path} is hollow or concave: its hull holds {hull / exact:.2f} times its volume",
            "build the collision from boxes or several convex meshes",
        )


def _shape(
    body: mujoco.MjsBody, assets: AssetStore, name: str, pose: Pose, geometry: Geometry, solid: bool
) -> mujoco.MjsGeom:
    kinds = mujoco.mjtGeom
    pose = pose.copy()
    geom = body.add_geom(name=name)
    size = geometry.size_m
    if geometry.kind == "box":
        geom.type, geom.size = kinds.mjGEOM_BOX, tuple(s / 2 for s in size)
    elif geometry.kind == "sphere":
        geom.type, geom.size = kinds.mjGEOM_SPHERE, (size[0], 0.0, 0.0)
    elif geometry.kind in ("cylinder", "capsule"):
        geom.type = kinds.mjGEOM_CYLINDER if geometry.kind == "cylinder" else kinds.mjGEOM_CAPSULE
        geom.size = (size[0], size[1] / 2, 0.0)
    elif geometry.kind == "plane":
        geom.type, geom.size = kinds.mjGEOM_PLANE, (size[0] / 2, size[1] / 2, 0.1)
        pose[:3, :3] = pose[:3, :3] @ _turn_z_to(np.array(geometry.normal))
    else:
        assert geometry.mesh is not None
        geom.type, geom.meshname = kinds.mjGEOM_MESH, assets.mesh(geometry.mesh, geometry.scale, solid)
    geom.pos, geom.quat = pose[:3, 3], quaternion_wxyz(pose)
    # Masses come from <inertial> alone.
    geom.mass = 0.0
    return geom


def _turn_z_to(direction: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that takes z to a direction."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(z, x), z])


def add_visual(body: mujoco.MjsBody, assets: AssetStore, name: str, visual: Visual) -> None:
    geom = _shape(body, assets, name, visual.pose, visual.geometry, solid=False)
    geom.group = VISUAL_GROUP
    geom.contype = geom.conaffinity = 0
    geom.material = assets.material(visual.material)
    geom.rgba = visual.material.diffuse


def add_collision(body: mujoco.MjsBody, assets: AssetStore, name: str, collision: Collision) -> None:
    geom = _shape(body, assets, name, collision.pose, collision.geometry, solid=True)
    geom.group = COLLISION_GROUP
    geom.condim = 6 if collision.rolling_m > 0 else 4
    # MuJoCo takes the larger coefficient of two touching geoms, and needs each to be above 0.
    geom.friction = (collision.mu, collision.torsional_m, max(collision.rolling_m, 1e-5))
    geom.solref = CONTACT_SOLREF
    geom.solimp = CONTACT_SOLIMP


def add_light(body: mujoco.MjsBody, light: Light, shadows: bool) -> None:
    kinds = {
        "directional": mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        "point": mujoco.mjtLightType.mjLIGHT_POINT,
        "spot": mujoco.mjtLightType.mjLIGHT_SPOT,
    }
    added = body.add_light(
        name=light.name,
        type=kinds[light.kind],
        pos=light.pose[:3, 3],
        dir=light.pose[:3, :3] @ np.array(light.direction),
        diffuse=light.diffuse,
        specular=light.specular,
        attenuation=light.attenuation,
        castshadow=light.cast_shadows and shadows,
    )
    added.ambient = (0.0, 0.0, 0.0)
    if light.kind == "spot":
        added.cutoff = np.degrees(light.outer_angle_rad)


def add_camera(body: mujoco.MjsBody, camera: CameraSensor) -> None:
    pose = camera.pose.copy()
    pose[:3, :3] = pose[:3, :3] @ SDF_TO_MUJOCO_CAMERA
    tangent = np.tan(camera.horizontal_fov_rad / 2) * camera.height / camera.width
    body.add_camera(
        name=camera.name,
        pos=pose[:3, 3],
        quat=quaternion_wxyz(pose),
        fovy=float(np.degrees(2 * np.arctan(tangent))),
        resolution=(camera.width, camera.height),
    )

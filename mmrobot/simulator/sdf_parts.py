"""The parts of a link and of a world: geometry, material, inertia, surface, lights, cameras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmrobot.simulator.sdf_model import (
    CameraSensor,
    Collision,
    Geometry,
    Inertial,
    Light,
    Material,
    Rgba,
    Visual,
)
from mmrobot.simulator.sdf_poses import read_plain_pose
from mmrobot.simulator.sdf_xml import SdfNode

ResolveUri = Callable[[SdfNode], Path]
"""Turns an element that holds a URI into the path of an existing file, or refuses."""

GEOMETRY_FIELDS = {
    "box": {"size"},
    "sphere": {"radius"},
    "cylinder": {"radius", "length"},
    "capsule": {"radius", "length"},
    "plane": {"normal", "size"},
    "mesh": {"uri", "scale"},
}
SENSOR_KINDS = ("camera", "depth_camera", "rgbd_camera")
MESH_SUFFIXES = (".obj", ".stl")
# Solver settings of ODE, Bullet and DART: MuJoCo's contact model has no counterpart in these units.
ENGINE_CONTACT_FIELDS = frozenset(
    {"ode", "bullet", "collide_bitmask", "collide_without_contact", "category_bitmask"}
)


def _positive(node: SdfNode, tag: str, count: int = 1) -> tuple[float, ...]:
    child = node.require(tag)
    values = child.floats(count)
    if min(values) <= 0 or not np.isfinite(values).all():
        raise child.refuse(f"holds '{child.text()}'", "sizes must be positive and finite")
    return values


def read_geometry(owner: SdfNode, resolve: ResolveUri) -> Geometry:
    """The one shape inside <geometry>."""
    node = owner.require("geometry")
    node.expect(set(GEOMETRY_FIELDS))
    shape = next(node.children(), None)
    if shape is None:
        raise node.refuse("is empty", f"use one of: {', '.join(GEOMETRY_FIELDS)}")
    shape.expect(GEOMETRY_FIELDS[shape.tag])
    if shape.tag == "box":
        return Geometry("box", _positive(shape, "size", 3))
    if shape.tag == "sphere":
        return Geometry("sphere", _positive(shape, "radius"))
    if shape.tag in ("cylinder", "capsule"):
        return Geometry(shape.tag, _positive(shape, "radius") + _positive(shape, "length"))
    if shape.tag == "plane":
        normal, size = shape.child("normal"), shape.child("size")
        return Geometry(
            "plane",
            (1.0, 1.0) if size is None else size.floats(2),
            normal=(0.0, 0.0, 1.0) if normal is None else normal.floats(3),
        )
    uri = shape.require("uri")
    path = resolve(uri)
    if path.suffix.lower() not in MESH_SUFFIXES:
        raise uri.refuse(f"names '{path.name}'", f"use a mesh file of type {' or '.join(MESH_SUFFIXES)}")
    scale = shape.child("scale")
    return Geometry("mesh", mesh=path, scale=(1.0, 1.0, 1.0) if scale is None else scale.floats(3))


def read_color(node: SdfNode) -> Rgba:
    """Three or four numbers 0..1, opaque unless the fourth says otherwise."""
    values = node.floats((3, 4))
    red, green, blue = values[:3]
    return red, green, blue, values[3] if len(values) == 4 else 1.0


def read_material(owner: SdfNode, resolve: ResolveUri) -> Material:
    """Diffuse colour, one specular level, emission, and a PBR albedo map. Ambient light takes the
    diffuse colour in MuJoCo, so <ambient> is accepted and should repeat <diffuse>."""
    node = owner.child("material")
    if node is None:
        return Material()
    node.expect(
        {"diffuse", "specular", "emissive", "pbr", "shininess"},
        {"ambient", "double_sided", "lighting", "render_order"},
    )
    diffuse, specular, emissive = node.child("diffuse"), node.child("specular"), node.child("emissive")
    color = Material.diffuse if diffuse is None else read_color(diffuse)
    transparency = owner.child_float("transparency", 0.0)
    shininess, texture = Material.shininess, None
    pbr = node.child("pbr")
    if pbr is not None:
        pbr.expect({"metal"})
        metal = pbr.require("metal")
        metal.expect({"albedo_map", "roughness"}, {"metalness"})
        shininess = 1.0 - metal.child_float("roughness", 0.5)
        albedo = metal.child("albedo_map")
        texture = None if albedo is None else resolve(albedo)
    return Material(
        diffuse=(*color[:3], color[3] * (1.0 - transparency)),
        specular=Material.specular if specular is None else float(np.mean(read_color(specular)[:3])),
        shininess=shininess,
        emission=0.0 if emissive is None else float(np.mean(read_color(emissive)[:3])),
        texture=texture,
    )


def read_visual(node: SdfNode, resolve: ResolveUri) -> Visual:
    node.expect(
        {"pose", "geometry", "material", "cast_shadows", "transparency"}, {"visibility_flags", "laser_retro"}
    )
    return Visual(
        node.name,
        read_plain_pose(node),
        read_geometry(node, resolve),
        read_material(node, resolve),
        node.child_flag("cast_shadows", True),
    )


def read_collision(node: SdfNode, resolve: ResolveUri) -> Collision:
    node.expect({"pose", "geometry", "surface"}, {"laser_retro", "max_contacts"})
    mu, torsional, rolling = Collision.mu, Collision.torsional_m, Collision.rolling_m
    surface = node.child("surface")
    if surface is not None:
        surface.expect({"friction", "contact"})
        contact = surface.child("contact")
        if contact is not None:
            contact.expect(set(), ENGINE_CONTACT_FIELDS)
        friction = surface.child("friction")
        if friction is not None:
            friction.expect({"ode", "torsional", "bullet"})
            ode, spin, bullet = friction.child("ode"), friction.child("torsional"), friction.child("bullet")
            if ode is not None:
                ode.expect({"mu", "mu2"})
                mu = ode.child_float("mu", mu)
                mu2 = ode.child("mu2")
                if mu2 is not None and mu2.floats(1)[0] != mu:
                    raise mu2.refuse(
                        f"holds {mu2.text()}, mu is {mu}", "friction must be equal in both directions"
                    )
            if spin is not None:
                torsional = _torsional(spin)
            if bullet is not None:
                bullet.expect({"rolling_friction"}, {"friction", "friction2", "fdir1"})
                rolling = bullet.child_float("rolling_friction", 0.0)
    return Collision(node.name, read_plain_pose(node), read_geometry(node, resolve), mu, torsional, rolling)


def _torsional(node: SdfNode) -> float:
    """Spinning friction as a length. With a patch radius a, the torque is 3 pi / 16 * a * coefficient
    * normal force (sdformat's specification of <torsional>); without one the coefficient is the length."""
    node.expect({"coefficient", "use_patch_radius", "patch_radius"}, {"surface_radius", "ode"})
    coefficient = node.child_float("coefficient", 1.0)
    patch = node.child("patch_radius")
    return coefficient if patch is None else coefficient * patch.floats(1)[0] * 3 * np.pi / 16


def read_inertial(link: SdfNode) -> Inertial | None:
    node = link.child("inertial")
    if node is None:
        return None
    node.expect({"mass", "pose", "inertia"})
    if node.attribute("auto") in ("true", "1"):
        raise node.refuse("asks for automatic inertia", "write <mass> and <inertia>")
    mass = _positive(node, "mass")[0]
    values = node.require("inertia")
    values.expect({"ixx", "iyy", "izz", "ixy", "ixz", "iyz"})
    xx, yy, zz = (_positive(values, tag)[0] for tag in ("ixx", "iyy", "izz"))
    xy, xz, yz = (values.child_float(tag, 0.0) for tag in ("ixy", "ixz", "iyz"))
    inertia = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    least, middle, most = np.linalg.eigvalsh(inertia)
    if least <= 0 or least + middle < most * (1 - 1e-6):
        raise values.refuse(
            f"has principal moments {least:.3g}, {middle:.3g}, {most:.3g}",
            "no body has these: all must be positive, and the two smaller sum to at least the largest",
        )
    return Inertial(mass, read_plain_pose(node), inertia)


def read_light(node: SdfNode) -> Light:
    node.expect(
        {"pose", "diffuse", "specular", "direction", "cast_shadows", "attenuation", "spot", "intensity"},
        {"visualize", "light_on"},
    )
    kind = node.attribute("type")
    if kind not in ("directional", "point", "spot"):
        raise node.refuse(f"has type '{kind}'", "use directional, point or spot")
    intensity = node.child_float("intensity", 1.0)
    diffuse, specular, direction = node.child("diffuse"), node.child("specular"), node.child("direction")
    color = (1.0, 1.0, 1.0, 1.0) if diffuse is None else read_color(diffuse)
    shine = (0.1, 0.1, 0.1, 1.0) if specular is None else read_color(specular)
    heading = (0.0, 0.0, -1.0) if direction is None else direction.floats(3)
    attenuation, fading, spot = (1.0, 0.0, 0.0), node.child("attenuation"), node.child("spot")
    if fading is not None:
        fading.expect({"constant", "linear", "quadratic"}, {"range"})
        attenuation = (
            fading.child_float("constant", 1.0),
            fading.child_float("linear", 0.0),
            fading.child_float("quadratic", 0.0),
        )
    if spot is not None:
        spot.expect({"outer_angle"}, {"inner_angle", "falloff"})
    return Light(
        node.name,
        kind,
        read_plain_pose(node),
        (color[0] * intensity, color[1] * intensity, color[2] * intensity),
        (shine[0], shine[1], shine[2]),
        (heading[0], heading[1], heading[2]),
        node.child_flag("cast_shadows", False),
        attenuation,
        0.8 if spot is None else spot.child_float("outer_angle", 0.8),
    )


def read_camera(node: SdfNode) -> CameraSensor:
    """A camera sensor. Its noise and clip are the simulator's defaults where the file says nothing."""
    kind = node.attribute("type")
    if kind not in SENSOR_KINDS:
        raise node.refuse(f"has type '{kind}'", f"use one of: {', '.join(SENSOR_KINDS)}")
    node.expect(
        {"pose", "camera", "update_rate", "gz_frame_id"},
        {"topic", "always_on", "visualize", "enable_metrics"},
    )
    camera = node.require("camera")
    camera.expect(
        {"horizontal_fov", "image", "clip", "noise", "optical_frame_id"},
        {"camera_info_topic", "depth_camera", "trigger_topic", "visibility_mask"},
    )
    image = camera.require("image")
    image.expect({"width", "height"}, {"format", "anti_aliasing"})
    near, far, stddev = 0.05, 10.0, 0.0
    clip, noise = camera.child("clip"), camera.child("noise")
    if clip is not None:
        clip.expect({"near", "far"})
        near, far = clip.child_float("near", near), clip.child_float("far", far)
    if noise is not None:
        noise.expect({"type", "stddev"}, {"mean"})
        if noise.child_text("type") not in ("gaussian", "gaussian_quantized"):
            raise noise.refuse(f"has type '{noise.child_text('type')}'", "use gaussian")
        stddev = noise.child_float("stddev", 0.0)
    frame = (
        camera.child_text("optical_frame_id")
        or node.child_text("gz_frame_id")
        or f"{node.name}_optical_frame"
    )
    return CameraSensor(
        node.name,
        kind,
        read_plain_pose(node),
        int(_positive(image, "width")[0]),
        int(_positive(image, "height")[0]),
        _positive(camera, "horizontal_fov")[0],
        near,
        far,
        node.child_float("update_rate", 10.0),
        frame,
        stddev,
    )

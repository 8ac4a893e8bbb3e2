"""Scene objects as SDF 1.9 text: one <model> each, for Gazebo Harmonic and the embedded simulator alike.

Meshes are named model://<shape>/meshes/<shape>.obj, under sim/models. The model's frame is the object's own:
the middle of its outer box. Friction: <ode><mu> slides, <torsional><coefficient> spins, <bullet>
<rolling_friction> rolls.
"""

from __future__ import annotations

from mmrobot.tabletop.labels import label_texture
from mmrobot.tabletop.objects import COLORS, Dimensions, dimensions
from mmrobot.tabletop.parts import Part, collision_parts, inertial
from mmrobot.tabletop.scene import Scene, SceneObject

MESH_SHAPES = ("bowl", "cup", "plate", "cone", "wedge", "ring", "hexagon", "pyramid")
MESH_SIZE = "small"
LABEL_SHARE = 0.92
LABEL_THICKNESS_M = 0.0004
MU = 0.9
TORSIONAL = 0.005
# Without it a ball on a flat table rolls for ever; this stops 0.1 m/s within 1.5 cm.
ROLLING = {"ball": 0.001, "cylinder": 0.0005, "capsule": 0.0005, "dumbbell": 0.0005}


def _number(value: float, digits: int = 9) -> str:
    """Short, and the same on every machine: what is only rounding noise becomes 0."""
    return f"{round(value, digits) + 0.0:.6g}"


def _pose(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> str:
    return "<pose>" + " ".join(_number(v) for v in (*xyz, *rpy)) + "</pose>"


def _geometry(part: Part) -> str:
    if part.kind == "box":
        inner = f"<box><size>{' '.join(f'{v:.6g}' for v in part.size_m)}</size></box>"
    elif part.kind == "cylinder":
        radius, length = part.size_m
        inner = f"<cylinder><radius>{radius:.6g}</radius><length>{length:.6g}</length></cylinder>"
    else:
        inner = f"<sphere><radius>{part.size_m[0]:.6g}</radius></sphere>"
    return f"<geometry>{inner}</geometry>"


def _mesh_geometry(shape: str, dims: Dimensions) -> str:
    reference, wanted = dimensions(shape, MESH_SIZE).size_m, dims.size_m
    scale = " ".join(f"{w / r:.6g}" for w, r in zip(wanted, reference, strict=True))
    return f"<geometry><mesh><uri>model://{shape}/meshes/{shape}.obj</uri><scale>{scale}</scale></mesh></geometry>"


def _material(color: str) -> str:
    rgb = " ".join(f"{v:.3g}" for v in COLORS[color])
    return (
        f"<material><ambient>{rgb} 1</ambient><diffuse>{rgb} 1</diffuse>"
        "<specular>0.15 0.15 0.15 1</specular></material>"
    )


def _surface(shape: str) -> str:
    rolling = ROLLING.get(shape, 0.0)
    return (
        f"<surface><friction><ode><mu>{MU}</mu><mu2>{MU}</mu2></ode>"
        f"<torsional><coefficient>{TORSIONAL}</coefficient></torsional>"
        f"<bullet><friction>{MU}</friction><friction2>{MU}</friction2>"
        f"<rolling_friction>{rolling}</rolling_friction></bullet></friction></surface>"
    )


def _inertial(parts: list[Part], mass_kg: float) -> str:
    com, inertia = inertial(parts, mass_kg)
    xyz = (float(com[0]), float(com[1]), float(com[2]))
    names = {"ixx": (0, 0), "ixy": (0, 1), "ixz": (0, 2), "iyy": (1, 1), "iyz": (1, 2), "izz": (2, 2)}
    cells = "".join(f"<{n}>{_number(float(inertia[ij]), 12)}</{n}>" for n, ij in names.items())
    zero = (0.0, 0.0, 0.0)
    return f"<inertial>{_pose(xyz, zero)}<mass>{mass_kg:.6g}</mass><inertia>{cells}</inertia></inertial>"


def label_height_m(obj: SceneObject) -> float:
    """The middle of the label's plate above the object's middle."""
    return obj.dims.surface_height_m - obj.dims.height_m / 2 + LABEL_THICKNESS_M / 2


def label_side_m(obj: SceneObject) -> float:
    inner = obj.dims.inner_floor_m if obj.dims.hollow else obj.dims.size_m
    return LABEL_SHARE * min(inner[0], inner[1])


def _label_visual(obj: SceneObject) -> str:
    """A thin plate with the text on a cube's top or a tray's floor, upright where its x points up."""
    height = label_height_m(obj)
    side = _number(label_side_m(obj))
    texture = label_texture(obj.label or "", obj.color).as_uri()
    return (
        f'<visual name="label">{_pose((0.0, 0.0, height), (0.0, 0.0, 0.0))}<geometry><mesh>'
        f"<uri>model://label/meshes/label.obj</uri><scale>{side} {side} {LABEL_THICKNESS_M}</scale>"
        "</mesh></geometry><material><ambient>1 1 1 1</ambient><diffuse>1 1 1 1</diffuse>"
        "<specular>0.05 0.05 0.05 1</specular>"
        f"<pbr><metal><albedo_map>{texture}</albedo_map><roughness>0.9</roughness></metal></pbr></material>"
        "</visual>"
    )


def object_sdf(obj: SceneObject) -> str:
    """One <model name=id> with link `body`: inertial, collisions of primitives, visuals."""
    parts = collision_parts(obj.shape, obj.dims)
    lines = [
        f'<model name="{obj.id}">',
        f"  {_pose(obj.center_m, (0.0, 0.0, obj.yaw))}",
        '  <link name="body">',
        f"    {_inertial(parts, obj.dims.mass_kg)}",
    ]
    surface, material = _surface(obj.shape), _material(obj.color)
    for part in parts:
        pose = _pose(part.xyz_m, part.rpy)
        lines.append(f'    <collision name="{part.name}">{pose}{_geometry(part)}{surface}</collision>')
    if obj.shape in MESH_SHAPES:
        lines.append(f'    <visual name="body">{_mesh_geometry(obj.shape, obj.dims)}{material}</visual>')
    else:
        for part in parts:
            pose = _pose(part.xyz_m, part.rpy)
            lines.append(f'    <visual name="{part.name}">{pose}{_geometry(part)}{material}</visual>')
    if obj.label is not None:
        lines.append(f"    {_label_visual(obj)}")
    return "\n".join([*lines, "  </link>", "</model>"])


def scene_sdf(scene: Scene) -> list[str]:
    """The models of all objects, in the scene's order."""
    return [object_sdf(o) for o in scene.objects]

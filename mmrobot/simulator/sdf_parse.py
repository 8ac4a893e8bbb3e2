"""Worlds and models of SDF 1.9/1.10 to plain values; includes followed, poses resolved.

Anything that changes the physics or the picture and is not understood is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmrobot.errors import UnsupportedSdfError
from mmrobot.simulator.files import MODELS_FOLDER
from mmrobot.simulator.sdf_joints import Scope, read_joint
from mmrobot.simulator.sdf_model import Frame, JointCommand, Light, Link, Model, Pose, World
from mmrobot.simulator.sdf_parts import (
    read_camera,
    read_collision,
    read_color,
    read_inertial,
    read_light,
    read_visual,
)
from mmrobot.simulator.sdf_plugins import read_plugin
from mmrobot.simulator.sdf_poses import PoseGraph, read_pose
from mmrobot.simulator.sdf_xml import SdfNode, parse_file, parse_text


class SdfParser:
    """Reads SDF files or text; `model://` is looked up in `model_folders`, first match wins."""

    def __init__(self, model_folders: Sequence[Path] = (MODELS_FOLDER,)) -> None:
        self._folders = tuple(model_folders)

    def world(self, path: Path) -> World:
        """The world of a file; a file with models only becomes a world that holds them."""
        root = parse_file(path)
        return self._root_world(root)

    def model(self, source: Path | str) -> Model:
        """The one model of a file, or of SDF text with or without the <sdf> element around it."""
        root = parse_file(source) if isinstance(source, Path) else parse_text(source, "SDF text")
        if root.tag == "model":
            return self._model(root)
        models = self._root_world(root).models
        if len(models) != 1:
            raise root.refuse(f"holds {len(models)} models", "give exactly one <model>")
        return models[0]

    def _root_world(self, root: SdfNode) -> World:
        if root.tag != "sdf":
            raise root.refuse("is not SDF", "begin the file with <sdf version='1.10'>")
        root.expect({"world", "model"})
        world = root.child("world")
        if world is None:
            return World(models=tuple(self._model(node) for node in root.children("model")))
        return self._world(world)

    def _world(self, node: SdfNode) -> World:
        node.expect(
            {"physics", "gravity", "scene", "light", "model", "include", "plugin"},
            {"gui", "magnetic_field", "atmosphere", "spherical_coordinates"},
        )
        timestep = 0.002
        physics = node.child("physics")
        if physics is not None:
            physics.expect(
                {"max_step_size"},
                {
                    "real_time_factor",
                    "real_time_update_rate",
                    "max_contacts",
                    "ode",
                    "dart",
                    "bullet",
                    "simbody",
                },
            )
            timestep = physics.child_float("max_step_size", timestep)
            if not 1e-5 <= timestep <= 0.01:
                raise physics.refuse(f"has max_step_size {timestep}", "use a step between 0.00001 and 0.01 s")
        world = World(node.name, timestep)
        gravity, scene = node.child("gravity"), node.child("scene")
        if gravity is not None:
            x, y, z = gravity.floats(3)
            world = replace(world, gravity=(x, y, z))
        if scene is not None:
            world = self._scene(scene, world)
        for plugin in node.children("plugin"):
            if read_plugin(plugin):
                raise plugin.refuse("commands joints but stands in the world", "move it into the model")
        lights: tuple[Light, ...] = tuple(read_light(light) for light in node.children("light"))
        models = []
        for child in node.children():
            if child.tag == "model":
                models.append(self._model(child))
            elif child.tag == "include":
                models.append(self._include(child, None))
        return replace(world, lights=lights, models=tuple(models))

    @staticmethod
    def _scene(scene: SdfNode, world: World) -> World:
        scene.expect({"ambient", "background", "shadows"}, {"grid", "origin_visual"})
        ambient, background = scene.child("ambient"), scene.child("background")
        if ambient is not None:
            world = replace(world, ambient=read_color(ambient)[:3])
        if background is not None:
            world = replace(world, background=read_color(background)[:3])
        return replace(world, shadows=scene.child_flag("shadows", True))

    def _include(self, node: SdfNode, graph: PoseGraph | None) -> Model:
        node.expect({"uri", "name", "pose", "static"})
        path = self._resolve(node.require("uri"))
        if path.is_dir():
            path = path / "model.sdf"
        root = parse_file(path)
        root.expect({"model"})
        model = self._model(root.require("model"))
        if node.child("pose") is not None:
            pose, relative_to = read_pose(node)
            if relative_to and graph is None:
                raise node.refuse(
                    f"is posed relative to '{relative_to}'", "pose models of a world in the world"
                )
            model = replace(model, pose=pose)
        return replace(
            model, name=node.child_text("name") or model.name, static=node.child_flag("static", model.static)
        )

    def _resolve(self, node: SdfNode) -> Path:
        uri = node.text()
        tried: list[Path] = []
        if uri.startswith("model://"):
            tried = [folder / uri[len("model://") :] for folder in self._folders]
        elif uri.startswith("file://"):
            tried = [Path(uri[len("file://") :])]
        elif "://" not in uri and uri and node.folder is not None:
            tried = [node.folder / uri]
        for path in tried:
            if path.exists():
                return path
        where = ", ".join(str(path) for path in tried) or "nowhere: unknown kind of URI"
        raise node.refuse(
            f"names '{uri}', looked for at {where}", "use model://, file:// or a path beside the file"
        )

    def _model(self, node: SdfNode) -> Model:
        node.expect(
            {"static", "self_collide", "pose", "link", "joint", "frame", "model", "include", "plugin"},
            {"allow_auto_disable", "enable_wind"},
        )
        if node.attribute("placement_frame"):
            raise node.refuse("has a placement_frame", "place the model by its own frame")
        pose, _ = read_pose(node)
        graph = PoseGraph()
        nested = self._nested(node, graph)
        links = list(node.children("link"))
        for link in links:
            link_pose, relative_to = read_pose(link)
            graph.add(link.name, link_pose, relative_to, link)
        joints = list(node.children("joint"))
        for joint in joints:
            joint_pose, relative_to = read_pose(joint)
            graph.add(joint.name, joint_pose, relative_to or joint.child_text("child"), joint)
        frames = list(node.children("frame"))
        for frame in frames:
            frame_pose, relative_to = read_pose(frame)
            graph.add(frame.name, frame_pose, relative_to or frame.attribute("attached_to"), frame)
        carriers = {link.name: link.name for link in links}
        carriers |= {link.name: link.name for inner in nested for link in inner.links}
        carriers |= {frame.name: frame.link for inner in nested for frame in inner.frames}
        if not carriers:
            raise node.refuse("has no links", "add a <link>")
        scope = Scope(graph, carriers, {frame.name: frame.attribute("attached_to") for frame in frames})
        commands: list[JointCommand] = [
            command for plugin in node.children("plugin") for command in read_plugin(plugin)
        ]
        read_joints = [read_joint(joint, scope) for joint in joints]
        model = Model(
            node.name,
            pose,
            node.child_flag("static", False),
            node.child_flag("self_collide", False),
            (
                *(self._link(link, graph.resolve(link.name, link)) for link in links),
                *(link for inner in nested for link in inner.links),
            ),
            (*read_joints, *(joint for inner in nested for joint in inner.joints)),
            (
                *(self._frame(frame, scope) for frame in frames),
                *(frame for inner in nested for frame in inner.frames),
            ),
            (*commands, *(command for inner in nested for command in inner.commands)),
        )
        self._check_commands(node, model)
        return model

    def _nested(self, node: SdfNode, graph: PoseGraph) -> list[Model]:
        """Inner models with names prefixed and poses in this model's frame; enters them into the graph."""
        inner_models = []
        for child in node.children():
            if child.tag not in ("model", "include"):
                continue
            inner = self._model(child) if child.tag == "model" else self._include(child, graph)
            relative_to = read_pose(child)[1]
            graph.add(inner.name, inner.pose, relative_to, child)
            for link in inner.links:
                graph.add(f"{inner.name}::{link.name}", link.pose, inner.name, child)
            poses = {link.name: link.pose for link in inner.links}
            for frame in inner.frames:
                graph.add(f"{inner.name}::{frame.name}", poses[frame.link] @ frame.pose, inner.name, child)
            inner_models.append((inner, child))
        merged = []
        for inner, child in inner_models:
            place = graph.resolve(inner.name, child)
            scoped = f"{inner.name}::"
            merged.append(
                replace(
                    inner,
                    links=tuple(replace(x, name=scoped + x.name, pose=place @ x.pose) for x in inner.links),
                    joints=tuple(
                        replace(
                            x,
                            name=scoped + x.name,
                            child=scoped + x.child,
                            parent=x.parent if x.parent == "world" else scoped + x.parent,
                        )
                        for x in inner.joints
                    ),
                    frames=tuple(
                        replace(x, name=scoped + x.name, link=scoped + x.link) for x in inner.frames
                    ),
                    commands=tuple(replace(x, joint=scoped + x.joint) for x in inner.commands),
                )
            )
        return merged

    def _link(self, node: SdfNode, pose: Pose) -> Link:
        node.expect(
            {"pose", "inertial", "collision", "visual", "sensor", "light", "gravity", "self_collide"},
            {"enable_wind", "velocity_decay", "must_be_base_link"},
        )
        return Link(
            node.name,
            pose,
            read_inertial(node),
            tuple(read_collision(child, self._resolve) for child in node.children("collision")),
            tuple(read_visual(child, self._resolve) for child in node.children("visual")),
            tuple(read_camera(child) for child in node.children("sensor")),
            tuple(read_light(child) for child in node.children("light")),
            node.child_flag("gravity", True),
        )

    @staticmethod
    def _frame(node: SdfNode, scope: Scope) -> Frame:
        node.expect({"pose"})
        link = scope.carrier(node.attribute("attached_to"), node)
        in_link = np.linalg.inv(scope.graph.resolve(link, node)) @ scope.graph.resolve(node.name, node)
        return Frame(node.name, link, in_link)

    @staticmethod
    def _check_commands(node: SdfNode, model: Model) -> None:
        movable = {joint.name for joint in model.joints if joint.kind != "fixed"}
        for command in model.commands:
            if command.joint not in movable:
                raise node.refuse(
                    f"has a controller for the joint '{command.joint}', which it lacks",
                    f"use one of: {', '.join(sorted(movable)) or 'no movable joints'}",
                )


def parse_world(path: Path, model_folders: Sequence[Path] = (MODELS_FOLDER,)) -> World:
    """The world of an SDF file."""
    return SdfParser(model_folders).world(path)


def parse_model(source: Path | str, model_folders: Sequence[Path] = (MODELS_FOLDER,)) -> Model:
    """The model of an SDF file or of SDF text."""
    return SdfParser(model_folders).model(source)


def with_models(world: World, models: Sequence[Model]) -> World:
    """The world with more models in it; a name that is taken is refused."""
    names = [model.name for model in (*world.models, *models)]
    for name in names:
        if names.count(name) > 1:
            raise UnsupportedSdfError(
                f"the world has two models named '{name}'", "give each object its own id"
            )
    return replace(world, models=(*world.models, *models))

"""A recording of a run, read without ROS: requests with what came of them, and the pictures they rest on.

Written by mmrobot's recorder (`--record`, or the black box), or by `ros2 bag record` of the same topics: an
MCAP file or a rosbag2 folder. Which topic is which stands in the file's metadata; without it names count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

from mmrobot.config import Config, config_from_dict
from mmrobot.errors import InvalidConfigError
from mmrobot.perception.frame import camera_from_message, depth_from_message, image_from_message, make_frame
from mmrobot.ros.plan_reading import NS, from_time, object_from_message, plan_from_message
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import BASE_FRAME, ActionPlan, GroundedObject, RgbdFrame

IMAGE, INFO, DEPTH, DEPTH_INFO = "image", "camera_info", "depth", "depth/camera_info"
SMALL = {
    "plan": "mmrobot_msgs/msg/ActionPlan",
    "executor/held": "mmrobot_msgs/msg/GroundedObject",
    "status": "std_msgs/msg/String",
    INFO: "sensor_msgs/msg/CameraInfo",
    DEPTH_INFO: "sensor_msgs/msg/CameraInfo",
}
FRAMES = {IMAGE: "sensor_msgs/msg/Image", DEPTH: "sensor_msgs/msg/Image"}
TRANSFORMS = "tf2_msgs/msg/TFMessage"
_UNFINISHED = "close the recorder with Ctrl-C, or repair the file: mcap recover FILE"


@dataclass(frozen=True, eq=False)
class Turn:
    """One request: its words, what the model was told of before, and what came of it at `at_ns`.

    `plan`, or `error` (a code's name) when there was none, or neither when it was answered in words.
    `words` are cut at 200 characters; a `plan` holds all of its own. `held` is what the hand held.
    """

    words: str
    at_ns: int
    plan: ActionPlan | None = None
    error: str = ""
    message: str = ""
    dialogue: tuple[str, ...] = ()
    held: GroundedObject | None = None


@dataclass(eq=False)
class Recording:
    """What a file holds. `frame` decodes; nothing else does."""

    path: Path
    config: Config | None
    turns: list[Turn] = field(default_factory=list)
    orphans: list[ActionPlan] = field(default_factory=list)
    """Plans whose request is not in the file: made before it began, or by a person's edit."""
    defects: list[str] = field(default_factory=list)
    _stamps: list[int] = field(default_factory=list)
    _depth_stamps: list[int] = field(default_factory=list)
    _infos: dict[str, dict[int, Any]] = field(default_factory=dict)
    _pictures: dict[str, dict[int, Any]] = field(default_factory=dict)
    _transforms: TransformBuffer = field(default_factory=TransformBuffer)
    _tolerance_ns: int = NS // 50

    def frame(self, turn: Turn) -> RgbdFrame | None:
        """The picture that a turn rests on: its plan's own, else the last exact one before; None without.

        A picture whose depth was lost, where others have theirs, is none: it would be seen differently.
        Raises MmrobotError when it is defective.
        """
        stamp_ns = self.stamp_of(turn)
        if stamp_ns is None or stamp_ns not in self._pictures[IMAGE]:
            return None
        picture = self._pictures[IMAGE][stamp_ns]
        info = _of_camera(self._infos[INFO], picture)
        if info is None:
            return None
        camera = camera_from_message(info)
        depth = _nearest(self._pictures[DEPTH], stamp_ns, self._tolerance_ns)
        if depth is None and self._depth_stamps:
            return None
        depth_info = None if depth is None else _of_camera(self._infos[DEPTH_INFO], depth)
        return make_frame(
            image_from_message(picture),
            camera,
            stamp_ns,
            self._transforms.lookup(BASE_FRAME, camera.frame_id, stamp_ns),
            None if depth is None else depth_from_message(depth),
            None if depth_info is None else camera_from_message(depth_info),
        )

    def stamp_of(self, turn: Turn) -> int | None:
        """Which exact picture a turn rests on."""
        if turn.plan is not None:
            return turn.plan.stamp_ns
        before = [s for s in self._stamps if s <= turn.at_ns]
        whole = [s for s in before if self._has_depth(s)] or before
        return max(whole, default=None)

    def _has_depth(self, stamp_ns: int) -> bool:
        return any(abs(s - stamp_ns) <= self._tolerance_ns for s in self._depth_stamps)


def read_recording(path: str | Path) -> Recording:
    """All requests of a file, and the pictures that they need. Raises InvalidConfigError."""
    path = Path(path).expanduser()
    if not path.exists():
        raise InvalidConfigError(f"there is no recording '{path}'", "give an .mcap file or a rosbag2 folder")
    about = _metadata(path)
    recording = Recording(path, _config(about.get("mmrobot", {}).get("config", ""), path))
    if recording.config is not None:
        recording._tolerance_ns = round(recording.config.camera.pair_tolerance_s * NS)
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
            topics = _topics(reader, about.get("topics", {}))
            _read_small(reader, topics, recording)
            _read_frames(reader, topics, recording)
    except (AnyReaderError, OSError, KeyError, AssertionError) as error:
        raise InvalidConfigError(f"'{path}' cannot be read: {error}", _UNFINISHED) from error
    return recording


def _metadata(path: Path) -> dict[str, dict[str, str]]:
    files = sorted(path.glob("*.mcap")) if path.is_dir() else [path]
    found: dict[str, dict[str, str]] = {}
    for file in files:
        if file.suffix != ".mcap":
            continue
        try:
            with file.open("rb") as stream:
                for record in make_reader(stream).iter_metadata():
                    found[record.name] = dict(record.metadata)
        except Exception as error:
            # The library raises many kinds for a damaged file; each means the same here.
            raise InvalidConfigError(f"'{file}' is no whole MCAP file: {error}", _UNFINISHED) from error
    return found


def _config(text: str, path: Path) -> Config | None:
    if not text:
        return None
    return config_from_dict(yaml.safe_load(text), f"the configuration in '{path.name}'")


def _topics(reader: AnyReader, named: dict[str, str]) -> dict[str, tuple[str, str]]:
    """(role, type) of each topic that replay reads, by the topic's name in the file."""
    present = {c.topic: c.msgtype for c in reader.connections}
    found: dict[str, tuple[str, str]] = {}
    for role, kind in {**SMALL, **FRAMES}.items():
        fitting = [t for t, k in present.items() if k == kind]
        chosen = named.get(role)
        if chosen is None:
            # `/image` of the root namespace is also the end of `/arm1/image`, but not of `/depth/image`.
            ends = [t for t in fitting if t == f"/{role}" or t.endswith(f"/{role}")]
            chosen = min((t for t in ends if role.startswith("depth") or "/depth/" not in t), default=None)
        if chosen in fitting and chosen is not None:
            found[chosen] = (role, kind)
    found |= {t: ("tf_static" if "static" in t else "tf", k) for t, k in present.items() if k == TRANSFORMS}
    return found


def _messages(
    reader: AnyReader, topics: dict[str, tuple[str, str]], roles: set[str]
) -> Iterator[tuple[str, int, Any]]:
    wanted = [c for c in reader.connections if topics.get(c.topic, ("", ""))[0] in roles]
    for connection, time_ns, data in reader.messages(connections=wanted) if wanted else ():
        yield topics[connection.topic][0], time_ns, reader.deserialize(data, connection.msgtype)


def _read_small(reader: AnyReader, topics: dict[str, tuple[str, str]], recording: Recording) -> None:
    teller = _Turns(recording)
    recording._infos = {INFO: {}, DEPTH_INFO: {}}
    for role, time_ns, message in _messages(reader, topics, {*SMALL, "tf", "tf_static"}):
        if role in recording._infos:
            recording._infos[role][from_time(message.header.stamp)] = message
        elif role in ("tf", "tf_static"):
            _take_transforms(message, role == "tf_static", recording)
        else:
            teller.take(role, time_ns, message)


def _take_transforms(message: Any, static: bool, recording: Recording) -> None:
    for one in message.transforms:
        t, q = one.transform.translation, one.transform.rotation
        try:
            recording._transforms.add(
                one.header.frame_id,
                one.child_frame_id,
                from_time(one.header.stamp),
                (t.x, t.y, t.z),
                (q.x, q.y, q.z, q.w),
                static,
            )
        except ValueError as error:
            recording.defects.append(str(error))


def _read_frames(reader: AnyReader, topics: dict[str, tuple[str, str]], recording: Recording) -> None:
    for role, stamps in ((IMAGE, recording._stamps), (DEPTH, recording._depth_stamps)):
        stamps += [from_time(message.header.stamp) for _, _, message in _messages(reader, topics, {role})]
    needed = {s for s in map(recording.stamp_of, recording.turns) if s is not None}
    recording._pictures = {IMAGE: {}, DEPTH: {}}
    for role, _, message in _messages(reader, topics, set(FRAMES)):
        stamp_ns = from_time(message.header.stamp)
        if any(abs(stamp_ns - s) <= recording._tolerance_ns for s in needed):
            recording._pictures[role][stamp_ns] = message


def _of_camera(infos: dict[int, Any], picture: Any) -> Any | None:
    """What the camera told of itself closest in time to a picture of its size.

    A recorder on a busy machine loses some, and a camera's numbers hold until it tells others.
    """
    stamp_ns = from_time(picture.header.stamp)
    fitting = {s: i for s, i in infos.items() if (i.width, i.height) == (picture.width, picture.height)}
    return fitting[min(fitting, key=lambda s: abs(s - stamp_ns))] if fitting else None


def _nearest(messages: dict[int, Any], stamp_ns: int, tolerance_ns: int) -> Any | None:
    at = min(messages, key=lambda other: abs(other - stamp_ns), default=None)
    return None if at is None or abs(at - stamp_ns) > tolerance_ns else messages[at]


class _Turns:
    """Follows `status` and `plan`: a request begins with "planning", and ends with a plan or with words."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._open: str | None = None
        self._held: GroundedObject | None = None
        self._dialogue: list[str] = []

    def take(self, role: str, time_ns: int, message: Any) -> None:
        """The next message of `plan`, `status` or `executor/held`."""
        if role == "executor/held":
            self._held = object_from_message(message) if message.located else None
        elif role == "plan":
            self._take_plan(time_ns, message)
        else:
            self._take_status(time_ns, message.data)

    def _take_plan(self, time_ns: int, message: Any) -> None:
        try:
            plan = plan_from_message(message)
        except ValueError as error:
            self._recording.defects.append(f"a plan was left out: {error}")
            return
        if self._open is None:
            self._recording.orphans.append(plan)
            return
        self._end(time_ns, plan=plan)

    def _take_status(self, time_ns: int, text: str) -> None:
        try:
            content = json.loads(text)
        except ValueError as error:
            self._recording.defects.append(f"a status was left out: {error}")
            return
        if content.get("node") != "vlm":
            return
        state, words = content.get("state"), str(content.get("instruction", ""))
        if state == "planning":
            self._open = words
            return
        if state not in ("done", "failed", "answered"):
            return
        if self._open is not None and words == self._open:
            code = str((content.get("error") or {}).get("code", ""))
            self._end(time_ns, error=code, message=str(content.get("message", "")))
        answer = content.get("message", "") if state != "done" else "done"
        self._dialogue += [words, str(answer)]

    def _end(self, at_ns: int, plan: ActionPlan | None = None, error: str = "", message: str = "") -> None:
        words = self._open or ""
        if plan is not None and plan.instruction.startswith(words) and len(words) == 200:
            words = plan.instruction
        dialogue = tuple(self._dialogue)
        self._recording.turns.append(Turn(words, at_ns, plan, error, message, dialogue, self._held))
        self._open = None

"""An MCAP file of ROS messages as on the wire, with `ros2msg` schemas: Foxglove and rosbag2 open it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType

from mcap.writer import CompressionType, Writer

from mmrobot.ros.graph import package_share

SEPARATOR = "=" * 80
PRIMITIVES = frozenset(
    "bool byte char float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64 string wstring".split()
)


@cache
def _definition(type_name: str) -> str:
    package, name = type_name.split("/")
    return (package_share(package) / "msg" / f"{name}.msg").read_text(encoding="utf-8")


def _field_types(text: str, package: str) -> list[str]:
    """The message types that a definition names, as package/Name."""
    found = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if len(words) < 2 or "=" in words[1]:
            continue
        kind = words[0].split("[", 1)[0].split("<", 1)[0]
        if kind in PRIMITIVES:
            continue
        found.append(kind if "/" in kind else f"{package}/{kind}")
    return found


def schema_text(type_name: str) -> str:
    """A type (package/msg/Name) with all that it is made of, in the form of the MCAP profile `ros2`."""
    package, _, name = type_name.split("/")
    root = f"{package}/{name}"
    text, queue, seen = _definition(root), _field_types(_definition(root), package), {root}
    while queue:
        kind = queue.pop(0)
        if kind in seen:
            continue
        seen.add(kind)
        definition = _definition(kind)
        text += f"\n{SEPARATOR}\nMSG: {kind}\n{definition}"
        queue += _field_types(definition, kind.split("/")[0])
    return text


class McapFile:
    """Writes serialised messages; a context manager, since the index comes last."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._writer = Writer(self._file, compression=CompressionType.ZSTD, chunk_size=1 << 20)
        self._writer.start(profile="ros2", library="mmrobot")
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}

    def __enter__(self) -> McapFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, topic: str, type_name: str, data: bytes, time_ns: int) -> None:
        """One message (CDR) of a type such as std_msgs/msg/String at a ROS time."""
        channel = self._channels.get(topic)
        if channel is None:
            schema = self._schemas.get(type_name)
            if schema is None:
                schema = self._writer.register_schema(type_name, "ros2msg", schema_text(type_name).encode())
                self._schemas[type_name] = schema
            channel = self._writer.register_channel(topic, "cdr", schema)
            self._channels[topic] = channel
        self._writer.add_message(channel, log_time=time_ns, data=data, publish_time=time_ns)

    def note(self, name: str, values: Mapping[str, str]) -> None:
        """A record of metadata: names and texts that belong to the whole file."""
        self._writer.add_metadata(name, dict(values))

    def close(self) -> None:
        """Write the index; more calls do nothing."""
        if not self._file.closed:
            self._writer.finish()
            self._file.close()

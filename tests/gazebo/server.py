"""A running gzserver and the tests' plugin in it, over a local socket.

From the plugin come messages of one byte kind, four bytes length (little-endian) and the content:
    M  JSON: what was loaded (models, links, joints), once
    C  JSON: the camera as loaded, once
    S  JSON: time, joints {name: [position, velocity, force]}, models {name: pose 7, speeds 6}, contacts
    I  float64 time, uint32 width, uint32 height, rgb8
    D  the same, float32 metres
To it go lines: `trajectory N names M points`, `position TOPIC VALUE`, `move MODEL x y z w x y z`.
"""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.simulator.files import MODELS_FOLDER
from mmrobot.simulator.gazebo.world import Dialect, gazebo_world
from mmrobot.tabletop.scene import Scene
from tests.gazebo.install_gazebo import PLUGIN_FOLDER, inside

RUN_FOLDER, MODELS = "/run/mmrobot", "/opt/models"
SCRIPT = """
exec 2>&1
exec 3> display
Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp > xvfb.log 2>&1 &
exec 3>&-
for i in $(seq 100); do [ -s display ] && break; sleep 0.1; done
export DISPLAY=:$(cat display) HOME=$PWD LIBGL_ALWAYS_SOFTWARE=1 LP_NUM_THREADS=1 ALSOFT_DRIVERS=null
. /usr/share/gazebo/setup.sh
export GAZEBO_MODEL_DATABASE_URI= GAZEBO_MODEL_PATH=/opt/models GAZEBO_PLUGIN_PATH=$PLUGINS
export GAZEBO_IP=127.0.0.1 GAZEBO_MASTER_URI=http://127.0.0.1:$PORT
exec gzserver --verbose world.sdf
"""
CONNECT_S = 60.0
LOADED_S = 60.0


class GazeboError(Exception):
    """Gazebo did not start, or ended; carries the end of its log."""


class GazeboServer:
    """A context manager. `on_picture(kind, time_s, pixels)` and `on_state(state)` come on one thread."""

    def __init__(self, root: Path, scene: Scene, **world: Any) -> None:
        """`world` as for gazebo_world."""
        self._root, self._scene, self._world = root, scene, world
        self.loaded: dict[str, Any] = {}
        self.camera: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.pictures: dict[str, tuple[float, NDArray[Any]]] = {}
        self.on_picture: Callable[[str, float, NDArray[Any]], None] = lambda *_: None
        self.on_state: Callable[[dict[str, Any]], None] = lambda _: None
        self._folder = Path(tempfile.mkdtemp(prefix="mmrobot-gazebo-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._sending = threading.Lock()

    @property
    def log(self) -> str:
        """What gzserver has said so far."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> GazeboServer:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        world = gazebo_world(self._scene, Dialect.CLASSIC, socket=f"{RUN_FOLDER}/socket", **self._world)
        (self._folder / "world.sdf").write_text(world)
        (self._folder / "run.sh").write_text(SCRIPT)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, _free_port() as port:
            listener.bind(str(self._folder / "socket"))
            listener.listen(1)
            listener.settimeout(1.0)
            number = port.getsockname()[1]
            port.close()
            command = [
                *("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"PORT={number}"),
                f"PLUGINS=/{PLUGIN_FOLDER}",
                *("sh", "-c", f"cd {RUN_FOLDER} && exec sh run.sh"),
            ]
            binds = [(self._folder, RUN_FOLDER), (MODELS_FOLDER, MODELS)]
            with (self._folder / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    inside(self._root, command, binds),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._connection = self._accept(listener)
        threading.Thread(target=self._read, name="gazebo", daemon=True).start()
        self.wait(lambda: self.loaded and self.camera and self.state and len(self.pictures) == 2, LOADED_S)

    def _accept(self, listener: socket.socket) -> socket.socket:
        deadline = time.monotonic() + CONNECT_S
        while time.monotonic() < deadline:
            try:
                return listener.accept()[0]
            except TimeoutError:
                self.check()
        raise GazeboError(f"Gazebo's plugin did not connect within {CONNECT_S:.0f} s:\n{self._last_words()}")

    def wait(self, condition: Callable[[], Any], timeout_s: float) -> None:
        """Until a condition holds; raises GazeboError when it does not, or Gazebo ends."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise GazeboError(f"not within {timeout_s:.0f} s; Gazebo says:\n{self._last_words()}")
            time.sleep(0.02)

    def check(self) -> None:
        """Raises GazeboError when Gazebo has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise GazeboError(f"Gazebo ended with status {self._process.returncode}:\n{self._last_words()}")

    def _last_words(self) -> str:
        return "\n".join(self.log.splitlines()[-15:])

    def close(self) -> None:
        """Ends Gazebo and all that it started."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> None:
        assert self._connection is not None
        stream = self._connection.makefile("rb")
        try:
            while len(head := stream.read(5)) == 5:
                kind, length = struct.unpack("<cI", head)
                self._take(kind.decode(), stream.read(length))
        except (OSError, ValueError):
            return  # closed from here

    def _take(self, kind: str, content: bytes) -> None:
        if kind in "ID":
            time_s, width, height = struct.unpack_from("<dII", content)
            pixels = np.frombuffer(content, np.uint8 if kind == "I" else np.float32, offset=16)
            picture = pixels.reshape((height, width, 3) if kind == "I" else (height, width))
            self.pictures[kind] = (time_s, picture)
            self.on_picture(kind, time_s, picture)
        elif kind == "S":
            self.state = json.loads(content)
            self.on_state(self.state)
        elif kind == "M":
            self.loaded = json.loads(content)
        elif kind == "C":
            self.camera = json.loads(content)

    def _send(self, line: str) -> None:
        with self._sending:
            if self._connection is not None:
                self._connection.sendall(line.encode() + b"\n")

    def send_trajectory(
        self,
        names: Sequence[str],
        points: Sequence[tuple[float, Sequence[float], Sequence[float]]],
    ) -> None:
        """Points are (time s, positions, velocities)."""
        words = ["trajectory", str(len(names)), *names, str(len(points))]
        for time_s, positions, velocities in points:
            words += [f"{v:.9g}" for v in (time_s, *positions, *velocities)]
        self._send(" ".join(words))

    def send_position(self, topic: str, position: float) -> None:
        """To the joint whose position controller listens to that topic."""
        self._send(f"position {topic} {position:.9g}")

    def move(self, model: str, position_m: Sequence[float], quaternion_wxyz: Sequence[float]) -> None:
        """Puts a model elsewhere, at rest."""
        self._send(f"move {model} " + " ".join(f"{v:.9g}" for v in (*position_m, *quaternion_wxyz)))


def _free_port() -> socket.socket:
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.bind(("127.0.0.1", 0))
    return taken

"""The browser's page over the graph: what is published goes to the pages, what they ask for to the robot.

    python -m mmrobot.ros.console_node --ros-args -p config:=config/mmrobot.yaml

The web server has a thread and an event loop of its own; what a page asks for runs on its worker threads.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import cv2
import numpy as np
import uvicorn
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String

from mmrobot.console.hub import Hub
from mmrobot.console.server import listen, make_app, refuse_empty
from mmrobot.errors import InvalidConfigError, InvalidImageError
from mmrobot.perception.image_decoding import decode_depth, decode_image
from mmrobot.ros.client import Follow, RobotClient
from mmrobot.ros.messages import from_time, to_time
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.parameters import declare_config
from mmrobot.ros.qos import STATE
from mmrobot.ros.retarget import Retarget
from mmrobot.ros.sensor_subscription import SensorSubscriptions
from mmrobot.ros.status import StatusPublisher
from mmrobot.types import ActionPlan, GroundedObject, Pointing
from mmrobot_msgs.msg import Audio
from mmrobot_msgs.srv import Explain

JPEG_QUALITY = 80
DEPTH_HZ = 2.0
START_S = 10.0
EXPLAIN_S = 90.0
SOUND_HZ = 16_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ConsoleNode(Node):
    """Serves the page; it is the pages' Robot."""

    def __init__(self) -> None:
        super().__init__("console")
        self._config = declare_config(self)
        self._status = StatusPublisher(self)
        self._hub = Hub()
        self._client = RobotClient(namespace=self.get_namespace(), name="console_client")
        self._client.on_feedback = self._progress
        self._client.on_status = self._take_status
        self._client.on_plan = self._take_plan
        self._shown_s: dict[str, float] = {}
        self._audio_out = self.create_publisher(Audio, "audio", STATE)
        group = MutuallyExclusiveCallbackGroup()
        for topic, take in (("speech", self._take_speech), ("heard", self._take_heard)):
            self.create_subscription(String, topic, take, STATE, callback_group=group)
        self.create_subscription(
            DiagnosticArray, "/diagnostics", self._take_health, STATE, callback_group=group
        )
        pictures = SensorSubscriptions(self)
        pictures.add(Image, "image", self._take_color, MutuallyExclusiveCallbackGroup())
        pictures.add(Image, "depth", self._take_depth, MutuallyExclusiveCallbackGroup())
        self._pictures = pictures
        self._serve()

    def close(self) -> None:
        """End the server and leave the graph."""
        self._server.should_exit = True
        self._thread.join(5.0)
        self._client.close()

    def _serve(self) -> None:
        console = self._config.console
        token = console.token or secrets.token_urlsafe(24)
        listening = listen(console.host, console.port)
        port = int(listening.getsockname()[1])
        settings = uvicorn.Config(
            make_app(self, self._hub, console, token, port),
            log_level="warning",
            ws_max_size=console.max_message_bytes,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        self._server = uvicorn.Server(settings)
        # Signals are the node's.
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
        self._thread = guarded_thread(lambda: self._server.run([listening]), "console server")
        until_s = time.monotonic() + START_S
        while not self._server.started:
            if time.monotonic() > until_s:
                raise InvalidConfigError(
                    f"the console's server did not start within {START_S:g} s", "see its output above"
                )
            time.sleep(0.02)
        if console.host not in LOOPBACK:
            self.get_logger().warning(
                f"the console listens on {console.host}: whoever reaches it and has the token commands "
                "the robot"
            )
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(console.host, console.host)
        self.url = f"http://{shown}:{port}/#token={token}"
        # To whoever started it, and to nobody else: the address holds the secret.
        print(f"console: open {self.url}", flush=True)
        self._status.report("console", f"the console serves {console.host}:{port}")

    # -- the pages' Robot: on worker threads ---------------------------------------------------------

    def say(self, words: str, pointings: tuple[Pointing, ...]) -> None:
        """As a person's instruction."""
        words = refuse_empty(words)
        self._hub.tell("chat", who="you", text=words, at=time.time())
        self._client.follow(words, conversation="", pointings=pointings, on_end=self._ended)

    def stop(self) -> None:
        """By topic and service."""
        self._hub.tell("chat", who="you", text="STOP", at=time.time())
        self._client.stop()

    def decide(self, plan_id: str, digest: str, approve: bool) -> str:
        """On the plan that waits."""
        return self._client.decide(plan_id, digest, approve)

    def edit(self, plan_id: str, digest: str, keep: list[int], changes: list[dict[str, Any]]) -> None:
        """The changed plan comes by `plan`."""
        retargets = [
            Retarget(c["step"], c["part"], c.get("phrase", ""), Pointing(c["box"]) if "box" in c else None)
            for c in changes
        ]
        self._client.edit(plan_id, digest, keep, retargets)

    def explain(self, plan_id: str, step: int) -> tuple[dict[str, Any], bytes]:
        """The record, and its picture."""
        found = self._client.call(Explain, "explain", Explain.Request(plan_id=plan_id, step=step), EXPLAIN_S)
        return json.loads(found.record), bytes(found.picture_png)

    def hear(self, samples: bytes, last: bool) -> None:
        """To the voice node."""
        message = Audio(sample_rate_hz=SOUND_HZ, push_to_talk=True, last=last)
        message.header.stamp = to_time(int(self.get_clock().now().nanoseconds))
        message.header.frame_id = "console"
        message.samples = np.frombuffer(samples[: len(samples) // 2 * 2], dtype="<i2").astype(np.int16)
        self._audio_out.publish(message)

    def _progress(self, follow: Follow, told: Any) -> None:
        self._hub.tell(
            "task",
            instruction=follow.instruction,
            phase=told.phase,
            message=told.message,
            step=int(told.step_index),
            steps=int(told.steps_total),
            options=list(told.options),
            plan_id=told.plan_id,
            digest=told.plan_digest,
            ended=False,
        )
        if told.phase == "asking":
            self._hub.tell("chat", who="robot", text=told.message, options=list(told.options), at=time.time())

    def _ended(self, follow: Follow) -> None:
        error = follow.error
        text = error.message if error else follow.answer or follow.report or "done"
        asked = error is not None and error.code.name == "AMBIGUOUS"
        if not asked:
            kind = "refused" if error else "answer" if follow.answer else "done"
            fix = error.fix if error else ""
            self._hub.tell("chat", who="robot", kind=kind, text=text, fix=fix, at=time.time())
        self._hub.tell(
            "task",
            instruction=follow.instruction,
            phase="ended",
            message=text,
            code=error.code.name if error else "NONE",
            options=[],
            ended=True,
        )

    # -- what the graph tells: on ROS threads --------------------------------------------------------

    def _take_status(self, status: dict[str, Any]) -> None:
        self._hub.tell(
            "status", **{k: v for k, v in status.items() if k != "type" and k != "url"}, at=time.time()
        )

    def _take_speech(self, message: String) -> None:
        self._hub.tell("speech", text=message.data)

    def _take_heard(self, message: String) -> None:
        self._hub.tell("chat", who="you", kind="heard", text=message.data, at=time.time())

    def _take_plan(self, plan: ActionPlan) -> None:
        self._hub.tell("plan", plan=_plan(plan))
        self._hub.tell("timing", stages={k: round(v, 1) for k, v in plan.timings_ms.items()}, at=time.time())

    def _take_health(self, message: DiagnosticArray) -> None:
        parts = [
            {
                "name": s.name,
                "part": s.hardware_id,
                "ok": s.level == DiagnosticStatus.OK,
                "message": s.message,
                "facts": {v.key: v.value for v in s.values},
            }
            for s in message.status
        ]
        simulated = bool(self.get_publishers_info_by_topic(self.resolve_topic_name("simulator/truth")))
        self._hub.tell("health", parts=parts, simulated=simulated)

    def _due(self, kind: str, rate_hz: float) -> bool:
        """Whether a picture is to be shown now; nobody looks where no page is open."""
        now_s = time.monotonic()
        if not self._hub.pages or now_s - self._shown_s.get(kind, float("-inf")) < 1.0 / rate_hz:
            return False
        self._shown_s[kind] = now_s
        return True

    def _take_color(self, message: Image) -> None:
        if not self._due("color", self._config.console.picture_hz):
            return
        try:
            rgb = decode_image(
                message.encoding,
                message.height,
                message.width,
                message.step,
                message.is_bigendian,
                message.data,
            )
        except InvalidImageError:
            return  # the vlm node tells what is wrong with it
        self._show("color", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), from_time(message.header.stamp))

    def _take_depth(self, message: Image) -> None:
        if not self._due("depth", DEPTH_HZ):
            return
        try:
            depth_m = decode_depth(
                message.encoding,
                message.height,
                message.width,
                message.step,
                message.is_bigendian,
                message.data,
            )
        except InvalidImageError:
            return
        valid = np.isfinite(depth_m) & (depth_m > 0)
        near, far = np.percentile(depth_m[valid], (2, 98)) if valid.any() else (0.0, 1.0)
        share = np.clip((np.where(valid, depth_m, far) - near) / max(far - near, 1e-3), 0, 1)
        colored = cv2.applyColorMap((255 * (1 - share)).astype(np.uint8), cv2.COLORMAP_TURBO)
        colored[~valid] = 0
        self._show("depth", colored, from_time(message.header.stamp))

    def _show(self, kind: str, bgr: np.ndarray[Any, Any], stamp_ns: int) -> None:
        done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if done:
            # The stamp goes along: what is pointed at is pointed at in this picture.
            self._hub.show(kind, int(stamp_ns).to_bytes(8, "little", signed=True) + jpeg.tobytes())


def _plan(plan: ActionPlan) -> dict[str, Any]:
    return {
        "plan_id": plan.plan_id,
        "digest": plan.digest,
        "instruction": plan.instruction,
        "model": plan.model,
        "confidence": round(plan.confidence, 3),
        "steps": [
            {
                "index": s.index,
                "skill": s.skill,
                "says": s.summary,
                "confidence": round(s.confidence, 3),
                "target": _thing(s.target),
                "reference": _thing(s.reference),
                "relation": s.relation,
            }
            for s in plan.steps
        ],
    }


def _thing(thing: GroundedObject | None) -> dict[str, Any] | None:
    if thing is None:
        return None
    return {
        "label": thing.label,
        "box": [round(v, 1) for v in thing.box_xyxy],
        "score": round(thing.score, 3),
        "position_m": [round(v, 3) for v in thing.position_m],
    }


def main() -> int:
    """Run the node."""
    return run_node(ConsoleNode, threads=6)


if __name__ == "__main__":
    raise SystemExit(main())

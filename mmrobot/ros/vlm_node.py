"""Looks, reads and plans: `follow_instruction` and `instruction` in, plans to the executor, words to people.

    python -m mmrobot.ros.vlm_node --ros-args -p model:=mmrobot-nano

A lifecycle node: the model loads on configure, is asked while the node is active, and is freed on cleanup.
It is asked on one inference thread; setting the parameter `model` changes it while running. Stop never
passes through here: the arm server and the executor hear it themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from std_msgs.msg import Empty, String

from mmrobot.command.stop_words import StopKind, is_stop, stop_kind
from mmrobot.config import Config
from mmrobot.errors import MmrobotError, ModelUnavailableError, StoppedError
from mmrobot.pipeline import Pipeline
from mmrobot.ros.conductor import Conductor
from mmrobot.ros.explain_service import ExplainService
from mmrobot.ros.follow_server import FollowServer
from mmrobot.ros.frame_source import FrameSource
from mmrobot.ros.health import HealthReporter, StillLoadingError
from mmrobot.ros.heartbeat import CATCH_UP_S, Heartbeat, HeartbeatMonitor
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.live_settings import LiveSettings
from mmrobot.ros.managed import ManagedNode
from mmrobot.ros.messages import object_from_message
from mmrobot.ros.model_holder import ModelHolder
from mmrobot.ros.model_services import ModelServices
from mmrobot.ros.node_process import run_node
from mmrobot.ros.parameters import declare_config
from mmrobot.ros.plan_execution import PlanExecution
from mmrobot.ros.plan_publisher import PlanPublisher
from mmrobot.ros.plan_services import PlanServices
from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.ros.status import StatusPublisher
from mmrobot.ros.stop_listener import StopListener
from mmrobot.ros.talks import Talks
from mmrobot.ros.task import Outcome, Phase, Task
from mmrobot.ros.transform_listener import TransformListener
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import ActionPlan, Answer, GroundedObject, RgbdFrame
from mmrobot_msgs.msg import GroundedObject as GroundedObjectMsg

WATCHED = ("executor", "arm_server")
LIVE = (
    "grounding.threshold",
    "grounding.rival_ratio",
    "gate.min_confidence",
    "gate.max_target_age_s",
    "command.confirm_below",
    "command.confirm_moving_below",
    "command.read_within_s",
    "command.approve_within_s",
    "command.hold_for_s",
    "command.max_queued",
    "model.timeout_s",
)
"""Settings that are parameters too, changed while the node runs: each is asked anew where it is used."""
TICK_S = 0.1
LOOK_TIMEOUT_S = 8.0
TOLD_AGAIN_S = 2.0
SPOKEN = (Phase.APPROVAL, Phase.QUEUED)


class VlmNode(ManagedNode):
    """The composition: picture source, model, conductor, services. It is the conductor's Stage."""

    def __init__(self) -> None:
        super().__init__("vlm")
        settings = LiveSettings(self, declare_config(self), LIVE, self._use, {"approval": "command.approval"})
        self._config = settings.config
        # The arm server holds by itself at the heartbeat's timeout_s; here a task is given up.
        silence_limit_s = self._config.heartbeat.give_up_s
        self._inference = InferenceThread()
        self._transforms = TransformBuffer()
        TransformListener(self, self._transforms)
        self._frames = FrameSource(
            self, self._config.camera, self._transforms, self._config.grounding.without_depth
        )
        self._monitor = HeartbeatMonitor(self, TICK_S, CATCH_UP_S)
        self._told_still = ("", float("-inf"))
        self._status = StatusPublisher(self)
        self._model = ModelHolder(self, self._inference, self._config, self._status)
        self._held: GroundedObject | None = None
        self._talks = Talks(
            self._inference,
            self._pipeline,
            self.look,
            lambda: self._held,
            self.now_ns,
            self.get_logger().warning,
        )
        self._stops = StopListener(self, self._hear_stop)
        self._execution = PlanExecution(self, self._monitor, self._stops, WATCHED, silence_limit_s)
        self._conductor = Conductor(self, self._inference, self._config)
        self._connect()
        self._heartbeat = Heartbeat(self, "vlm", lambda: self.state)
        self.begin()

    def close(self) -> None:
        """End the running task and the threads."""
        self._model.close()
        super().close()
        self._heartbeat.close()
        self._inference.close()
        self._talks.close()

    def _connect(self) -> None:
        groups = [MutuallyExclusiveCallbackGroup() for _ in range(3)]
        self._plans = PlanPublisher(self)
        self._stop_out = self.create_publisher(Empty, "stop_all", COMMAND)
        self._words_out = self.create_publisher(String, "instruction", COMMAND)
        self._server = FollowServer(self, self._submit, self._conductor.cancel)
        self.create_subscription(String, "instruction", self._hear, COMMAND, callback_group=groups[0])
        self.create_subscription(
            GroundedObjectMsg, "executor/held", self._take_held, LATCHED, callback_group=groups[0]
        )
        PlanServices(self, self._conductor, self._talks)
        ExplainService(self, self._inference, self._pipeline, self._config.audit)
        ModelServices(self, self._inference, self._pipeline, self.look, lambda: self._config.model.timeout_s)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK_S, self._tick, callback_group=groups[1], clock=steady)
        health = HealthReporter(self, self._status, self.problems, {"model": self._model.facts})
        self.create_timer(1.0, health.report, callback_group=groups[2], clock=steady)

    def _tick(self) -> None:
        self._monitor.turn()
        self._conductor.tick()

    # -- lifecycle ---------------------------------------------------------------------------------

    def configure(self) -> None:
        """Load the model; waits for it."""
        self._model.begin()
        self._model.wait()

    def deactivate(self) -> None:
        """End the task under way, and what waits: the robot holds still."""
        self._conductor.halted(StopKind.STOP, "the vlm node was deactivated")

    def cleanup(self) -> None:
        """Free the model's memory; conversations are forgotten with it."""
        self._model.unload(self._talks.release)

    def tell(self, state: str, message: str, error: MmrobotError | None = None) -> None:
        """To `status`."""
        self._status.report(state, message, error)

    def _use(self, config: Config) -> None:
        """Another configuration, between two questions to the model."""
        self._config = config
        self._conductor.use(config)
        self._model.use(config)

    def _pipeline(self) -> Pipeline:
        """The loaded pipeline; raises the error that says why it may not be asked."""
        if not self.active:
            raise self._not_active()
        return self._model.pipeline()

    def _not_active(self) -> MmrobotError:
        words = f"the vlm node answers nothing: it is {self.state}"
        return ModelUnavailableError(words, self.how_to_activate)

    # -- what is needed ---------------------------------------------------------------------------

    def look(self, after_ns: int = 0) -> RgbdFrame:
        """The newest frame; on the inference thread only."""
        return self._frames.look(after_ns, LOOK_TIMEOUT_S)

    def problems(self) -> list[tuple[str, MmrobotError | None]]:
        """(part, what is wrong with it) of everything needed before an instruction can be followed."""
        parts: list[tuple[str, MmrobotError | None]] = [
            ("camera", self._frames.problem()),
            ("model", self._model_problem()),
            ("emergency stop", self._emergency()),
        ]
        return parts + self._execution.problems()

    def _model_problem(self) -> MmrobotError | None:
        problem = self._model.problem()
        if problem is None and not self.active:
            problem = StillLoadingError(f"the node is {self.state}", self.how_to_activate)
        return problem

    def _submit(self, task: Task) -> None:
        """To the conductor, or refused with the reason; what holds the robot still always passes."""
        error = self._emergency() if self.active else self._not_active()
        if error is None or stop_kind(task.instruction) is not None:
            self._conductor.submit(task)
            return
        task.phase = Phase.ENDED
        self.report("refused", error.message, error, task)
        task.on_end(Outcome(error))

    def _emergency(self) -> MmrobotError | None:
        try:
            self._stops.check()
        except StoppedError as error:
            return error
        return None

    # -- instructions ----------------------------------------------------------------------------

    def _hear(self, message: String) -> None:
        # Stop words are the StopListener's: heard a second time here, a late one would end the next task.
        if not is_stop(message.data):
            self._submit(Task(message.data))

    def _hear_stop(self, reason: str, kind: StopKind | None) -> None:
        if kind is None:
            self._conductor.halted_elsewhere(reason)
            return
        words = self._conductor.halted(kind, reason)
        self._status.report("stopped", f"the robot holds still: {reason}")
        # One stop may come by a topic, a service and again by a topic.
        told, at_s = self._told_still
        if words != told or time.monotonic() - at_s > TOLD_AGAIN_S:
            self._told_still = (words, time.monotonic())
            self._status.say(words)

    def _take_held(self, message: GroundedObjectMsg) -> None:
        self._held = object_from_message(message) if message.located else None

    # -- the conductor's Stage -------------------------------------------------------------------

    def make_plan(self, task: Task, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        """On the inference thread."""
        return self._talks.make_plan(task, dialogue, after_ns)

    def aside(self, task: Task) -> Answer | None:
        """On the inference thread, while a plan is carried out."""
        return self._talks.aside(task)

    def forget(self, conversation: str) -> None:
        """Nothing is left to go on with."""
        self._talks.forget(conversation)

    def publish_plan(self, plan: ActionPlan) -> None:
        """Plan, markers and the picture with both drawn in."""
        self._plans.publish(plan, self._talks.frame)

    def execute(
        self,
        plan: ActionPlan,
        on_step: Callable[[int, str], None],
        on_end: Callable[[MmrobotError | None, int, str], None],
    ) -> None:
        """Send the plan to the executor; its answers arrive in callbacks."""
        if not self.active:
            raise self._not_active()
        self._execution.begin(plan, on_step, on_end)

    def cancel_execution(self) -> None:
        """Cancel the executor's goal, also one that it has not accepted yet."""
        self._execution.cancel()

    def halt(self, kind: StopKind, words: str) -> None:
        """Hold the robot. Words of another kind are passed on as they are: all nodes tell them apart."""
        if kind is StopKind.STOP:
            self._stop_out.publish(Empty())
        else:
            self._words_out.publish(String(data=words))

    def report(self, state: str, message: str, error: MmrobotError | None, task: Task) -> None:
        """To `status`; what a person is to hear to `speech` too."""
        instruction = task.instruction[:200]
        steps = len(task.plan.steps) if task.plan else 0
        self._status.report(state, message, error, instruction=instruction, steps=steps)
        if error is not None or task.answer or state in SPOKEN:
            self._status.say(message)

    def now_ns(self) -> int:
        """ROS time."""
        return int(self.get_clock().now().nanoseconds)

    def silent(self) -> list[str]:
        """Nodes needed for execution whose beat is missed, or that have started anew since."""
        return self._execution.silent()


def main() -> int:
    """Run the node."""
    return run_node(VlmNode, threads=10)


if __name__ == "__main__":
    raise SystemExit(main())

"""Looks, reads and plans: `follow_instruction` and `instruction` in, plans to the executor, words to people.

    python -m mmrobot.ros.vlm_node --ros-args -p model:=mmrobot-nano

A lifecycle node: the model loads on configure, is asked while the node is active, and is freed on cleanup.
It is asked on one inference thread; setting the parameter `model` changes it while running. Stop never
passes through here: the arm server and the executor hear it themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Image
from std_msgs.msg import Empty, String
from visualization_msgs.msg import MarkerArray

from mmrobot.command.stop_words import StopKind, is_stop, stop_kind
from mmrobot.config import Config
from mmrobot.errors import (
    ErrorCode,
    InvalidInstructionError,
    MmrobotError,
    ModelUnavailableError,
    RobotUnavailableError,
    StoppedError,
)
from mmrobot.pipeline import Pipeline
from mmrobot.ros import camera_messages
from mmrobot.ros.action_caller import ActionCall, ActionCaller
from mmrobot.ros.conductor import Conductor
from mmrobot.ros.deferred_goal import DeferredGoal
from mmrobot.ros.explain_service import ExplainService
from mmrobot.ros.frame_source import FrameSource
from mmrobot.ros.health import HealthReporter, StillLoadingError
from mmrobot.ros.heartbeat import CATCH_UP_S, Heartbeat, HeartbeatMonitor
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.live_settings import LiveSettings
from mmrobot.ros.managed import ManagedNode
from mmrobot.ros.markers import plan_markers
from mmrobot.ros.messages import (
    error_code,
    object_from_message,
    plan_to_message,
    pointing_from_message,
)
from mmrobot.ros.model_holder import ModelHolder
from mmrobot.ros.model_services import ModelServices
from mmrobot.ros.node_process import run_node
from mmrobot.ros.overlay import annotate
from mmrobot.ros.parameters import declare_config
from mmrobot.ros.plan_services import PlanServices
from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.ros.status import StatusPublisher
from mmrobot.ros.stop_listener import StopListener
from mmrobot.ros.talks import Talks
from mmrobot.ros.task import Outcome, Phase, Task
from mmrobot.ros.transform_listener import TransformListener
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import ActionPlan, Answer, GroundedObject, RgbdFrame
from mmrobot_msgs.action import ExecutePlan, FollowInstruction
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg
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
MEND_FIRST = "mend that, then give the instruction again"


class VlmNode(ManagedNode):
    """The composition: picture source, model, conductor, services. It is the conductor's Stage."""

    def __init__(self) -> None:
        super().__init__("vlm")
        settings = LiveSettings(self, declare_config(self), LIVE, self._use, {"approval": "command.approval"})
        self._config = settings.config
        # The arm server holds by itself at the heartbeat's timeout_s; here a task is given up.
        self._silence_limit_s = self._config.heartbeat.give_up_s
        self._inference = InferenceThread()
        self._transforms = TransformBuffer()
        TransformListener(self, self._transforms)
        self._frames = FrameSource(
            self, self._config.camera, self._transforms, self._config.grounding.without_depth
        )
        self._monitor = HeartbeatMonitor(self, TICK_S, CATCH_UP_S)
        self._lives: dict[str, str] = {}
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
        self._execution: ActionCall | None = None
        self._tasks: dict[bytes, Task] = {}
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
        groups = [MutuallyExclusiveCallbackGroup() for _ in range(4)]
        self._plan_out = self.create_publisher(ActionPlanMsg, "plan", LATCHED)
        self._markers_out = self.create_publisher(MarkerArray, "plan/markers", LATCHED)
        self._picture_out = self.create_publisher(Image, "image_annotated", LATCHED)
        self._stop_out = self.create_publisher(Empty, "stop_all", COMMAND)
        self._words_out = self.create_publisher(String, "instruction", COMMAND)
        self._executor = ActionCaller(self, ExecutePlan, "execute_plan")
        self._server = ActionServer(
            self,
            FollowInstruction,
            "follow_instruction",
            execute_callback=lambda handle: FollowInstruction.Result(),
            goal_callback=lambda _: GoalResponse.ACCEPT,
            handle_accepted_callback=self._accept,
            cancel_callback=self._cancel,
            callback_group=groups[0],
        )
        self.create_subscription(String, "instruction", self._hear, COMMAND, callback_group=groups[1])
        self.create_subscription(
            GroundedObjectMsg, "executor/held", self._take_held, LATCHED, callback_group=groups[1]
        )
        PlanServices(self, self._conductor, self._talks)
        ExplainService(self, self._inference, self._pipeline, self._config.audit)
        ModelServices(self, self._inference, self._pipeline, self.look, lambda: self._config.model.timeout_s)
        self._stops = StopListener(self, self._hear_stop)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK_S, self._tick, callback_group=groups[2], clock=steady)
        health = HealthReporter(self, self._status, self.problems, {"model": self._model.facts})
        self.create_timer(1.0, health.report, callback_group=groups[3], clock=steady)

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
        for name in WATCHED:
            problem: MmrobotError | None = None
            if self._monitor.missing([name], self._silence_limit_s):
                problem = RobotUnavailableError(f"no heartbeat of '{name}'", "start the node")
            elif self._monitor.idle([name]):
                problem = RobotUnavailableError(f"'{name}' is not active", "activate it: ros2 lifecycle set")
            parts.append((name, problem))
        return parts

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

    def _accept(self, handle: ServerGoalHandle) -> None:
        goal = DeferredGoal(handle)
        request = goal.request
        key = bytes(handle.goal_id.uuid)

        def progress(phase: str, message: str, step: int, options: tuple[str, ...]) -> None:
            plan = task.plan
            goal.feedback(
                FollowInstruction.Feedback(
                    phase=phase,
                    step_index=step,
                    steps_total=len(plan.steps) if plan else 0,
                    message=message,
                    plan_id=plan.plan_id if plan else "",
                    plan_digest=plan.digest if plan else "",
                    options=list(options),
                )
            )

        def end(outcome: Outcome) -> None:
            self._tasks.pop(key, None)
            goal.finish(_result(outcome))

        try:
            pointings = tuple(pointing_from_message(p) for p in request.pointings)
        except ValueError as error:
            end(Outcome(InvalidInstructionError(str(error), "point with a box of x1 >= x0 and y1 >= y0")))
            return
        task = Task(request.instruction, request.plan_only, progress, end, request.conversation, pointings)
        self._tasks[key] = task
        self._submit(task)

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        task = self._tasks.get(bytes(handle.goal_id.uuid))
        if task is not None:
            # Later, from another thread: rclpy sets the goal to canceling only after this answer.
            threading.Timer(0.02, self._conductor.cancel, (task,)).start()
        return CancelResponse.ACCEPT

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
        self._plan_out.publish(plan_to_message(plan))
        self._markers_out.publish(plan_markers(plan))
        frame = self._talks.frame
        if frame is not None:
            drawn = annotate(frame.rgb, plan, frame.camera, frame.T_base_camera)
            self._picture_out.publish(
                camera_messages.rgb_to_message(drawn, frame.stamp_ns, frame.camera.frame_id)
            )

    def execute(
        self,
        plan: ActionPlan,
        on_step: Callable[[int, str], None],
        on_end: Callable[[MmrobotError | None, int, str], None],
    ) -> None:
        """Send the plan to the executor; its answers arrive in callbacks."""
        if not self.active:
            raise self._not_active()
        if not self._executor.ready:
            raise RobotUnavailableError("nobody serves the action 'execute_plan'", "start the executor node")

        def ended(result: ExecutePlan.Result | None) -> None:
            if result is None:
                on_end(RobotUnavailableError("the executor refused the plan", "start it again"), 0, "")
                return
            code = error_code(result.error_code)
            if code is ErrorCode.STOPPED:
                self._stops.know(result.stops_heard)
            error = None
            if code is not ErrorCode.NONE:
                error = MmrobotError(result.error_message, result.fix or MEND_FIRST)
                error.code = code
            on_end(error, int(result.steps_done), str(result.report))

        self._lives = self._monitor.lives(WATCHED)
        self._execution = self._executor.send(
            ExecutePlan.Goal(plan=plan_to_message(plan), stops_heard=self._stops.heard()),
            on_end=ended,
            on_feedback=lambda f: on_step(int(f.step_index), f.message),
        )

    def cancel_execution(self) -> None:
        """Cancel the executor's goal, also one that it has not accepted yet."""
        execution, self._execution = self._execution, None
        if execution is not None:
            execution.cancel()

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
        return self._monitor.missing(WATCHED, self._silence_limit_s, self._lives)


def _result(outcome: Outcome) -> FollowInstruction.Result:
    error, plan = outcome.error, outcome.plan
    result = FollowInstruction.Result(
        success=error is None,
        steps_done=outcome.steps_done,
        steps_total=len(plan.steps) if plan else 0,
    )
    if error is not None:
        result.error_code, result.error_message, result.fix = int(error.code), error.message, error.fix
    if plan is not None:
        result.plan = plan_to_message(plan)
    result.answer, result.report = outcome.answer, outcome.report
    return result


def main() -> int:
    """Run the node."""
    return run_node(VlmNode, threads=10)


if __name__ == "__main__":
    raise SystemExit(main())

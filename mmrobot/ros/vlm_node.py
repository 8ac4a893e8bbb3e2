"""Looks, reads and plans: `follow_instruction` and `instruction` in, plans to the executor, words to people.

    python -m mmrobot.ros.vlm_node --ros-args -p model:=mmrobot-nano

The model is asked on one inference thread; setting the parameter `model` changes it while running. Stop
never passes through here: the arm server and the executor hear it themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Empty, String
from visualization_msgs.msg import MarkerArray

from mmrobot.audit.auditor import Auditor
from mmrobot.command.stop_words import is_stop
from mmrobot.conversation import Conversation
from mmrobot.errors import (
    ErrorCode,
    MmrobotError,
    RobotUnavailableError,
)
from mmrobot.ros import camera_messages
from mmrobot.ros.action_caller import ActionCall, ActionCaller
from mmrobot.ros.conductor import Conductor, Outcome, Task
from mmrobot.ros.deferred_goal import DeferredGoal
from mmrobot.ros.frame_source import FrameSource
from mmrobot.ros.health import HealthReporter
from mmrobot.ros.heartbeat import CATCH_UP_S, Heartbeat, HeartbeatMonitor
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.markers import plan_markers
from mmrobot.ros.messages import error_code, object_from_message, plan_to_message
from mmrobot.ros.model_holder import ModelHolder
from mmrobot.ros.model_services import ModelServices
from mmrobot.ros.node_process import run_node
from mmrobot.ros.overlay import annotate
from mmrobot.ros.parameters import declare, declare_config
from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.ros.status import StatusPublisher
from mmrobot.ros.stop_listener import StopListener
from mmrobot.ros.transform_listener import TransformListener
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import ActionPlan, Answer, GroundedObject, RgbdFrame
from mmrobot_msgs.action import ExecutePlan, FollowInstruction
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg
from mmrobot_msgs.msg import GroundedObject as GroundedObjectMsg
from mmrobot_msgs.srv import ApprovePlan

WATCHED = ("executor", "arm_server")
TICK_S = 0.1
LOOK_TIMEOUT_S = 12.0
MEND_FIRST = "mend that, then give the instruction again"


class VlmNode(Node):
    """The composition: picture source, model, conductor, services. It is the conductor's Stage."""

    def __init__(self) -> None:
        super().__init__("vlm")
        self._config = declare_config(self)
        approval = declare(self, "require_approval", False, "true: each plan waits for approve_plan")
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
        self._status = StatusPublisher(self)
        self._model = ModelHolder(self, self._inference, self._config, self._status)
        self._held: GroundedObject | None = None
        self._conversation: Conversation | None = None
        self._auditor: Auditor | None = None
        self._frame_of_plan: RgbdFrame | None = None
        self._execution: ActionCall | None = None
        self._tasks: dict[bytes, Task] = {}
        self._conductor = Conductor(self, self._inference, self._config, bool(approval))
        self._connect()
        self._heartbeat = Heartbeat(self, "vlm")

    def close(self) -> None:
        """End the running task and the threads."""
        self._conductor.stop("the vlm node shuts down")
        self._heartbeat.close()
        self._model.close()
        self._inference.close()
        if self._auditor is not None:
            self._auditor.close()

    def _connect(self) -> None:
        groups = [MutuallyExclusiveCallbackGroup() for _ in range(5)]
        self._plan_out = self.create_publisher(ActionPlanMsg, "plan", LATCHED)
        self._markers_out = self.create_publisher(MarkerArray, "plan/markers", LATCHED)
        self._picture_out = self.create_publisher(Image, "image_annotated", LATCHED)
        self._stop_out = self.create_publisher(Empty, "stop_all", COMMAND)
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
        self.create_service(ApprovePlan, "approve_plan", self._serve_approval, callback_group=groups[2])
        ModelServices(self, self._inference, self._model.pipeline, self.look)
        self._stops = StopListener(self, self._hear_stop)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK_S, self._tick, callback_group=groups[3], clock=steady)
        health = HealthReporter(self, self._status, self.problems, {"model": self._model.facts})
        self.create_timer(1.0, health.report, callback_group=groups[4], clock=steady)

    def _tick(self) -> None:
        self._monitor.turn()
        self._conductor.tick()

    # -- what is needed ---------------------------------------------------------------------------

    def look(self, after_ns: int = 0) -> RgbdFrame:
        """The newest frame; on the inference thread only."""
        return self._frames.look(after_ns, LOOK_TIMEOUT_S)

    def problems(self) -> list[tuple[str, MmrobotError | None]]:
        """(part, what is wrong with it) of everything needed before an instruction can be followed."""
        parts: list[tuple[str, MmrobotError | None]] = [
            ("camera", self._frames.problem()),
            ("model", self._model.problem()),
        ]
        for name in WATCHED:
            silent = self._monitor.missing([name], self._silence_limit_s)
            missing = RobotUnavailableError(f"no heartbeat of '{name}'", "start the node") if silent else None
            parts.append((name, missing))
        return parts

    # -- instructions ----------------------------------------------------------------------------

    def _hear(self, message: String) -> None:
        # Stop words are the StopListener's: heard a second time here, a late one would end the next task.
        if not is_stop(message.data):
            self._conductor.submit(Task(message.data))

    def _hear_stop(self, reason: str) -> None:
        self._conductor.stop(reason)
        self._status.report("stopped", f"the robot holds still: {reason}")

    def _accept(self, handle: ServerGoalHandle) -> None:
        goal = DeferredGoal(handle)
        request = goal.request

        def progress(phase: str, message: str, step: int, options: tuple[str, ...]) -> None:
            steps = len(task.plan.steps) if task.plan else 0
            goal.feedback(
                FollowInstruction.Feedback(
                    phase=phase, step_index=step, steps_total=steps, message=message, options=list(options)
                )
            )

        key = bytes(handle.goal_id.uuid)

        def end(outcome: Outcome) -> None:
            self._tasks.pop(key, None)
            goal.finish(_result(outcome))

        task = Task(request.instruction, request.plan_only, progress, end)
        self._tasks[key] = task
        self._conductor.submit(task)

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        task = self._tasks.get(bytes(handle.goal_id.uuid))
        if task is not None:
            # Later, from another thread: rclpy sets the goal to canceling only after this answer.
            threading.Timer(0.02, self._conductor.cancel, (task,)).start()
        return CancelResponse.ACCEPT

    def _serve_approval(
        self, request: ApprovePlan.Request, response: ApprovePlan.Response
    ) -> ApprovePlan.Response:
        try:
            response.message = self._conductor.approve(request.plan_id, request.digest, request.approve)
            response.accepted = True
        except MmrobotError as error:
            response.error_code, response.error_message, response.fix = (
                int(error.code),
                error.message,
                error.fix,
            )
        return response

    def _take_held(self, message: GroundedObjectMsg) -> None:
        self._held = object_from_message(message) if message.located else None

    # -- the conductor's Stage -------------------------------------------------------------------

    def make_plan(self, instruction: str, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        """On the inference thread."""
        pipeline = self._model.pipeline()
        frame = self.look(after_ns)
        if self._conversation is None or self._conversation.pipeline is not pipeline:
            self._conversation = Conversation(pipeline)
            self._audit_anew(self._conversation)
        held, now_ns = self._held, self.now_ns()
        try:
            made = self._conversation.respond(frame, instruction, dialogue, held, now_ns)
        except MmrobotError as error:
            self._note(frame, instruction, error, held, now_ns)
            raise
        self._frame_of_plan = frame
        self._note(frame, instruction, made, held, now_ns)
        return made

    def answer(self, question: str) -> Answer | None:
        """On the inference thread, while a plan is carried out."""
        if self._conversation is None or self._conversation.pipeline is not self._model.pipeline():
            return None
        return self._conversation.aside(self.look(), question)

    def _audit_anew(self, conversation: Conversation) -> None:
        if self._auditor is not None:
            self._auditor.close()
        self._auditor = Auditor(conversation, self.get_logger().warning)

    def _note(
        self,
        frame: RgbdFrame,
        instruction: str,
        made: ActionPlan | Answer | MmrobotError,
        held: GroundedObject | None,
        now_ns: int,
    ) -> None:
        if self._auditor is not None:
            self._auditor.note(frame, instruction, made, held, now_ns)

    def publish_plan(self, plan: ActionPlan) -> None:
        """Plan, markers and the picture with both drawn in."""
        self._plan_out.publish(plan_to_message(plan))
        self._markers_out.publish(plan_markers(plan))
        frame = self._frame_of_plan
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

    def stop_all(self) -> None:
        """Hold the robot."""
        self._stop_out.publish(Empty())

    def report(self, state: str, message: str, error: MmrobotError | None, task: Task) -> None:
        """To `status`; questions, answers and refusals to `speech` too."""
        instruction = task.instruction[:200]
        steps = len(task.plan.steps) if task.plan else 0
        self._status.report(state, message, error, instruction=instruction, steps=steps)
        if error is not None or task.answer:
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

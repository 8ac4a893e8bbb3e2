"""One task at a time, the newest wins, and every end is told once: without ROS, on a fake stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mmrobot.command.stop_words import StopKind
from mmrobot.config import Config
from mmrobot.errors import ErrorCode, ExecutionFailedError, MmrobotError, StaleError, TargetNotFoundError
from mmrobot.ros.conductor import Conductor
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.task import Outcome, Phase, Task
from mmrobot.types import ActionPlan, Answer, PlanStep


class FakeStage:
    """Plans at once (or when `gate` opens); execution ends when the test says so."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.error: MmrobotError | None = None
        self.executed: list[ActionPlan] = []
        self.end: Callable[[MmrobotError | None, int], None] | None = None
        self.cancelled = 0
        self.published: list[ActionPlan] = []
        self.missing: list[str] = []
        self.reports: list[tuple[str, str]] = []
        self.halts: list[tuple[StopKind, str]] = []
        self.forgotten: list[str] = []
        self.told: list[tuple[str, ...]] = []
        self.confidence = 1.0

    def make_plan(self, task: Task, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        assert self.gate.wait(5)
        self.told.append(dialogue)
        if self.error is not None:
            raise self.error
        words = f"the rest of {task.instruction}" if task.resumes else task.instruction
        if words.endswith("?"):
            return Answer(words, "two")
        return ActionPlan(f"id-{words}", words, (PlanStep(0, "home"),), 1, "fake", self.confidence)

    def aside(self, task: Task) -> Answer | None:
        if self.error is not None:
            raise self.error
        return Answer(task.instruction, "two") if task.instruction.endswith("?") else None

    def publish_plan(self, plan: ActionPlan) -> None:
        self.published.append(plan)

    def execute(self, plan, on_step, on_end) -> None:
        self.executed.append(plan)
        self.end = on_end

    def cancel_execution(self) -> None:
        self.cancelled += 1

    def halt(self, kind: StopKind, words: str) -> None:
        self.halts.append((kind, words))

    def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)

    def report(self, state, message, error, task) -> None:
        self.reports.append((state, message))

    def now_ns(self) -> int:
        return 7

    def silent(self) -> list[str]:
        return self.missing


@pytest.fixture
def stage() -> FakeStage:
    return FakeStage()


@pytest.fixture
def inference() -> Iterator[InferenceThread]:
    thread = InferenceThread()
    yield thread
    thread.close()


def make(stage: FakeStage, inference: InferenceThread, approval: str = "never") -> Conductor:
    return Conductor(stage, inference, Config.model_validate({"command": {"approval": approval}}))


def task(words: str, ends: list[Outcome], plan_only: bool = False) -> Task:
    return Task(words, plan_only, on_end=ends.append)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def code(outcome: Outcome) -> ErrorCode:
    return ErrorCode.NONE if outcome.error is None else outcome.error.code


def test_plan_is_published_executed_and_its_end_told(stage, inference) -> None:
    conductor, ends = make(stage, inference), []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    assert stage.published == stage.executed
    stage.end(None, 1, "done: the cube in the bowl")
    assert [code(e) for e in ends] == [ErrorCode.NONE]
    assert ends[0].steps_done == 1
    assert ends[0].report == "done: the cube in the bowl"
    assert stage.reports[-1] == ("done", "done: the cube in the bowl")
    assert conductor.task is None


def test_a_question_is_answered_while_the_plan_goes_on(stage, inference) -> None:
    conductor, ends, answers = make(stage, inference), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.submit(task("how many cubes are there?", answers))
    until(lambda: answers)
    assert answers[0].answer == "two" and answers[0].error is None
    assert ("answered", "two") in stage.reports
    assert stage.cancelled == 0 and ends == [] and conductor.task is not None
    stage.end(None, 1, "")
    assert [code(e) for e in ends] == [ErrorCode.NONE]


def test_what_only_sounds_like_a_question_takes_the_place_of_the_plan(stage, inference) -> None:
    conductor, ends, newer = make(stage, inference), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.submit(task("could you go home", newer))
    until(lambda: ends)
    assert code(ends[0]) is ErrorCode.PREEMPTED and stage.cancelled == 1


def test_a_question_that_cannot_be_answered_ends_nothing_else(stage, inference) -> None:
    conductor, ends, answers = make(stage, inference), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    stage.error = TargetNotFoundError("there is no 'cup'")
    conductor.submit(task("what is in the cup?", answers))
    until(lambda: answers)
    assert code(answers[0]) is ErrorCode.TARGET_NOT_FOUND and ends == []


def test_planning_error_reaches_the_client_and_nothing_is_executed(stage, inference) -> None:
    stage.error = TargetNotFoundError("there is no 'cup'")
    ends: list[Outcome] = []
    make(stage, inference).submit(task("pick up the cup", ends))
    until(lambda: ends)
    assert code(ends[0]) is ErrorCode.TARGET_NOT_FOUND
    assert not stage.executed


def test_an_answer_ends_the_task_in_words_and_nothing_is_executed(stage, inference) -> None:
    ends: list[Outcome] = []
    conductor = make(stage, inference)
    conductor.submit(task("how many cubes are there?", ends))
    until(lambda: ends)
    assert ends == [Outcome(None, answer="two")]
    assert ("answered", "two") in stage.reports
    assert not stage.executed and not stage.published and conductor.task is None


def test_newer_one_while_the_model_is_busy(stage, inference) -> None:
    conductor, old, new = make(stage, inference), [], []
    stage.gate.clear()
    conductor.submit(task("old", old))
    conductor.submit(task("new", new))
    assert [code(e) for e in old] == [ErrorCode.PREEMPTED]
    stage.gate.set()
    until(lambda: stage.executed)
    assert [p.instruction for p in stage.published] == ["new"]


def test_newer_one_while_moving_waits_for_the_arm_then_goes_home_first(stage, inference) -> None:
    conductor, old, new = make(stage, inference), [], []
    conductor.submit(task("old", old))
    until(lambda: stage.executed)
    conductor.submit(task("new", new))
    until(lambda: old)
    assert stage.cancelled == 1
    assert [code(e) for e in old] == [ErrorCode.PREEMPTED]
    assert len(stage.executed) == 1
    stage.end(ExecutionFailedError("cancelled"), 0, "")
    assert [s.skill for s in stage.executed[-1].steps] == ["home"]
    assert stage.executed[-1].model == "none"
    stage.end(None, 1, "")
    until(lambda: len(stage.executed) == 3)
    assert stage.executed[-1].instruction == "new"


def test_stop_ends_the_task_and_a_late_end_is_ignored(stage, inference) -> None:
    conductor, ends = make(stage, inference), []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.halted(StopKind.STOP, "somebody said stop")
    stage.end(None, 1, "")
    conductor.halted(StopKind.STOP, "again")
    assert [code(e) for e in ends] == [ErrorCode.STOPPED]


def test_stop_word_as_instruction_stops_without_the_model(stage, inference) -> None:
    conductor, first, second = make(stage, inference), [], []
    conductor.submit(task("go", first))
    until(lambda: stage.executed)
    conductor.submit(task("Stop!", second))
    assert stage.halts == [(StopKind.STOP, "Stop!")]
    assert second[0].answer == "stopped"
    assert code(first[0]) is ErrorCode.STOPPED
    assert code(second[0]) is ErrorCode.NONE


def test_plan_only_ends_with_the_plan(stage, inference) -> None:
    ends: list[Outcome] = []
    make(stage, inference).submit(task("go", ends, plan_only=True))
    until(lambda: ends)
    assert ends[0].error is None and ends[0].plan is not None
    assert not stage.executed


def test_approval_is_bound_to_the_digest(stage, inference) -> None:
    conductor, ends = make(stage, inference, approval="always"), []
    with pytest.raises(StaleError):
        conductor.approve("x", "y", True)
    conductor.submit(task("go", ends))
    until(lambda: stage.published)
    plan = stage.published[0]
    until(lambda: conductor.task is not None and conductor.task.plan is not None)
    with pytest.raises(StaleError, match="is not the one that waits"):
        conductor.approve(plan.plan_id, "0" * 64, True)
    assert not stage.executed
    assert conductor.approve(plan.plan_id, plan.digest, True) == "approved"
    assert stage.executed == [plan]


def test_rejected_plan_is_dropped(stage, inference) -> None:
    conductor, ends = make(stage, inference, approval="always"), []
    conductor.submit(task("go", ends))
    until(lambda: stage.published)
    assert conductor.approve(stage.published[0].plan_id, stage.published[0].digest, False) == "rejected"
    assert code(ends[0]) is ErrorCode.CANCELLED
    assert not stage.executed


def test_only_risky_plans_wait_where_asked_for_and_say_why(stage, inference) -> None:
    conductor, ends, told = make(stage, inference, approval="risky"), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    stage.end(None, 1, "")
    stage.confidence = 0.5
    unsure = Task("go far", on_progress=lambda *said: told.append(said), on_end=ends.append)
    conductor.submit(unsure)
    until(lambda: unsure.phase is Phase.APPROVAL)
    phase, message, _, options = told[-1]
    assert phase == "approval" and "50%" in message and options == ("approve", "reject")
    assert len(stage.executed) == 1


@pytest.mark.parametrize(("words", "approved"), [("approve", True), ("Reject it.", False)])
def test_a_word_decides_on_the_plan_that_waits(stage, inference, words: str, approved: bool) -> None:
    conductor, ends, said = make(stage, inference, approval="always"), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.published)
    conductor.submit(task(words, said))
    assert said[0].error is None
    assert bool(stage.executed) is approved
    assert [code(e) for e in ends] == ([] if approved else [ErrorCode.CANCELLED])


def test_a_question_leaves_the_plan_that_waits(stage, inference) -> None:
    conductor, ends, answers = make(stage, inference, approval="always"), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.published)
    conductor.submit(task("how many cubes are there?", answers))
    until(lambda: answers)
    assert conductor.task is not None and conductor.task.phase is Phase.APPROVAL and ends == []


def test_an_edited_plan_waits_in_the_place_of_the_other(stage, inference) -> None:
    conductor, ends = make(stage, inference, approval="always"), []
    conductor.submit(task("go", ends))
    until(lambda: conductor.task is not None and conductor.task.phase is Phase.APPROVAL)
    old = stage.published[0]
    other = ActionPlan("other", "go", (PlanStep(0, "home"), PlanStep(1, "home")), 1, "fake")
    with pytest.raises(StaleError):
        conductor.edit(old.plan_id, "0" * 64, lambda *_: other, 5)
    assert conductor.edit(old.plan_id, old.digest, lambda *_: other, 5) is other
    with pytest.raises(StaleError):
        conductor.approve(old.plan_id, old.digest, True)
    conductor.approve(other.plan_id, other.digest, True)
    assert stage.executed == [other] and stage.published == [old, other]


def test_an_edit_that_fails_leaves_the_plan_that_waits(stage, inference) -> None:
    conductor, ends = make(stage, inference, approval="always"), []
    conductor.submit(task("go", ends))
    until(lambda: conductor.task is not None and conductor.task.phase is Phase.APPROVAL)
    plan = stage.published[0]

    def fails(*_):
        raise TargetNotFoundError("there is no 'cup'")

    with pytest.raises(TargetNotFoundError):
        conductor.edit(plan.plan_id, plan.digest, fails, 5)
    assert conductor.approve(plan.plan_id, plan.digest, True) == "approved"


def test_a_held_task_goes_on_with_the_rest_and_both_hear_of_its_end(stage, inference) -> None:
    conductor, ends, held, on = make(stage, inference), [], [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.submit(task("hold on", held))
    assert stage.halts == [(StopKind.HOLD, "hold on")] and held[0].answer == "holding"
    # The executor's end, and others' news of that stop, change nothing.
    stage.end(ExecutionFailedError("stopped"), 0, "")
    conductor.halted_elsewhere("a stop that others have heard")
    assert conductor.task is not None and conductor.task.phase is Phase.HELD and ends == []
    conductor.submit(task("go on", on))
    assert [s.skill for s in stage.executed[-1].steps] == ["home"] and stage.executed[-1].model == "none"
    stage.end(None, 1, "")
    until(lambda: len(stage.executed) == 3)
    assert stage.executed[-1].instruction == "the rest of go"
    stage.end(None, 1, "done")
    assert [e.report for e in (*ends, *on)] == ["done", "done"]


def test_a_task_held_before_it_began_is_planned_as_a_whole(stage, inference) -> None:
    conductor, ends, others = make(stage, inference, approval="always"), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.published)
    conductor.submit(task("wait", others))
    conductor.submit(task("go on", others))
    until(lambda: len(stage.published) == 2)
    assert stage.published[-1].instruction == "go"


@pytest.mark.parametrize(("words", "ended"), [("stop", "STOPPED"), ("never mind", "CANCELLED")])
def test_what_is_held_can_be_stopped_or_cancelled(stage, inference, words: str, ended: str) -> None:
    conductor, ends, others = make(stage, inference), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.submit(task("hold", others))
    conductor.submit(task(words, others))
    assert [code(e).name for e in ends] == [ended] and conductor.task is None
    assert stage.forgotten == ([""] if ended == "CANCELLED" else [])


def test_what_nobody_goes_on_with_is_dropped_in_time(stage, inference) -> None:
    config = Config.model_validate({"command": {"hold_for_s": 0.01}})
    conductor, ends, others = Conductor(stage, inference, config), [], []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.submit(task("hold", others))
    time.sleep(0.03)
    conductor.tick()
    assert code(ends[0]) is ErrorCode.TIMEOUT


def test_then_waits_for_the_end(stage, inference) -> None:
    conductor, first, second = make(stage, inference), [], []
    conductor.submit(task("go", first))
    until(lambda: stage.executed)
    conductor.submit(task("then go further", second))
    assert first == [] and second == [] and ("queued", "after that: go further") in stage.reports
    stage.end(None, 1, "")
    until(lambda: len(stage.executed) == 2)
    assert stage.executed[-1].instruction == "go further"
    stage.end(None, 1, "")
    assert [code(e) for e in (*first, *second)] == [ErrorCode.NONE] * 2


@pytest.mark.parametrize("how", ["fails", "stop", "newer", "cancelled"])
def test_what_waits_does_not_begin_after_a_bad_end(stage, inference, how: str) -> None:
    conductor, first, second, third = make(stage, inference), [], [], []
    conductor.submit(task("go", first))
    until(lambda: stage.executed)
    waiting = task("after that go further", second)
    conductor.submit(waiting)
    if how == "fails":
        stage.end(ExecutionFailedError("no grip"), 0, "")
    elif how == "stop":
        conductor.submit(task("stop", third))
    elif how == "cancelled":
        conductor.cancel(waiting)
    else:
        conductor.submit(task("something else", third))
    until(lambda: second)
    expected = {"stop": ErrorCode.STOPPED, "newer": ErrorCode.PREEMPTED}.get(how, ErrorCode.CANCELLED)
    assert [code(e) for e in second] == [expected]
    assert "go further" not in [p.instruction for p in stage.executed]


def test_too_many_that_wait_are_refused(stage, inference) -> None:
    conductor = Conductor(stage, inference, Config.model_validate({"command": {"max_queued": 1}}))
    ends: list[Outcome] = []
    conductor.submit(task("go", []))
    until(lambda: stage.executed)
    conductor.submit(task("then one", ends))
    conductor.submit(task("then two", ends))
    assert [code(e) for e in ends] == [ErrorCode.BUSY]


def test_a_request_does_not_wait_for_a_slow_reader(inference) -> None:
    class Slow(FakeStage):
        read = threading.Event()

        def aside(self, task: Task) -> Answer | None:
            assert self.read.wait(5)
            return None

    stage = Slow()
    config = Config.model_validate({"command": {"read_within_s": 0.01}})
    conductor, first, second = Conductor(stage, inference, config), [], []
    conductor.submit(task("go", first))
    until(lambda: stage.executed)
    conductor.submit(task("go elsewhere", second))
    time.sleep(0.03)
    conductor.tick()
    assert [code(e) for e in first] == [ErrorCode.PREEMPTED] and stage.cancelled == 1
    stage.read.set()


def test_each_conversation_has_turns_of_its_own(stage, inference) -> None:
    conductor, ends = make(stage, inference), []
    for words, name in (("what is it?", "a"), ("and this?", "b"), ("how many?", "a")):
        conductor.submit(Task(words, on_end=ends.append, conversation=name))
        count = len(ends)
        until(lambda n=count: len(ends) > n or (stage.told[-1:] and conductor.task is None))
    until(lambda: len(ends) == 3)
    assert stage.told == [(), (), ("what is it?", "two")]


def test_silent_executor_stops_everything(stage, inference) -> None:
    conductor, ends = make(stage, inference), []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    stage.missing = ["executor"]
    conductor.tick()
    assert [kind for kind, _ in stage.halts] == [StopKind.STOP]
    assert code(ends[0]) is ErrorCode.ROBOT_UNAVAILABLE
    assert "executor" in ends[0].error.message


@pytest.mark.parametrize("lost", [True, False])
def test_what_is_said_after_a_stop_begins_though_the_dead_never_told_the_end(stage, inference, lost) -> None:
    conductor, ends = make(stage, inference), []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    conductor.halted(StopKind.STOP, "the manager stopped the robot")
    stage.missing = ["executor"] if lost else []
    conductor.tick()
    stage.missing = []
    conductor.submit(task("go again", ends))
    until(lambda: conductor.task is not None and (len(stage.executed) == 2) == lost)
    assert conductor.task.phase is (Phase.HOMING if lost else Phase.HANDOVER)
    assert stage.halts == [] and len(ends) == 1


def test_model_that_never_answers_runs_into_its_time(stage, inference) -> None:
    conductor, ends = (
        Conductor(stage, inference, Config.model_validate({"model": {"timeout_s": 0.01}})),
        [],
    )
    stage.gate.clear()
    conductor.submit(task("go", ends))
    time.sleep(0.03)
    conductor.tick()
    assert code(ends[0]) is ErrorCode.TIMEOUT
    stage.gate.set()


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_what_was_ended_while_the_model_read_it_never_moves(inference, how: str) -> None:
    class Reading(FakeStage):
        def __init__(self) -> None:
            super().__init__()
            self.asked, self.read = threading.Event(), threading.Event()

        def aside(self, task: Task) -> Answer | None:
            self.asked.set()
            assert self.read.wait(5)
            return None

    stage = Reading()
    conductor, first, second = make(stage, inference), [], []
    conductor.submit(task("go", first))
    until(lambda: stage.executed)
    asked = task("could you see to it that the cube is in the bowl", second)
    conductor.submit(asked)
    assert stage.asked.wait(5)
    if how == "stop":
        conductor.halted(StopKind.STOP, "somebody said stop")
    else:
        conductor.cancel(asked)
    assert [code(e).name for e in second] == ["STOPPED" if how == "stop" else "CANCELLED"]
    stage.read.set()
    inference.submit("after", lambda: None).result(5)
    assert [p.instruction for p in stage.executed] == ["go"]
    assert [code(e).name for e in first] == (["STOPPED"] if how == "stop" else [])
    assert len(second) == 1

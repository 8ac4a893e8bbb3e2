"""One task at a time, the newest wins, and every end is told once: without ROS, on a fake stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mmrobot.config import Config
from mmrobot.errors import ErrorCode, ExecutionFailedError, MmrobotError, StaleError, TargetNotFoundError
from mmrobot.ros.conductor import Conductor, Outcome, Task
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.types import ActionPlan, Answer, PlanStep


class FakeStage:
    """Plans at once (or when `gate` opens); execution ends when the test says so."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.error: MmrobotError | None = None
        self.executed: list[ActionPlan] = []
        self.end: Callable[[MmrobotError | None, int], None] | None = None
        self.cancelled = self.stopped = 0
        self.published: list[ActionPlan] = []
        self.missing: list[str] = []
        self.reports: list[tuple[str, str]] = []

    def make_plan(self, instruction: str, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        assert self.gate.wait(5)
        if self.error is not None:
            raise self.error
        if instruction.endswith("?"):
            return Answer(instruction, "two")
        return ActionPlan("id-" + instruction, instruction, (PlanStep(0, "home"),), 1, "fake")

    def answer(self, question: str) -> Answer | None:
        if self.error is not None:
            raise self.error
        return None if question.startswith("could you") else Answer(question, "two")

    def publish_plan(self, plan: ActionPlan) -> None:
        self.published.append(plan)

    def execute(self, plan, on_step, on_end) -> None:
        self.executed.append(plan)
        self.end = on_end

    def cancel_execution(self) -> None:
        self.cancelled += 1

    def stop_all(self) -> None:
        self.stopped += 1

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


def make(stage: FakeStage, inference: InferenceThread, approval: bool = False) -> Conductor:
    return Conductor(stage, inference, Config(), approval)


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
    conductor.stop("somebody said stop")
    stage.end(None, 1, "")
    conductor.stop("again")
    assert [code(e) for e in ends] == [ErrorCode.STOPPED]


def test_stop_word_as_instruction_stops_without_the_model(stage, inference) -> None:
    conductor, first, second = make(stage, inference), [], []
    conductor.submit(task("go", first))
    until(lambda: stage.executed)
    conductor.submit(task("Stop!", second))
    assert stage.stopped == 1
    assert code(first[0]) is ErrorCode.STOPPED
    assert code(second[0]) is ErrorCode.NONE


def test_plan_only_ends_with_the_plan(stage, inference) -> None:
    ends: list[Outcome] = []
    make(stage, inference).submit(task("go", ends, plan_only=True))
    until(lambda: ends)
    assert ends[0].error is None and ends[0].plan is not None
    assert not stage.executed


def test_approval_is_bound_to_the_digest(stage, inference) -> None:
    conductor, ends = make(stage, inference, approval=True), []
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
    conductor, ends = make(stage, inference, approval=True), []
    conductor.submit(task("go", ends))
    until(lambda: stage.published)
    assert conductor.approve(stage.published[0].plan_id, stage.published[0].digest, False) == "rejected"
    assert code(ends[0]) is ErrorCode.CANCELLED
    assert not stage.executed


def test_silent_executor_stops_everything(stage, inference) -> None:
    conductor, ends = make(stage, inference), []
    conductor.submit(task("go", ends))
    until(lambda: stage.executed)
    stage.missing = ["executor"]
    conductor.tick()
    assert stage.stopped == 1
    assert code(ends[0]) is ErrorCode.ROBOT_UNAVAILABLE
    assert "executor" in ends[0].error.message


def test_model_that_never_answers_runs_into_its_time(stage, inference) -> None:
    conductor, ends = (
        Conductor(stage, inference, Config.model_validate({"model": {"timeout_s": 0.01}}), False),
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

        def answer(self, question: str) -> Answer | None:
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
        conductor.stop("somebody said stop")
    else:
        conductor.cancel(asked)
    assert [code(e).name for e in second] == ["STOPPED" if how == "stop" else "CANCELLED"]
    stage.read.set()
    inference.submit("after", lambda: None).result(5)
    assert [p.instruction for p in stage.executed] == ["go"]
    assert [code(e).name for e in first] == (["STOPPED"] if how == "stop" else [])
    assert len(second) == 1

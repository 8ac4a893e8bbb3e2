"""Talking to the whole graph: plans are approved, edited, held, resumed, queued, pointed at, explained."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from mmrobot.errors import ErrorCode, StaleError
from mmrobot.ros.client import Follow
from mmrobot.ros.messages import plan_from_message
from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from mmrobot.types import ActionPlan, Pointing
from mmrobot_msgs.msg import Retarget
from mmrobot_msgs.srv import ApprovePlan, EditPlan, Explain
from tests.support.graph import PATIENT, SCENE, Graph, running_graph

pytestmark = pytest.mark.timeout(240)
THERE = Scene.from_dict(SCENE)


class Talk:
    """What a person hears and sees."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.plans = graph, []
        self.told: list[tuple[Follow, Any]] = []
        self._lock = threading.Lock()
        graph.client.on_plan = self._take
        graph.client.on_feedback = lambda follow, told: self.told.append((follow, told))

    def _take(self, plan: ActionPlan) -> None:
        with self._lock:
            self.plans.append(plan)

    def say(self, words: str, **more: Any) -> Follow:
        return self.graph.client.follow(words, timeout_s=20.0, **more)

    def waiting(self, follow: Follow, after: ActionPlan | None = None) -> ActionPlan:
        """The plan of an instruction, another than `after`, once it waits for approval."""

        def found() -> ActionPlan | None:
            ids = [t.plan_id for f, t in self.told if f is follow and t.phase == "approval"]
            found = next((p for p in self.plans if ids and p.plan_id == ids[-1]), None)
            return None if found is None or (after and after.plan_id == found.plan_id) else found

        return self.graph.wait(found, f"a plan of '{follow.instruction}' that waits")

    def decide(self, plan: ActionPlan, approve: bool = True, digest: str = "") -> str:
        request = ApprovePlan.Request(plan_id=plan.plan_id, digest=digest or plan.digest, approve=approve)
        return self.graph.client.call(ApprovePlan, "approve_plan", request).message

    def end(self, follow: Follow) -> None:
        self.graph.wait(follow.done.is_set, f"the end of '{follow.instruction}'", 120.0)


def there(graph: Graph, goal: str) -> None:
    graph.wait(lambda: holds(goal, graph.client.world, THERE), goal, 10.0)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    folder = tmp_path_factory.mktemp("talk")
    config = PATIENT | {"audit": {"directory": str(folder / "audit")}, "command": {"approve_within_s": 55.0}}
    with running_graph(folder, config=config, approval="always") as graph:
        yield Talk(graph)


def test_a_plan_waits_is_edited_and_only_its_own_digest_approves_it(talk: Talk) -> None:
    graph = talk.graph
    before = graph.client.world.objects["red_cube"].position_m
    follow = talk.say("put the red cube in the blue bowl")
    plan = talk.waiting(follow)
    with pytest.raises(StaleError):
        try:
            talk.decide(plan, digest="0" * 64)
        except Exception as error:
            assert getattr(error, "code", None) is ErrorCode.STALE
            raise StaleError(str(error)) from error
    change = Retarget(step=0, part="target", phrase="the green ball")
    request = EditPlan.Request(plan_id=plan.plan_id, digest=plan.digest, retargets=[change])
    edited = plan_from_message(graph.client.call(EditPlan, "edit_plan", request).plan)
    assert "green ball" in edited.steps[0].target.label
    with pytest.raises(Exception, match="not the one that waits"):
        talk.decide(plan)
    assert graph.client.world.objects["red_cube"].position_m == pytest.approx(before, abs=0.002)
    assert talk.decide(edited) == "approved"
    talk.end(follow)
    assert follow.error is None, follow.error
    there(graph, "in(green_ball, blue_bowl)")


def test_a_question_then_a_queue_then_hold_and_go_on(talk: Talk) -> None:
    graph = talk.graph
    follow = talk.say("put the red cube to the left of the blue bowl")
    plan = talk.waiting(follow)
    graph.statuses.clear()
    talk.decide(plan)
    graph.wait(lambda: graph.seen("phase", "descend"), "motion")
    asked = talk.say("how many cubes are there?")
    after = talk.say("then go home")
    talk.end(asked)
    assert asked.error is None and asked.answer and not follow.done.is_set()
    held = talk.say("hold on")
    talk.end(held)
    assert held.answer == "holding" and not follow.done.is_set() and not after.done.is_set()
    still = graph.client.world.objects["red_cube"].position_m
    time.sleep(1.0)
    assert graph.client.world.objects["red_cube"].position_m == pytest.approx(still, abs=0.003)
    on = talk.say("go on")
    talk.decide(talk.waiting(follow, after=plan))
    talk.end(follow)
    talk.end(on)
    assert follow.error is None and on.error is None, follow.error
    there(graph, "left_of(red_cube, blue_bowl)")
    talk.decide(talk.waiting(after))
    talk.end(after)
    assert after.error is None


def test_pointing_and_undo_and_why(talk: Talk) -> None:
    graph = talk.graph
    known = talk.say("pick up the red cube", plan_only=True)
    talk.end(known)
    cube = known.plan.steps[0].target.box_xyxy
    middle = ((cube[0] + cube[2]) / 2, (cube[1] + cube[3]) / 2)
    follow = talk.say("put this in front of the blue bowl", pointings=[Pointing((*middle, *middle))])
    plan = talk.waiting(follow)
    assert plan.steps[0].target.position_m == pytest.approx(known.plan.steps[0].target.position_m, abs=0.01)
    talk.decide(plan)
    talk.end(follow)
    assert follow.error is None, follow.error
    was = known.plan.steps[0].target.position_m
    undo = talk.say("undo that")
    talk.decide(talk.waiting(undo))
    talk.end(undo)
    assert undo.error is None, undo.error
    now = graph.client.world.objects["red_cube"].position_m
    did = [s.summary for s in undo.plan.steps]
    assert now[:2] == pytest.approx(was[:2], abs=0.03), (did, undo.report)
    why = graph.client.call(Explain, "explain", Explain.Request(plan_id=plan.plan_id, step=0), 120.0)
    record = json.loads(why.record)
    assert record["digest"] == plan.digest and record["steps"][0]["target"]["rivals"] is not None
    assert Image.open(BytesIO(bytes(why.picture_png))).width == 960


def test_cancel_forgets_and_a_rejected_plan_moves_nothing(talk: Talk) -> None:
    follow = talk.say("put the red cube in the blue bowl")
    assert talk.decide(talk.waiting(follow), approve=False) == "rejected"
    talk.end(follow)
    assert follow.error is not None and follow.error.code is ErrorCode.CANCELLED
    follow = talk.say("put the red cube in the blue bowl")
    talk.waiting(follow)
    cancelled = talk.say("never mind")
    talk.end(cancelled)
    talk.end(follow)
    assert cancelled.answer == "cancelled" and follow.error.code is ErrorCode.CANCELLED
    nothing = talk.say("go on")
    talk.end(nothing)
    assert nothing.error is not None and nothing.error.code is ErrorCode.NOT_UNDERSTOOD

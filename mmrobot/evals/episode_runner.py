"""One episode in this process: simulator, arm, pipeline and runner, in simulated time only.

The camera is rendered only when somebody looks. The same episode, model and seed give the same
outcome on one machine, however slow the model is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.embedded import arm_model, embedded_skills
from mmrobot.arm.reach import ArmReach
from mmrobot.command.stop_words import is_stop
from mmrobot.config import Config
from mmrobot.conversation import READ_BACK, Conversation
from mmrobot.errors import ErrorCode, MmrobotError
from mmrobot.evals.bumps import BumpWatch
from mmrobot.evals.conditions import CONDITIONS, Condition, look_of, staged
from mmrobot.evals.history import History
from mmrobot.evals.judge import Run, handled, judge, needs_question
from mmrobot.evals.oracle import OracleVlm, true_boxes, true_lifter
from mmrobot.evals.person import agrees
from mmrobot.evals.pictures import save_annotated
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.unseen import unseen_lens
from mmrobot.execution.events import EventKind, RunnerEvent, RunnerState
from mmrobot.execution.hand import HandFollower
from mmrobot.execution.robot import LookResult
from mmrobot.execution.runner import Runner
from mmrobot.pipeline import Pipeline
from mmrobot.planning.skills import VERIFY
from mmrobot.safety.gate import SafetyGate
from mmrobot.simulator.noise import NoiseModel
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import Episode, parse_when
from mmrobot.tabletop.goals import parse_goal
from mmrobot.types import ActionPlan, Answer, BoxXyxy, GroundedObject, PlanStep, RgbdFrame
from mmrobot.vlm.interface import VisionLanguageModel

# Controls instead of a model: true boxes with depth, and true poses.
ORACLES = ("oracle", "truth")
SETTLE_S = 1.0
TIME_LIMIT_S = 180.0
# Between two pictures that are kept, where old ones are shown.
_KEPT_EVERY_S = 0.1
_HOME_S = 20.0


class DirectLooker:
    """Renders, grounds and lifts within one `poll`. Simulated time stands still meanwhile."""

    def __init__(self, pipeline: Pipeline, look: Callable[[], RgbdFrame], relook: bool = True) -> None:
        """Without `relook` things are before contact where the plan has them; what was placed is seen."""
        self._pipeline, self._look, self._relook = pipeline, look, relook
        self._asked: tuple[PlanStep, GroundedObject | None] | None = None

    def start(self, step: PlanStep, held: GroundedObject | None) -> None:
        self._asked = (step, held)

    def poll(self) -> LookResult | None:
        if self._asked is None:
            return None
        (step, held), self._asked = self._asked, None
        try:
            if not self._relook and step.skill != VERIFY:
                return LookResult(_as_of(step, self._look().stamp_ns))
            return LookResult(self._pipeline.locate(self._look(), step, held))
        except MmrobotError as error:
            return LookResult(None, error.code, error.message)


def _as_of(step: PlanStep, stamp_ns: int) -> PlanStep:
    """The step, taken for seen now."""

    def now(thing: GroundedObject | None) -> GroundedObject | None:
        return None if thing is None else replace(thing, stamp_ns=stamp_ns)

    return replace(step, target=now(step.target), reference=now(step.reference))


@dataclass
class _Said:
    """The end of what was last said: `code` NONE while all is well."""

    code: ErrorCode = ErrorCode.NONE
    message: str = ""
    plan: ActionPlan | None = None
    answer: str | None = None


class EpisodeRun:
    """One episode from its first words to its verdict."""

    def __init__(
        self,
        episode: Episode,
        vlm: VisionLanguageModel | None,
        *,
        model: str = "",
        config: Config | None = None,
        ablation: str = "",
        pictures: Path | None = None,
        watch: Callable[[EpisodeRun], None] | None = None,
    ) -> None:
        """`vlm` None with `model` one of ORACLES runs a control; `ablation` is one of CONDITIONS. `watch` is
        called after each step of the simulator."""
        self.condition: Condition = CONDITIONS[ablation]
        self.episode = episode = staged(episode, self.condition)
        self._pictures, self._watch = pictures, watch
        self._config = config or Config()
        if self.condition.config is not None:
            self._config = self.condition.config(self._config)
        self.simulator = Simulator(scene=episode.scene, seed=episode.scene.seed)
        if self.condition.look is not None or self.condition.noise is not None:
            self.simulator.show(look_of(episode, self.condition), self.condition.noise or NoiseModel())
        self._lens = unseen_lens(self.simulator, episode.scene.seed) if episode.level == "L4" else None
        seer = vlm if vlm is not None else OracleVlm(self.simulator, episode)
        if self.condition.mind is not None:
            seer = self.condition.mind(seer, self.simulator, episode)
        truly = self.condition.true_lift or (vlm is None and model == "truth")
        lifter = true_lifter(self.simulator) if truly else None
        gate = SafetyGate(self._config, reachable=ArmReach(arm_model()))
        self._pipeline = Pipeline(seer, self._config, gate, lifter)
        self._conversation = Conversation(self._pipeline)
        self._robot = embedded_skills(self.simulator, self._config)
        looker = DirectLooker(self._pipeline, self._frame, self.condition.relook)
        self.runner = Runner(self._robot, looker, gate, self._config)
        self._hand = HandFollower(self.runner)
        self._view = None if self.condition.view is None else self.condition.view(episode, self.simulator)
        self._bumps = BumpWatch(episode.scene.by_id, handled(episode))
        self._history = History(episode, self.simulator)
        self._kept: deque[RgbdFrame] = deque()
        self._said = _Said()
        self._dialogue: list[str] = []
        self._followups = deque((parse_when(f.when), f.say, i) for i, f in enumerate(episode.followups, 1))
        self._disturbances = deque((parse_when(d.when), d.move) for d in episode.disturb)
        self._acted = self._asked = self._asked_which = False
        self._read_back = ""
        self._answered: set[int] = set()
        self._retries = 0
        self._timings: dict[str, float] = {}
        self._first_frame: RgbdFrame | None = None
        self._wanted: dict[str, BoxXyxy] = {}

    def run(self) -> EpisodeResult:
        """Plays the episode and judges it. Errors of our own machinery become outcome `error`."""
        begin, cpu_begin = time.perf_counter(), time.process_time()
        before = self.simulator.truth()
        try:
            self._play()
        except MmrobotError as error:
            self._said.code, self._said.message = error.code, error.message
        finally:
            self.runner.stop("the episode is over")
        after = self._history.told(self.simulator.truth())
        said = self._said
        run = Run(said.code, said.message, said.plan, self._acted, said.answer, read_back=self._read_back)
        verdict = judge(self.episode, before, after, run)
        return EpisodeResult(
            name=self.episode.name,
            family=self.episode.family,
            level=self.episode.level,
            passed=verdict.passed,
            strict=verdict.strict,
            outcome=verdict.outcome,
            claimed=said.code is ErrorCode.NONE and said.plan is not None,
            reason=verdict.reason,
            part=verdict.part,
            instruction=self.episode.instruction,
            plan=tuple(s.summary for s in said.plan.steps) if said.plan else (),
            retries=self._retries,
            simulated_s=round(self.simulator.time_s, 2),
            wall_s=round(time.perf_counter() - begin, 2),
            cpu_s=round(time.process_time() - cpu_begin, 2),
            timings_ms={k: round(v, 2) for k, v in self._timings.items()},
            picture=self._save_picture(verdict.passed),
            expected=self.episode.expect.outcome,
            credit=round(verdict.credit, 4),
            asked=self._asked,
            ask_needed=needs_question(self.episode),
            peak_force_n=round(self._bumps.peak_force_n, 1),
            asked_which=self._asked_which,
            read_back=self._read_back,
        )

    def close(self) -> None:
        """Frees the simulator's graphics."""
        self.simulator.close()

    @property
    def seen(self) -> NDArray[np.uint8] | None:
        """The first picture (H, W, 3) RGB, as the robot got it."""
        return None if self._first_frame is None else self._first_frame.rgb

    @property
    def plan(self) -> ActionPlan | None:
        """The plan that was made last."""
        return self._said.plan

    def _play(self) -> None:
        if self.condition.delay_s:
            self._keep()
            while self.simulator.time_s < self.condition.delay_s:
                self._step(self._config.runner.tick_s)
        self._say(self.episode.instruction)
        self._happen("plan")
        while True:
            while self.runner.status.state.running:
                self._tick()
            self._happen("done")
            if self.runner.status.state.running:
                continue
            if not self._waits():
                break
            self._step(self._config.runner.tick_s)
            self._happen("seconds")
        self._step(SETTLE_S)

    def _waits(self) -> bool:
        """Whether somebody is still to speak at some second."""
        return any(when.moment == "seconds" for when, *_ in self._followups)

    def _tick(self) -> None:
        if self.simulator.time_s > TIME_LIMIT_S:
            self.runner.stop(f"the episode took more than {TIME_LIMIT_S:.0f} s", ErrorCode.TIMEOUT)
        for event in self.runner.tick(self.simulator.time_s):
            self._follow(event)
        status = self.runner.status
        if not status.state.running:
            self._said.code, self._said.message = status.code, status.message
            self._note_question(status.code, status.message)
            return
        self._happen("seconds")
        if status.state in (RunnerState.MOVING, RunnerState.HOMING):
            # The way home for another look touches nothing.
            self._acted = self._acted or status.state is RunnerState.MOVING
            self._step(self._config.runner.tick_s)
            self._bumps.see(self.simulator.contacts())

    def _step(self, duration_s: float) -> None:
        self.simulator.step(duration_s)
        self._history.see()
        if self.condition.delay_s:
            self._keep()
        if self._watch is not None:
            self._watch(self)

    def _follow(self, event: RunnerEvent) -> None:
        self._hand.follow(event)
        # Before the look, where a step begins with one: what is moved then can still be seen.
        if event.kind in (EventKind.LOOKING, EventKind.STEP_STARTED):
            self._happen("step", event.step_index or 0)
        if event.kind is EventKind.RETRYING:
            self._retries += 1

    def _happen(self, moment: str, index: int = 0) -> None:
        """Whatever the episode wants at this moment: somebody moves things, somebody speaks."""

        def due(when: tuple[str, float]) -> bool:
            name, value = when
            if name != moment:
                return False
            return {"step": value == index, "seconds": self.simulator.time_s >= value}.get(name, True)

        for item in [d for d in self._disturbances if due((d[0].moment, d[0].value))]:
            self._disturbances.remove(item)
            self.simulator.move_object(item[1].id, item[1].position)
        for said in [f for f in self._followups if due((f[0].moment, f[0].value))]:
            self._followups.remove(said)
            self._say(said[1], said[2])

    def _say(self, words: str, index: int = 0) -> None:
        """Words reach the robot: stop words stop it, others make a new plan in the present plan's place.
        `index` is their sentence's, counted from the instruction; the person answers what is read back."""
        if is_stop(words):
            self._stop("somebody said stop")
            self._said.code, self._said.message = ErrorCode.STOPPED, "somebody said stop"
            return
        if self.runner.status.state.running:
            self._stop("a new instruction", ErrorCode.PREEMPTED)
        if self._acted and self.runner.status.state in (RunnerState.STOPPED, RunnerState.FAILED):
            self._go_home()
        heard = words if self.condition.words is None else self.condition.words(words)
        self._said = _Said()
        try:
            made = self._conversation.respond(self._frame(), heard, tuple(self._dialogue), self.runner.held)
        except MmrobotError as error:
            self._said.code, self._said.message = error.code, error.message
            self._dialogue += [heard, error.message]
            if self._note_question(error.code, error.message):
                self._answer(index)
            return
        self._dialogue.append(heard)
        if isinstance(made, Answer):
            self._said.answer = made.text
            return
        self._said.plan = made
        self._timings = made.timings_ms
        self.runner.start(made)

    def _note_question(self, code: ErrorCode, message: str) -> bool:
        """Whether the robot reads the person's words back."""
        asked = code is ErrorCode.AMBIGUOUS
        reads_back = asked and message.startswith(READ_BACK)
        self._asked |= asked
        self._asked_which |= asked and not reads_back
        return reads_back

    def _answer(self, index: int) -> None:
        """What the person who said that sentence says to its being read back."""
        read, meant = self._conversation.read, self.episode.meant
        if index in self._answered:
            return
        self._answered.add(index)
        if not meant or read is None:
            self._read_back = "unanswered"
        elif agrees(read, meant[index], self.episode.scene):
            self._read_back = "yes"
            self._say("yes", index)
        else:
            # It ends here: what was said once is not said again in other words.
            self._read_back = "no"
            with suppress(MmrobotError):
                self._conversation.respond(self._frame(), "no", tuple(self._dialogue), self.runner.held)

    def _stop(self, why: str, code: ErrorCode = ErrorCode.STOPPED) -> None:
        for event in self.runner.stop(why, code):
            self._hand.follow(event)

    def _go_home(self) -> None:
        """Out of the camera's view, as after every stop: what the hand holds stays in it."""
        self._robot.start(PlanStep(0, "home"))
        until_s = self.simulator.time_s + _HOME_S
        while not self._robot.poll().done and self.simulator.time_s < until_s:
            self._step(self._config.runner.tick_s)

    def _frame(self) -> RgbdFrame:
        """What the robot gets to see now."""
        frame = self._late() if self.condition.delay_s else self.simulator.render()
        if self._lens is not None:
            frame = self._lens(frame)
        if self._view is not None:
            frame = self._view(frame)
        if self._first_frame is None:
            self._first_frame = frame
            if self._pictures is not None:
                self._wanted = self._wanted_boxes()
        return frame

    def _keep(self) -> None:
        """A picture of now, for later."""
        if not self._kept or self.simulator.time_s - self._kept[-1].stamp_ns / 1e9 >= _KEPT_EVERY_S:
            self._kept.append(self.simulator.render())

    def _late(self) -> RgbdFrame:
        """The newest picture that is old enough."""
        newest_ns = round(1e9 * (self.simulator.time_s - self.condition.delay_s))
        while len(self._kept) > 1 and self._kept[1].stamp_ns <= newest_ns:
            self._kept.popleft()
        return self._kept[0]

    def _wanted_boxes(self) -> dict[str, BoxXyxy]:
        """For the report alone: where the things of the goals truly are."""
        goals = [parse_goal(g) for g in self.episode.expect.goal]
        named = {name for g in goals if not g.negated for name in g.objects}
        return {name: box for name, box in true_boxes(self.simulator).items() if name in named}

    def _save_picture(self, passed: bool) -> str:
        if passed or self._pictures is None or self._first_frame is None:
            return ""
        rgb, name = self._first_frame.rgb, self.episode.name
        scale = rgb.shape[1] / self.simulator.camera_model.width
        return save_annotated(self._pictures, name, rgb, self._said.plan, self._wanted, scale)


def run_episode(
    episode: Episode,
    vlm: VisionLanguageModel | None = None,
    *,
    model: str = "oracle",
    config: Config | None = None,
    ablation: str = "",
    pictures: Path | None = None,
) -> EpisodeResult:
    """Plays one episode. `vlm` None runs the control of that name. Our own faults are outcome `error`."""
    try:
        run = EpisodeRun(episode, vlm, model=model, config=config, ablation=ablation, pictures=pictures)
    except MmrobotError as error:
        return failed_result(episode, error)
    try:
        return run.run()
    except Exception as error:  # noqa: BLE001
        # One broken episode is a result of its own, told with its cause; the suite goes on.
        return failed_result(episode, error)
    finally:
        run.close()


def failed_result(episode: Episode, error: Exception) -> EpisodeResult:
    """An episode that our own machinery could not play."""
    return EpisodeResult(
        name=episode.name,
        family=episode.family,
        level=episode.level,
        passed=False,
        strict=False,
        outcome="error",
        claimed=False,
        reason=f"{type(error).__name__}: {error}",
        part="error",
        instruction=episode.instruction,
    )

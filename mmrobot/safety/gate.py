"""The gate: the last before the robot. Deterministic, independent of the model, closed when in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mmrobot.config import Config
from mmrobot.errors import UnsafeError
from mmrobot.safety.rules import (
    PLAN_RULES,
    STEP_RULES,
    TRAJECTORY_RULES,
    Context,
    Reachability,
    Rule,
    Violation,
)
from mmrobot.types import ActionPlan, GroundedObject, JointTrajectory, PlanStep

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """What one rule said of a plan (`where`: "plan") or of one of its steps: `refusal` None when it holds."""

    where: str
    rule: str
    says: str
    refusal: str | None = None


class SafetyGate:
    """Checks plans before they are published, steps before contact, trajectories before they are sent.

    `reachable` answers whether the arm can do a step (None) or why not; without it reach is judged
    by the work area alone.
    """

    def __init__(self, config: Config | None = None, reachable: Reachability | None = None) -> None:
        self.config = config or Config()
        self.reachable = reachable

    def check_plan(self, plan: ActionPlan, now_ns: int, held: GroundedObject | None = None) -> None:
        """Raises UnsafeError with rule, value and bound; `held` is what the hand holds at the start."""
        context = Context(self.config, now_ns, held, self.reachable)
        _apply(PLAN_RULES, plan, context, "plan")
        for step, as_then in self._followed(plan, context):
            _apply(STEP_RULES, step, as_then, f"step {step.index}")

    def verdicts(
        self, plan: ActionPlan, now_ns: int, held: GroundedObject | None = None
    ) -> tuple[Verdict, ...]:
        """What each rule says of a plan, all of them, for people: `check_plan` ends at the first refusal."""
        context = Context(self.config, now_ns, held, self.reachable)
        said = [_verdict(rule, plan, context, "plan") for rule in PLAN_RULES]
        for step, as_then in self._followed(plan, context):
            said += [_verdict(rule, step, as_then, f"step {step.index}") for rule in STEP_RULES]
        return tuple(said)

    @staticmethod
    def _followed(plan: ActionPlan, context: Context) -> Iterator[tuple[PlanStep, Context]]:
        """Each step with what the hand will hold before it."""
        for step in plan.steps:
            yield step, context
            if step.skill == "pick":
                context = replace(context, held=step.target)
            elif step.skill == "place":
                context = replace(context, held=None)

    def check_step(self, step: PlanStep, now_ns: int, held: GroundedObject | None = None) -> None:
        """The last check before contact: as for a plan's step, and its target must be newly seen."""
        context = Context(self.config, now_ns, held, self.reachable, fresh=True)
        _apply(STEP_RULES, step, context, f"step {step.index}")

    def check_trajectory(
        self, trajectory: JointTrajectory, tool_positions_m: NDArray[np.float64] | None = None
    ) -> None:
        """One motion. `tool_positions_m` (N, 3) is where the tool's lowest point is at each time, in base."""
        context = Context(self.config, 0)
        _apply(TRAJECTORY_RULES, trajectory, context, "motion")
        if tool_positions_m is not None:
            self._check_tool(trajectory, tool_positions_m)

    def _check_tool(self, trajectory: JointTrajectory, tool: NDArray[np.float64]) -> None:
        gate, table_z_m = self.config.gate, self.config.work_area.table_z_m
        if tool.shape != (len(trajectory.times_s), 3) or not np.isfinite(tool).all():
            raise _refusal(
                "motion",
                "tool_path",
                Violation(
                    f"tool positions of shape {tool.shape}",
                    f"finite ({len(trajectory.times_s)}, 3)",
                    "plan anew",
                ),
            )
        lowest = float(tool[:, 2].min())
        if lowest < table_z_m + gate.min_height_m:
            raise _refusal(
                "motion",
                "tool_above_table",
                Violation(
                    f"the tool at z={lowest:.3f} m",
                    f"z >= {table_z_m + gate.min_height_m:.3f} m",
                    "plan anew",
                ),
            )
        if len(tool) > 1:
            speeds = np.linalg.norm(np.diff(tool, axis=0), axis=1) / np.diff(trajectory.times_s)
            fastest = float(speeds.max())
            if fastest > gate.max_tcp_speed_m_s:
                raise _refusal(
                    "motion",
                    "tool_speed",
                    Violation(
                        f"the tool at {fastest:.2f} m/s", f"<= {gate.max_tcp_speed_m_s} m/s", "move slower"
                    ),
                )


def _apply(rules: Sequence[Rule[T]], thing: T, context: Context, where: str) -> None:
    for rule in rules:
        try:
            violation = rule.check(thing, context)
        except Exception as error:
            # A rule that cannot judge has not been met: closed when in doubt, and the cause is kept.
            raise UnsafeError(
                f"{where}: rule '{rule.name}' could not be checked: {type(error).__name__}: {error}",
                "plan anew; if it persists, report it",
                rule=rule.name,
            ) from error
        if violation is not None:
            raise _refusal(where, rule.name, violation)


def _verdict(rule: Rule[T], thing: T, context: Context, where: str) -> Verdict:
    try:
        _apply((rule,), thing, context, where)
    except UnsafeError as error:
        return Verdict(where, rule.name, rule.says, error.message)
    return Verdict(where, rule.name, rule.says)


def _refusal(where: str, rule: str, violation: Violation) -> UnsafeError:
    return UnsafeError(
        f"{where} breaks '{rule}': {violation.value}, allowed is {violation.bound}", violation.fix, rule=rule
    )

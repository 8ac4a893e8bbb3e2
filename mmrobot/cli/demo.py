"""`mmrobot demo`: the whole product once. Starts the graph, says the sentence, judges by physics."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmrobot.cli.demo_judge import DemoVerdict, judge_episode, judge_plan
from mmrobot.cli.demo_view import DemoView
from mmrobot.cli.output import Output
from mmrobot.cli.plan_table import plan_as_dict
from mmrobot.command.text import clean_instruction
from mmrobot.config import default_config_file, load_config
from mmrobot.errors import DeadlineError, InvalidInstructionError, VerificationFailedError
from mmrobot.ros.bringup import Supervisor, free_domain
from mmrobot.ros.client import Follow, RobotClient
from mmrobot.ros.graph import DEFAULT_SCENE, GraphOptions, graph_nodes, shared_folder
from mmrobot.ros.hung import hung
from mmrobot.ros.scene_file import load_scene
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import WorldState, settled
from mmrobot.tabletop.scene import Scene
from mmrobot.types import ActionPlan

READY_S = 120.0
FOLLOW_S = 600.0
SETTLE_S = 1.0
SETTLE_LIMIT_S = 6.0
LOCAL = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
Tend = Callable[[], bool]
RESULTS = (("video", "demo.mp4"), ("picture", "annotated.png"), ("mcap", "run.mcap"))


@dataclass(frozen=True)
class DemoOptions:
    """As given on the command line."""

    instruction: str | None
    scene: Path | None
    seed: int
    headless: bool
    record: Path
    model: str
    config: Path | None
    real_time_factor: float
    voice: bool = False


@dataclass
class _Run:
    """What came of it."""

    follow: Follow
    plan: ActionPlan | None
    before: WorldState
    after: WorldState
    steps: list[dict[str, Any]]
    ready_s: float
    acting_s: float


def run_demo(options: DemoOptions, output: Output) -> None:
    """Everything; `ok` when the sentence was carried out as physics sees it."""
    began_s = time.monotonic()
    load_config(options.config or default_config_file())
    scene_file = options.scene or shared_folder("sim") / "scenes" / DEFAULT_SCENE
    scene, episode = load_scene(scene_file)
    words = options.instruction
    if words is None and episode is not None:
        words = episode.instruction
    if words is None:
        raise InvalidInstructionError(
            f"'{scene_file}' holds no instruction", 'give one: mmrobot demo "pick up the red cube"'
        )
    words = clean_instruction(words)
    run = _carry_out(options, words, scene_file, output)
    own_words = episode is not None and words.lower() == episode.instruction.lower()
    verdict = _judge(run, scene, episode if own_words else None)
    _answer(run, verdict, options, output, time.monotonic() - began_s)


def _carry_out(options: DemoOptions, words: str, scene_file: Path, output: Output) -> _Run:
    domain, reserved = free_domain()
    graph = GraphOptions(
        config=str(options.config or ""),
        scene=str(scene_file),
        seed=options.seed,
        headless=options.headless,
        real_time_factor=options.real_time_factor,
        model=options.model,
        voice=options.voice,
        record=str(options.record),
    )
    environment = {**LOCAL, "ROS_DOMAIN_ID": str(domain)}
    began_s = time.monotonic()
    with (
        reserved,
        DemoView(output.console, words) as view,
        Supervisor(graph_nodes(graph), environment, options.record / "logs") as nodes,
        _local_client(domain) as client,
    ):
        client.watch_truth()

        def tend() -> bool:
            """Start again what died or hangs, as `mmrobot up` does; whether anything has."""
            begun = nodes.tend(hung(client.monitor, nodes.started_s))
            for name in begun:
                view.line(f"{name} died: it is started again")
            return bool(begun or nodes.dead())

        def tick(health: dict[str, str] | None) -> None:
            tend()
            view.health(health)

        client.wait_ready(READY_S, tick, recording=True)
        ready_s = time.monotonic() - began_s
        view.ready()
        before = _world(client, tend)
        steps: list[dict[str, Any]] = []
        plans: list[ActionPlan] = []

        def on_status(status: dict[str, Any]) -> None:
            _note(status, steps)
            view.status(status)

        def on_plan(plan: ActionPlan) -> None:
            plans.append(plan)
            view.plan(plan)

        client.on_status, client.on_plan = on_status, on_plan
        follow, died = _follow(client, words, tend)
        if follow.error is not None and died:
            client.health = None
            client.wait_ready(READY_S, tick, recording=True)
            view.line("all are ready again: the sentence is said once more")
            follow, _ = _follow(client, words, tend)
        after = _settled_world(client, tend)
        view.close_plan(follow.error is None)
        plan = plans[-1] if plans else follow.plan
        acting_s = time.monotonic() - began_s - ready_s
        return _Run(follow, plan, before, after, steps, ready_s, acting_s)


def _follow(client: RobotClient, words: str, tend: Tend) -> tuple[Follow, bool]:
    """Say it and wait for its end; whether a node has died meanwhile."""
    follow, died = client.follow(words), False
    deadline = time.monotonic() + FOLLOW_S
    while not follow.done.wait(0.1):
        died = tend() or died
        if time.monotonic() > deadline:
            raise DeadlineError(
                f"'{words}' is not done after {FOLLOW_S:.0f} s", "read the logs beside the video"
            )
    return follow, tend() or died


def _local_client(domain: int) -> RobotClient:
    # The client is in this process: it must look for the nodes where they are.
    os.environ.update(LOCAL)
    return RobotClient(domain)


def _world(client: RobotClient, tend: Tend) -> WorldState:
    deadline = time.monotonic() + 10.0
    while client.world is None:
        tend()
        if time.monotonic() > deadline:
            raise DeadlineError("the simulator tells nothing for the judge", "read the simulator's log")
        time.sleep(0.05)
    return client.world


def _settled_world(client: RobotClient, tend: Tend) -> WorldState:
    """The world once all has been at rest for SETTLE_S of simulated time, or after SETTLE_LIMIT_S."""
    world = _world(client, tend)
    began, still_since = world.time_s, world.time_s
    while world.time_s - still_since < SETTLE_S and world.time_s - began < SETTLE_LIMIT_S:
        tend()
        time.sleep(0.05)
        world = _world(client, tend)
        if not settled(world):
            still_since = world.time_s
    return world


def _note(status: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """Keep one entry a step: its words, and how it ended."""
    if status["node"] != "executor" or status.get("step") is None:
        return
    index, state = status["step"], status["state"]
    if state == "step_started":
        steps[:] = [s for s in steps if s["index"] != index]
        steps.append(
            {"index": index, "skill": status["skill"], "step": status["message"], "state": "started"}
        )
    for step in steps:
        if step["index"] == index and state in ("step_finished", "step_failed", "retrying"):
            step["state"] = {"step_finished": "done", "step_failed": "failed"}.get(state, state)
            if state != "step_finished":
                step["reason"] = status["message"]


def _judge(run: _Run, scene: Scene, episode: Episode | None) -> DemoVerdict:
    if episode is not None:
        return judge_episode(episode, run.before, run.after)
    if run.plan is None:
        return DemoVerdict(None, (), ())
    return judge_plan(run.plan, scene, run.before, run.after)


def _answer(run: _Run, verdict: DemoVerdict, options: DemoOptions, output: Output, total_s: float) -> None:
    success = run.follow.error is None and verdict.success is not False
    files = {name: str(options.record / file) for name, file in RESULTS if (options.record / file).is_file()}
    timings = {
        "start": round(run.ready_s * 1000),
        "carry_out": round(run.acting_s * 1000),
        "total": round(total_s * 1000),
        **{f"plan_{k}": round(v, 2) for k, v in (run.plan.timings_ms if run.plan else {}).items()},
    }
    content: dict[str, Any] = {
        "success": success,
        "plan": None if run.plan is None else plan_as_dict(run.plan),
        "steps": run.steps,
        "report": run.follow.report,
        "goals": list(verdict.goals),
        "timings_ms": timings,
        "model": run.plan.model if run.plan else options.model,
        "files": files,
    }
    say = output.console.print
    for goal in verdict.goals:
        held = not any(p.startswith(goal) for p in verdict.problems)
        say(f"  {'[green]✓' if held else '[red]✗'}[/] {goal}  [dim]judged by physics[/]", markup=True)
    for name, path in files.items():
        say(f"  [dim]{name:>8}[/]  {path}")
    if run.follow.error is not None:
        output.fail(run.follow.error, **content)
    if not success:
        output.fail(
            VerificationFailedError("; ".join(verdict.problems), f"see {files.get('video', 'the logs')}"),
            **content,
        )
    say(f"\n[bold green]done[/] in {total_s:.1f} s [dim](nodes ready after {run.ready_s:.1f} s)[/]")
    output.finish(True, **content)

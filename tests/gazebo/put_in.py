"""Episodes carried out in a true Gazebo 11 by the unchanged nodes, judged by Gazebo's own state.

    .venv/bin/python -m tests.gazebo.put_in --episodes 20 --seed 1000000

Each episode has a Gazebo, nodes and a ROS domain of its own. Prints a line an episode and one line of JSON;
exit status 0 when at least 4 in 5 succeed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from sensor_msgs.msg import JointState

from mmrobot.arm.hand import ARM_JOINTS, OBSERVE_POSTURE
from mmrobot.errors import DeadlineError, ErrorCode, MmrobotError
from mmrobot.evals.judge import Run, judge
from mmrobot.ros.bringup import Supervisor, free_domain
from mmrobot.ros.client import Follow, RobotClient
from mmrobot.ros.gazebo_launching import gazebo_nodes
from mmrobot.ros.graph import GraphOptions, NodeSpec
from mmrobot.ros.qos import STATE
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.families import generate_episode
from mmrobot.tabletop.goals import WorldState, settled
from tests.gazebo.install_gazebo import install
from tests.support.graph import LOCAL, PATIENT

ROOT = Path(__file__).resolve().parents[2]
READY_S, HOME_S, FOLLOW_S = 180.0, 60.0, 240.0
HOME_RAD = 0.03
SETTLE_S, SETTLE_LIMIT_S = 1.0, 6.0
CAMERA_HZ = 5.0
ENOUGH = 0.8


@dataclass(frozen=True)
class GazeboResult:
    """One episode: `passed` when the task suite's judge says so, of Gazebo's state."""

    name: str
    passed: bool
    outcome: str
    reason: str
    instruction: str
    steps: tuple[str, ...]
    simulated_s: float
    wall_s: float
    real_time_factor: float


def gazebo_graph(root: Path, options: GraphOptions) -> list[NodeSpec]:
    """Gazebo behind the tests' bridge, then just what gazebo.launch.py starts."""
    bridge = {
        "scene": options.scene,
        "episode": options.episode,
        "gazebo_root": str(root),
        "camera_rate_hz": float(options.camera_rate_hz),
        "real_time_factor": float(options.real_time_factor),
    }
    return [NodeSpec("simulator", "tests.gazebo.bridge_node", bridge), *gazebo_nodes(options)]


def carry_out(episode: Episode, root: Path, folder: Path, real_time_factor: float = 1.0) -> GazeboResult:
    """One episode from a fresh Gazebo to the verdict. Logs of all nodes lie in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(PATIENT))
    (folder / "episodes.yaml").write_text(yaml.safe_dump([episode.to_dict()], sort_keys=False))
    options = GraphOptions(
        config=str(folder / "config.yaml"),
        scene=str(folder / "episodes.yaml"),
        camera_rate_hz=CAMERA_HZ,
        real_time_factor=real_time_factor,
    )
    domain, reserved = free_domain()
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    variables = {**LOCAL, "ROS_DOMAIN_ID": str(domain), "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    os.environ.update(LOCAL)
    with (
        reserved,
        Supervisor(gazebo_graph(root, options), variables, folder / "logs") as nodes,
        RobotClient(domain) as client,
    ):
        client.watch_truth()
        client.wait_ready(READY_S, lambda _: nodes.check())
        _wait_home(client, nodes)
        before, began_s = _world(client, nodes), time.monotonic()
        follow = client.follow(episode.instruction, timeout_s=20.0)
        while not follow.done.wait(0.1):
            nodes.check()
            if time.monotonic() - began_s > FOLLOW_S:
                raise DeadlineError(f"'{episode.instruction}' took more than {FOLLOW_S:.0f} s", folder.name)
        after = _settled(client, nodes)
        return _result(episode, follow, before, after, time.monotonic() - began_s)


def _wait_home(client: RobotClient, nodes: Supervisor) -> None:
    """Until the companion has taken the arm out of the camera's way."""
    far = [np.inf]

    def take(message: JointState) -> None:
        at = dict(zip(message.name, message.position, strict=True))
        far[0] = float(np.abs(np.array([at[n] for n in ARM_JOINTS]) - OBSERVE_POSTURE).max())

    client.node.create_subscription(JointState, "joint_states", take, STATE)
    deadline = time.monotonic() + HOME_S
    while far[0] > HOME_RAD:
        nodes.check()
        if time.monotonic() > deadline:
            raise DeadlineError(
                f"the arm is not home after {HOME_S:.0f} s, {far[0]:.2f} rad away", "see logs"
            )
        time.sleep(0.05)
    time.sleep(2.0 / CAMERA_HZ)


def _world(client: RobotClient, nodes: Supervisor) -> WorldState:
    deadline = time.monotonic() + 20.0
    while client.world is None:
        nodes.check()
        if time.monotonic() > deadline:
            raise DeadlineError("the bridge tells nothing for the judge", "read its log")
        time.sleep(0.05)
    return client.world


def _settled(client: RobotClient, nodes: Supervisor) -> WorldState:
    world = _world(client, nodes)
    began = still_since = world.time_s
    while world.time_s - still_since < SETTLE_S and world.time_s - began < SETTLE_LIMIT_S:
        nodes.check()
        time.sleep(0.05)
        world = _world(client, nodes)
        if not settled(world):
            still_since = world.time_s
    return world


def _result(
    episode: Episode, follow: Follow, before: WorldState, after: WorldState, wall_s: float
) -> GazeboResult:
    error = follow.error
    code, message = (ErrorCode.NONE, "") if error is None else (error.code, error.message)
    run = Run(code, message, follow.plan, acted=follow.steps_done > 0 or error is None)
    verdict = judge(episode, before, after, run)
    simulated_s = after.time_s - before.time_s
    return GazeboResult(
        episode.name,
        verdict.passed,
        verdict.outcome,
        verdict.reason,
        episode.instruction,
        tuple(s.summary for s in follow.plan.steps) if follow.plan else (),
        round(simulated_s, 2),
        round(wall_s, 2),
        round(simulated_s / wall_s, 2),
    )


def line(result: GazeboResult) -> str:
    """One episode in words, for a person."""
    told = "ok  " if result.passed else "FAIL"
    times = f"{result.simulated_s:6.1f} s simulated, {result.wall_s:6.1f} s of wall time"
    return f"{told} {result.name}  {times}  '{result.instruction}'  {result.reason}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1_000_000, help="of the first; the others follow")
    parser.add_argument("--family", default="put_in")
    parser.add_argument("--level", default="L0")
    parser.add_argument("--real-time-factor", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="folder for the nodes' logs; without it a temporary one")
    arguments = parser.parse_args()
    root = install()
    out = arguments.out or Path(tempfile.mkdtemp(prefix="mmrobot-gazebo-episodes-"))
    results: list[GazeboResult] = []
    for seed in range(arguments.seed, arguments.seed + arguments.episodes):
        episode = generate_episode(arguments.family, arguments.level, seed)
        try:
            result = carry_out(episode, root, out / episode.name, arguments.real_time_factor)
        except MmrobotError as error:
            result = GazeboResult(
                episode.name, False, "error", error.message, episode.instruction, (), 0.0, 0.0, 0.0
            )
        results.append(result)
        print(line(result), flush=True)
    passed = sum(r.passed for r in results)
    ok = passed >= ENOUGH * len(results)
    print(
        json.dumps({"ok": ok, "n": len(results), "passed": passed, "episodes": [asdict(r) for r in results]})
    )
    print(f"logs: {out}", file=sys.stderr)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())

"""The real graph on which faults are played: all nodes as processes, a relay before the camera where one is
needed, a person beside them. What is measured of one run is put together here.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from mmrobot.config import default_config_file, load_config
from mmrobot.errors import DeadlineError, MmrobotError
from mmrobot.evals.faults import DONE
from mmrobot.evals.faults_table import Measured
from mmrobot.ros.bringup import Supervisor, free_domain
from mmrobot.ros.client import Follow, RobotClient
from mmrobot.ros.fault_injection import CAMERA_TOPICS, Injection
from mmrobot.ros.fault_probe import MOVING_RAD_S, FaultProbe, Reply, code_of
from mmrobot.ros.graph import DEFAULT_SCENE, GraphOptions, NodeSpec, graph_nodes, shared_folder
from mmrobot.ros.hung import hung
from mmrobot.ros.picture_transport import picture_environment
from mmrobot.ros.scene_file import load_scene
from mmrobot.tabletop.goals import WorldState, holds, moved_m

# Discovery tells each endpoint by itself: what a new start serves may trail what it says.
DISCOVERY_S = 3.0
READY_S, MOTION_S, TASK_S, REPLY_S = 120.0, 45.0, 90.0, 40.0
AFTER_S = 1.5
"""Motion is watched for so long after the end, simulated."""
RATE_HZ = 5.0
LOCAL = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
PHRASE, ASIDE = "the red cube", "pick up the green cube"
MOVED_BY_TASK = "red_cube"


@dataclass(frozen=True)
class Setting:
    """Which graph: `relay` before the camera, started as a driver without config/fastdds_pictures.xml
    (`plain_driver`); its place told as of a moving one, time through the relay too; a model that can fail; a
    recorder; a model's folder."""

    relay: bool = False
    plain_driver: bool = False
    moving_camera: bool = False
    clock: bool = False
    failing: bool = False
    recorder: bool = False
    model: str = ""


SETTINGS = {
    "plain": Setting(),
    "recorded": Setting(recorder=True),
    "camera": Setting(relay=True),
    "plain_driver": Setting(relay=True, plain_driver=True),
    "tf": Setting(relay=True, moving_camera=True),
    "clock": Setting(relay=True, clock=True),
    "model": Setting(failing=True),
}


def nodes_of(setting: Setting, options: GraphOptions) -> list[NodeSpec]:
    """The graph's own list of nodes, with the relay put between."""
    nodes = graph_nodes(options)
    if setting.failing:
        module = "mmrobot.ros.faulty_vlm_node"
        nodes = [replace(n, module=module) if n.name == "vlm" else n for n in nodes]
    if not setting.relay:
        return nodes
    raw = {name: f"raw/{name}" for name in CAMERA_TOPICS}
    if setting.moving_camera:
        raw["/tf_static"] = "/raw/tf_static"
    if setting.clock:
        raw |= {"/clock": "/raw/clock", "joint_states": "raw/joint_states", "/tf": "/raw/tf"}
    nodes = [replace(n, remappings=n.remappings | raw) if n.name == "simulator" else n for n in nodes]
    parameters = {"clock": setting.clock, "moving_camera": setting.moving_camera, "use_sim_time": True}
    pictures = {} if setting.plain_driver else picture_environment(shared_folder("config"))
    relay = NodeSpec("fault_injector", "mmrobot.ros.fault_injector_node", parameters, environment=pictures)
    return [*nodes, relay]


class Rig:
    """A running graph with a person beside it. `say` begins the task, `measured` tells what came of it."""

    def __init__(self, nodes: Supervisor, probe: FaultProbe, scene_file: Path, folder: Path) -> None:
        self.nodes, self.probe, self.client, self.folder = nodes, probe, probe.client, folder
        self.scene, episode = load_scene(scene_file)
        assert episode is not None
        self.words, self.goals = episode.instruction, episode.expect.goal
        self.expected_dead: set[str] = set()
        self.clean = True
        """Whether the last run left the hand empty and all nodes alive."""

    # -- ready ---------------------------------------------------------------------------------

    def ready(self, timeout_s: float = READY_S) -> None:
        """All nodes run, and tell that they are well; raises DeadlineError naming what is not."""
        self.client.health = None
        probe = self.probe
        deadline_s = time.monotonic() + timeout_s
        while self.client.health is None or any(self.client.health.values()) or probe.client.world is None:
            if time.monotonic() > deadline_s:
                raise DeadlineError(f"not ready: {self.client.health}", f"read the logs in {self.folder}")
            if timeout_s >= READY_S:
                self.nodes.check()
            time.sleep(0.1)

    def refresh(self) -> None:
        """As at the start: all nodes alive, the scene as it was, nothing in the hand, all well."""
        revived = self.nodes.dead()
        for name in revived:
            self.nodes.revive(name)
        self.expected_dead.clear()
        if not self.clean and "executor" not in revived:
            # What it believes to hold after a failed task is true no longer.
            self.nodes.kill("executor")
            self.nodes.revive("executor")
        self.ready()
        if not self.clean:
            time.sleep(DISCOVERY_S)
        self.probe.reset()
        began_s = self.world().time_s
        self.probe.wait(lambda: self.world().time_s > began_s + 1.5, "the scene as it was", 30.0)
        self.ready()
        self.probe.clear()

    def await_back(self, name: str, before: dict[str, str], timeout_s: float) -> None:
        """Until a node that was harmed works again, in another life than `before`, started as `mmrobot up`
        does; raises DeadlineError."""
        monitor = self.client.monitor

        def there() -> bool:
            self.nodes.tend(hung(monitor, self.nodes.started_s))
            reborn = bool(monitor.reborn([name], before)) and not monitor.idle([name])
            healthy = self.client.health is not None and not any(self.client.health.values())
            return reborn and healthy and self.instruct(ASIDE, 3.0, 0.2).code == DONE

        self.probe.wait(there, f"'{name}' at work again", timeout_s)

    def world(self) -> WorldState:
        """The simulator's truth, for judging only."""
        world = self.client.world
        assert world is not None
        return world

    # -- a task --------------------------------------------------------------------------------

    def start(self) -> Run:
        """Say the task and wait until the arm moves in it."""
        run = Run(self, self.world(), self.client.follow(self.words, timeout_s=20.0))
        with contextlib.suppress(DeadlineError):
            self.probe.wait(lambda: self._acting(run), "motion", MOTION_S)
        run.begin()
        return run

    def _acting(self, run: Run) -> bool:
        acts = any(
            t["node"] == "executor" and t["state"] == "phase" for _, t in list(self.probe.heard.statuses)
        )
        return run.follow.done.is_set() or (acts and self.probe.speed > 0.1)

    def instruct(self, words: str, timeout_s: float = REPLY_S, served_s: float = 5.0) -> Reply:
        """An instruction that moves nothing: how long its end takes."""
        began_s = time.monotonic()
        try:
            follow = self.client.follow(words, plan_only=True, timeout_s=served_s)
        except MmrobotError as error:
            return Reply("", error.message, time.monotonic() - began_s)
        ended = follow.done.wait(timeout_s)
        told = follow.error.message if follow.error else ""
        return Reply(code_of(follow.error) if ended else "", told, time.monotonic() - began_s)


class Run:
    """One task in which something goes wrong, or nothing."""

    def __init__(self, rig: Rig, before: WorldState, follow: Follow) -> None:
        self.rig, self.before, self.follow = rig, before, follow
        self.broken: list[str] = []
        self.figures: dict[str, float | str] = {}
        self.told: list[str] = []
        self.answer, self.plan = Reply("", "", 0.0), Reply("", "", 0.0)
        self.moving, self.began_s, self.began_sim_s = False, time.monotonic(), 0.0
        self._ended_s: float | None = None
        self._watched_s = float("inf")

    def begin(self) -> None:
        """Now the fault comes."""
        speeds = self.rig.probe.heard.speeds
        self.moving = bool(speeds) and self.rig.probe.speed > MOVING_RAD_S and not self.follow.done.is_set()
        self.began_s, self.began_sim_s = time.monotonic(), speeds[-1][1] if speeds else 0.0

    def await_end(self, timeout_s: float = TASK_S) -> None:
        """Until the task's result is there, and for a moment more."""
        deadline_s = time.monotonic() + timeout_s
        while not self.follow.done.wait(0.02):
            if time.monotonic() > deadline_s:
                break
        if self.follow.done.is_set():
            self._ended_s = time.monotonic()
        self.watch(AFTER_S)
        self._watched_s = time.monotonic()

    def watch(self, seconds: float) -> None:
        """Let simulated time go on; not for ever when it stands still."""
        speeds = self.rig.probe.heard.speeds
        until_s = (speeds[-1][1] if speeds else 0.0) + seconds
        with contextlib.suppress(DeadlineError):
            self.rig.probe.wait(lambda: speeds and speeds[-1][1] > until_s, "time", 4.0 * seconds)

    def question(self) -> None:
        """Ask and instruct while the fault is there."""
        self.answer = self.rig.probe.ask(PHRASE, REPLY_S)
        self.plan = self.rig.instruct(ASIDE)

    def measured(self) -> Measured:
        """All of it. Motion counts until a moment after the end: who is asked again may go home first."""
        rig, follow = self.rig, self.follow
        speeds = list(rig.probe.heard.speeds)
        span = (self.began_s, self._watched_s)
        after = [(wall, t) for wall, t, v in speeds if span[0] <= wall <= span[1] and v > MOVING_RAD_S]
        last_wall_s = max((wall for wall, _ in after if self._ended_s is None or wall <= self._ended_s),
                          default=self.began_s)  # fmt: skip
        told = [rig.probe.words(), *self.told, self.answer.words, self.plan.words]
        if follow.error is not None:
            told.append(f"result: {follow.error.message}")
        world = rig.world()
        others = [n for n in self.before.objects if n != MOVED_BY_TASK]
        return Measured(
            moving=self.moving,
            code=code_of(follow.error) if follow.done.is_set() else "",
            told="\n".join(t for t in told if t),
            still_s=max((t for _, t in after), default=self.began_sim_s) - self.began_sim_s,
            returns_s=None if self._ended_s is None else max(0.0, self._ended_s - last_wall_s),
            answer_s=self.answer.after_s if self.answer.code else None,
            answer_code=self.answer.code,
            plan_s=self.plan.after_s if self.plan.code else None,
            plan_code=self.plan.code,
            goal_holds=all(holds(goal, world, rig.scene) for goal in rig.goals),
            others_moved_m=max(moved_m(self.before, world, name) for name in others),
            died=tuple(n for n in rig.nodes.dead() if n not in rig.expected_dead),
            broken=tuple(self.broken),
            figures=dict(self.figures),
        )


@contextmanager
def running_rig(
    setting: Setting,
    folder: Path,
    real_time_factor: float = 1.0,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
    wait: bool = True,
) -> Iterator[Rig]:
    """The graph with the shipped settings and scene, up and ready; ended at the end. Logs lie in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = default_config_file()
    values = yaml.safe_load(source.read_text(encoding="utf-8")) if source else {}
    values.setdefault("recording", {})["black_box"] = setting.recorder
    change(values)
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    load_config(config)
    scene_file = shared_folder("sim") / "scenes" / DEFAULT_SCENE
    options = GraphOptions(
        config=str(config),
        scene=str(scene_file),
        real_time_factor=real_time_factor,
        camera_rate_hz=RATE_HZ,
        model=setting.model,
        record=str(folder / "record") if setting.recorder else "",
    )
    domain, reserved = free_domain()
    environment = {**LOCAL, "ROS_DOMAIN_ID": str(domain), "XDG_DATA_HOME": str(folder.resolve() / "data")}
    with (
        reserved,
        _local(),
        Supervisor(nodes_of(setting, options), environment, folder) as nodes,
        RobotClient(domain) as client,
    ):
        rig = Rig(nodes, FaultProbe(client), scene_file, folder)
        if wait:
            rig.ready()
            if setting.relay:
                rig.probe.inject(Injection())
        yield rig


@contextmanager
def _local() -> Iterator[None]:
    """The client is in this process: it must look for the nodes where they are."""
    import os

    os.environ.update(LOCAL)
    yield


def found(pattern: str, text: str) -> bool:
    """Whether words tell of something."""
    return re.search(pattern, text, re.IGNORECASE) is not None

"""Faults played in a way of their own: words and goals in masses, stops, disks and power that fail."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from mcap.exceptions import McapError
from mcap.records import Message
from mcap.stream_reader import StreamReader

from mmrobot.errors import DeadlineError
from mmrobot.evals.faults import DONE, Fault
from mmrobot.evals.faults_rig import TASK_S, Rig, Run
from mmrobot.evals.faults_table import Measured
from mmrobot.ros.client import Follow
from mmrobot.ros.fault_probe import code_of

FLOOD_HZ, FLOOD_S, STAYS_S = 1000.0, 5.0, 3.0
SAVES = 5
AUDIT = Path("data/mmrobot/audit")


def ended(measured: Measured) -> Measured:
    """Where it is not the task's end that is asked for."""
    return replace(measured, code=measured.code or DONE, returns_s=0.0, goal_holds=True)


def disk_full(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    names = ("vlm", "recorder")
    with _unwritable([rig.nodes.pids[name] for name in names] if harmed else []):
        run = rig.start()
        run.await_end()
        run.question()
        return run.measured()


@contextlib.contextmanager
def _unwritable(pids: list[int]) -> Iterator[None]:
    """No file of these processes may grow, as on a full disk; Linux."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def flood(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    run = rig.start()
    if not harmed:
        run.await_end()
        run.question()
        return run.measured()
    said = rig.probe.flood(rig.words, FLOOD_HZ, FLOOD_S)
    with contextlib.suppress(DeadlineError):
        rig.probe.wait(lambda: rig.probe.speed > 0.1, "motion again", 20.0)
    run.figures["said"] = f"{said / FLOOD_S:.0f} a second"
    run.figures["moving at the stop"] = str(rig.probe.speed > 0.1)
    last = rig.client.follow(rig.words, timeout_s=20.0)
    time.sleep(0.5)
    run.follow = last
    run.began_s, run.began_sim_s = time.monotonic(), rig.probe.heard.speeds[-1][1]
    rig.client.stop(10.0)
    run.await_end()
    run.watch(STAYS_S)
    stopped = run.measured()
    run.question()
    return replace(
        stopped,
        answer_s=run.answer.after_s if run.answer.code else None,
        answer_code=run.answer.code,
        plan_s=run.plan.after_s if run.plan.code else None,
        plan_code=run.plan.code,
    )


def two_goals(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    run = rig.start()
    if harmed:
        first = run.follow
        follows = [first]
        threads = [threading.Thread(target=_say, args=(rig, follows)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20.0)
        with contextlib.suppress(DeadlineError):
            rig.probe.wait(lambda: all(f.done.is_set() for f in follows), "the end of all", TASK_S)
        codes = sorted(code_of(f.error) if f.done.is_set() else "" for f in follows)
        run.figures["codes"] = " ".join(codes)
        if codes != ["NONE", "PREEMPTED", "PREEMPTED"]:
            run.broken.append(f"they ended with {', '.join(codes)}")
        if not all(f.done.is_set() for f in follows):
            run.broken.append("one never ended")
    run.await_end()
    run.question()
    measured = run.measured()
    if harmed and not measured.goal_holds:
        run.broken.append("the task was not done")
        measured = run.measured()
    return measured


def _say(rig: Rig, follows: list[Follow]) -> None:
    follows.append(rig.client.follow(rig.words, timeout_s=20.0))


def estop(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    run = rig.start()
    if not harmed:
        run.await_end()
        return run.measured()
    rig.client.emergency_stop()
    run.await_end()
    _refused(rig, run, "after the stop")
    for name in ("vlm", "executor"):
        before = rig.client.monitor.lives([name])
        rig.nodes.kill(name)
        rig.nodes.revive(name)
        rig.probe.wait(partial(_works, rig, name, before), f"'{name}' active again", 30.0)
    _refused(rig, run, "after new starts of vlm and executor")
    measured = run.measured()
    rig.client.emergency_stop(latch=False)
    rig.ready()
    again = rig.start()
    if not again.moving:
        run.broken.append("does not move after the reset")
    rig.client.stop(10.0)
    again.await_end()
    return replace(measured, broken=tuple(run.broken))


def _works(rig: Rig, name: str, before: dict[str, str]) -> bool:
    return bool(rig.client.monitor.reborn([name], before)) and not rig.client.monitor.idle([name])


def _refused(rig: Rig, run: Run, when: str) -> None:
    """The task is asked for once more: it must be refused, in words, and nothing may move."""
    said_s = time.monotonic()
    again = rig.client.follow(rig.words, timeout_s=20.0)
    again.done.wait(20.0)
    run.told.append(again.error.message if again.error else "")
    if again.error is None or "emergency stop is latched" not in again.error.message:
        run.broken.append(f"not refused {when}: {again.error.message if again.error else 'no error'}")
    if any(v > 0.1 for wall, _, v in rig.probe.heard.speeds if wall > said_s):
        run.broken.append(f"moved again {when}")


def power_cut_audit(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    """Kills vlm at random moments after it was instructed: it saves then."""
    run = rig.start()
    if not harmed:
        run.await_end()
        _check_records(rig, run)
        return run.measured()
    rig.expected_dead.add("vlm")
    rng = random.Random(1)
    for _ in range(SAVES):
        before = _records(rig)
        rig.client.follow("pick up the green cube", plan_only=True, timeout_s=20.0)
        with contextlib.suppress(DeadlineError):
            rig.probe.wait(partial(_new_record, rig, before), "a record begun", 5.0)
        time.sleep(rng.uniform(0.0, 0.02))
        rig.nodes.kill("vlm")
        _check_records(rig, run)
        rig.nodes.revive("vlm")
        rig.ready()
    return ended(run.measured())


def _records(rig: Rig) -> set[str]:
    folder = rig.folder.resolve() / AUDIT
    return {p.name for p in folder.iterdir()} if folder.is_dir() else set()


def _new_record(rig: Rig, before: set[str]) -> bool:
    return _records(rig) != before


def _check_records(rig: Rig, run: Run) -> None:
    whole = [p for p in (rig.folder.resolve() / AUDIT).glob("*") if p.suffix != ".part"]
    for folder in whole:
        try:
            record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
            if record.get("picture") and (folder / "picture.jpg").stat().st_size < 1000:
                run.broken.append(f"the picture of record {folder.name} is cut")
        except (OSError, ValueError) as error:
            run.broken.append(f"record {folder.name}: {error}")
    run.figures["records whole"] = str(len(whole))
    if not whole:
        run.broken.append("no record was kept")


def power_cut_recording(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    run = rig.start()
    if harmed:
        rig.expected_dead.add("recorder")
        run.watch(1.0)
        rig.nodes.kill("recorder")
    run.await_end()
    if not harmed:
        return run.measured()
    count = messages_in(rig.folder / "record" / "run.mcap")
    run.figures["messages read"] = str(count)
    if count < 100:
        run.broken.append(f"only {count} messages of the recording can be read")
    return run.measured()


def messages_in(path: Path) -> int:
    """How many messages of an MCAP file can be read, also where it was cut off."""
    count = 0
    with path.open("rb") as file, contextlib.suppress(McapError, EOFError, struct.error):
        for record in StreamReader(file).records:
            count += isinstance(record, Message)
    return count

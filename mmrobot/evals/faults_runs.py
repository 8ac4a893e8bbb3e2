"""How each fault is played: a task, the fault while the arm moves, what follows. Without it: the twin."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mmrobot.errors import DeadlineError
from mmrobot.evals.faults import BACK_S, DONE, HUNG_BACK_S, Fault
from mmrobot.evals.faults_people import (
    disk_full,
    ended,
    estop,
    flood,
    power_cut_audit,
    power_cut_recording,
    two_goals,
)
from mmrobot.evals.faults_rig import PHRASE, TASK_S, Rig, Run, Setting, running_rig
from mmrobot.evals.faults_table import Measured
from mmrobot.ros.fault_injection import Injection
from mmrobot.vlm.registry import SHIPPED

SEEN_AGAIN_S, TRIES = 2.0, 3
Play = Callable[[Fault, Rig, bool], Measured]


def play(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    """One run on a graph that is as at the start; `harmed` false: its healthy twin."""
    return RUNS[fault.run](fault, rig, harmed)


def _while(harm: Callable[[Fault, Rig], object], undo: Callable[[Fault, Rig], object]) -> Play:
    """What comes while the robot acts, and is taken back after all that is asked."""

    def work(fault: Fault, rig: Rig, harmed: bool) -> Measured:
        run = rig.start()
        if harmed:
            harm(fault, rig)
        run.await_end()
        run.question()
        measured = run.measured()
        if harmed:
            undo(fault, rig)
        return measured

    return work


def _inject(fault: Fault, rig: Rig) -> None:
    rig.probe.inject(fault.injection)


def _spoil_no_more(fault: Fault, rig: Rig) -> None:
    rig.probe.inject(Injection())
    if fault.injection.focal != 1.0:
        # That its calibration is as before is a change, too: told once, to who looks after it has come.
        time.sleep(SEEN_AGAIN_S)
        for _ in range(TRIES):
            if rig.probe.ask(PHRASE, 20.0).code == DONE:
                break


def _fail_model(fault: Fault, rig: Rig) -> None:
    rig.probe.fail_model(fault.target)


def _heal_model(fault: Fault, rig: Rig) -> None:
    rig.probe.fail_model("")
    rig.probe.set_model("")


def _weights(fault: Fault, rig: Rig, harmed: bool) -> Measured:
    folder = copied_weights(rig.folder / "weights", harmed)
    run = rig.start()
    refused = rig.probe.set_model(str(folder))
    run.told.append(refused)
    run.await_end()
    if not refused:
        change = "the change of the model"
        with contextlib.suppress(DeadlineError):
            rig.probe.wait(lambda: _told(rig, "model"), change, 60.0)
    run.question()
    measured = run.measured()
    rig.probe.set_model("")
    return measured


def _told(rig: Rig, state: str) -> bool:
    return any(told["state"] == state for _, told in list(rig.probe.heard.statuses))


def copied_weights(folder: Path, damaged: bool) -> Path:
    """The shipped model's folder, its weights overwritten in their middle when damaged."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SHIPPED["mmrobot-nano"], folder)
    if damaged:
        for weights in (folder / "model.safetensors", *folder.glob("*.onnx")):
            size = weights.stat().st_size
            with weights.open("r+b") as file:
                file.truncate(size // 2)
    return folder


def weights_at_start(fault: Fault, folder: Path, real_time_factor: float, harmed: bool) -> Measured:
    """A graph of its own, whose model is damaged: nothing moves, and whoever asks is told."""
    model = copied_weights(folder / "weights", harmed)
    setting, place = Setting(model=str(model)), folder / ("harmed" if harmed else "twin")
    with running_rig(setting, place, real_time_factor, wait=not harmed) as rig:
        if not harmed:
            rig.refresh()
            run = rig.start()
        else:
            rig.probe.wait(lambda: rig.client.world is not None, "the simulator", 60.0)
            with contextlib.suppress(DeadlineError):
                rig.probe.wait(lambda: rig.client.model_fault is not None, "the model's fault", 90.0)
            run = Run(rig, rig.world(), rig.client.follow(rig.words, timeout_s=20.0))
            run.begin()
            run.moving = True  # nothing can: that is asked for
        run.await_end()
        run.question()
        return run.measured()


def _end(number: int) -> Play:
    def work(fault: Fault, rig: Rig, harmed: bool) -> Measured:
        run = rig.start()
        if harmed:
            rig.expected_dead.add(fault.target)
            os.kill(rig.nodes.pids[fault.target], number)
            run.watch(2.0)
        run.await_end(30.0 if harmed else TASK_S)
        if not harmed:
            run.question()
        else:
            time.sleep(1.5)  # what /diagnostics tells once a second
        return run.measured()

    return work


def _restart(number: int, limit_s: float) -> Play:
    def work(fault: Fault, rig: Rig, harmed: bool) -> Measured:
        run, name = rig.start(), fault.target
        if not harmed:
            run.await_end()
            return run.measured()
        rig.expected_dead.add(name)
        before = rig.client.monitor.lives([name])
        os.kill(rig.nodes.pids[name], number)
        if fault.limits.still_s is not None:
            run.watch(2.0)
        stopped = run.measured()  # who is asked later may go home first
        with contextlib.suppress(DeadlineError):
            rig.await_back(name, before, 3.0 * limit_s)
            run.figures["back after"] = f"{time.monotonic() - run.began_s:.1f} s"
        if time.monotonic() - run.began_s > limit_s:
            run.broken.append(f"not back within {limit_s:g} s")
        run.await_end(1.0)
        return replace(ended(run.measured()), still_s=stopped.still_s)

    return work


RUNS: dict[str, Play] = {
    "injection": _while(_inject, _spoil_no_more),
    "model": _while(_fail_model, _heal_model),
    "weights": _weights,
    "kill": _end(signal.SIGKILL),
    "terminate": _end(signal.SIGTERM),
    "restart": _restart(signal.SIGKILL, BACK_S),
    "hang": _restart(signal.SIGSTOP, HUNG_BACK_S),
    "disk_full": disk_full,
    "flood": flood,
    "two_goals": two_goals,
    "estop": estop,
    "power_cut_audit": power_cut_audit,
    "power_cut_recording": power_cut_recording,
}

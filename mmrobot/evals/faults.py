"""Faults as data: what each does to the running graph, and what must come of it.

A fault is put in while the arm moves (its `run` says how), the same run without it is its healthy twin.
`mmrobot faults` plays both (faults_runs.py) and judges them (faults_table.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from mmrobot.errors import InvalidConfigError
from mmrobot.ros.fault_injection import CAMERA_TOPICS, TF_TOPIC, Injection
from mmrobot.ros.hung import HUNG_S

STILL_S, RETURN_S = 0.5, 10.0
BACK_S = 10.0
"""Until a node that was killed works again."""
HUNG_BACK_S = BACK_S + HUNG_S
DONE = "NONE"


@dataclass(frozen=True)
class Limits:
    """What is asked for.

    `ends`: result codes that the task may end with (NONE: carried out). `words`: a pattern that must be
    found in what is told on /diagnostics, on status, in results and answers, unless the task was carried
    out and need not be told of (`told_anyway`). `still_s`: simulated seconds until no motion is commanded
    any more; None where the arm may end what it does. `returns_s`: wall seconds until the task's result,
    once the arm is still, and until a question and an instruction that come meanwhile are answered.
    """

    ends: tuple[str, ...]
    words: str = ""
    told_anyway: bool = False
    still_s: float | None = None
    returns_s: float = RETURN_S
    answers: bool = True


@dataclass(frozen=True)
class Fault:
    """`rig` is which graph it is played on (faults_rig.py), `run` how, on what `target` (faults_runs.py).

    `not_yet`: why it is known not to hold; a row that fails then says so.
    """

    name: str
    does: str
    expected: str
    limits: Limits
    rig: str = "plain"
    run: str = "injection"
    injection: Injection = field(default_factory=Injection)
    target: str = ""
    not_yet: str = ""


def _all(value: float, *topics: str) -> dict[str, float]:
    return dict.fromkeys(topics, value)


def _camera(
    name: str,
    does: str,
    ends: str,
    words: str,
    injection: Injection,
    told: bool = False,
    rig: str = "camera",
) -> Fault:
    codes = tuple(ends.split())
    what = "goes on" if codes == (DONE,) else "goes on or ends" if DONE in codes else "the task ends"
    return Fault(
        name,
        does,
        f"{what}, names it",
        Limits(codes, words, told_anyway=told),
        rig=rig,
        injection=injection,
    )


PICTURES = ("image", "depth")
CAMERA = (
    _camera("camera_stops", "nothing comes from the camera any more", "NO_CAMERA",
            r"'/image' is \d", Injection(silent=CAMERA_TOPICS)),
    _camera("camera_frozen", "the same picture again and again, its stamps advance", "NO_CAMERA",
            r"frozen", Injection(frozen=PICTURES)),
    _camera("stamps_future", "all stamps of the camera 5 s ahead", "NO_CAMERA STALE",
            r"future", Injection(shift_s=_all(5.0, *CAMERA_TOPICS))),
    _camera("stamps_old", "all stamps of the camera 5 s behind", "NO_CAMERA STALE",
            r"5\.\d s old|behind", Injection(shift_s=_all(-5.0, *CAMERA_TOPICS))),
    _camera("stamps_zero", "no stamps in the camera's messages", "NO_CAMERA INVALID_IMAGE",
            r"stamp 0", Injection(zero=CAMERA_TOPICS)),
    _camera("depth_skew", "depth stamped 0.3 s before its colour", "NO_CAMERA",
            r"of one stamp", Injection(shift_s=_all(-0.3, "depth", "depth/camera_info"))),
    _camera("depth_invalid", "no valid pixel in the depth pictures", "NONE NO_DEPTH",
            r"depth", Injection(no_depth=True), told=True),
    _camera("info_missing", "no camera_info any more", "NO_CAMERA",
            r"'/camera_info'", Injection(silent=("camera_info",))),
    _camera("info_wrong_size", "camera_info tells half the picture's size", "INVALID_IMAGE",
            r"camera_info says", Injection(half_info=True)),
    _camera("intrinsics_changed", "camera_info's focal lengths grow by 30 % meanwhile", "INVALID_IMAGE",
            r"intrinsics|focal", Injection(focal=1.3)),
    _camera("tf_missing", "the camera's transform is told no more", "TRANSFORM_UNAVAILABLE",
            r"no transform", Injection(silent=(TF_TOPIC,)), rig="tf"),
    _camera("tf_late", "the camera's transform comes 4 s late", "TRANSFORM_UNAVAILABLE",
            r"no transform", Injection(delay_s={TF_TOPIC: 4.0}), rig="tf"),
    _camera("tf_extrapolating", "the camera's transform is stamped 1 s behind", "TRANSFORM_UNAVAILABLE",
            r"no transform", Injection(shift_s={TF_TOPIC: -2.0}), rig="tf"),
    _camera("large_pictures", "12 MP pictures, 30 a second or as many as the machine can, of a driver "
            "started with config/fastdds_pictures.xml", "NONE",
            "", Injection(pixels=(4000, 3000), rate_hz=30.0)),
    _camera("large_pictures_plain", "the same of a driver with the defaults of Fast DDS", "NONE NO_CAMERA",
            r"'/image' is \d|of one stamp", Injection(pixels=(4000, 3000), rate_hz=30.0), rig="plain_driver"),
)  # fmt: skip

_CLOCK_ENDS = ("NONE", "STALE", "NO_CAMERA", "ROBOT_UNAVAILABLE")
CLOCK = (
    Fault("clock_forward", "the graph's time jumps 10 s ahead", "goes on or ends, names it",
          Limits(_CLOCK_ENDS, r"clock|old|no joint states"), "clock", injection=Injection(clock_s=10.0)),
    Fault("clock_backward", "the graph's time jumps 3 s back", "stops, names it",
          Limits(("STALE", "ROBOT_UNAVAILABLE"), r"clock", still_s=STILL_S), "clock",
          injection=Injection(clock_s=-3.0)),
    Fault("bag_loop", "the graph's time goes back by 4 s every 4 s", "stops, names it",
          Limits(("STALE", "ROBOT_UNAVAILABLE"), r"clock"), "clock", injection=Injection(loop_s=4.0)),
)  # fmt: skip

_NO_MODEL = ("MODEL_UNAVAILABLE", "MODEL_REPLY_INVALID", "TIMEOUT")


def _model(name: str, does: str, words: str, ends: tuple[str, ...] = _NO_MODEL) -> Fault:
    limits = Limits(ends, words)
    how = name.removeprefix("vlm_")
    return Fault(name, does, "the task ends, names it", limits, "model", "model", target=how)


MODEL = (
    _model("vlm_hang", "the model does not come back", r"model.*(not answered|computing)|longer than"),
    _model("vlm_raise", "the model's library raises", r"injected: the library failed"),
    _model("vlm_memory", "the model runs out of memory", r"cannot allocate"),
    _model("vlm_garbage", "the model's replies make no sense", r"model's reply|model.*no sense"),
    Fault("vlm_megabyte", "the model's plans and answers are 1 MB of text", "the task goes on, names it",
          Limits((*_NO_MODEL, DONE), r"model's reply.*characters", told_anyway=True), "model", "model",
          target="megabyte"),
    Fault("weights_damaged", "the model is changed for one with damaged weights",
          "the old one goes on, names it", Limits((DONE,), r"cannot be loaded|damaged", told_anyway=True),
          "model", "weights"),
    Fault("weights_damaged_at_start", "the graph starts with damaged weights", "answers, names it",
          Limits(("MODEL_UNAVAILABLE",), r"damaged|safetensors|sha256|onnx"), "none", "weights_at_start"),
)  # fmt: skip

_GONE = ("ROBOT_UNAVAILABLE", "MODEL_UNAVAILABLE", "EXECUTION_FAILED", "NO_CAMERA", "STOPPED")


def _death(how: str, node: str) -> Fault:
    still_s = None if node == "simulator" else STILL_S
    signal = {"kill": "kill -9", "terminate": "SIGTERM"}[how]
    # Not that it was silent for a moment (over 0.35 s), as every node of a starved machine is.
    gone = rf"heartbeat of (?!.*over 0\.)[^\n]*{node}|{node}.* anew|shuts down|was deactivated"
    words = r"/clock has stood|'/image'|no joint states" if node == "simulator" else gone
    limits = Limits(_GONE, words, still_s=still_s, answers=False)
    return Fault(f"{how}_{node}", f"{signal} of {node} mid-motion", "stops, names it", limits, "plain", how,
                 target=node)  # fmt: skip


NODES = ("simulator", "arm_server", "executor", "vlm")
PROCESSES = (
    *(_death("kill", node) for node in NODES),
    *(_death("terminate", node) for node in NODES[1:]),
    *(Fault(f"restart_{node}", f"kill -9 of {node}; nobody starts it by hand", f"is back within {BACK_S:g} s",
            Limits((*_GONE, "PREEMPTED", DONE), answers=False), "plain", "restart", target=node)
      for node in (*NODES[1:], "manager")),
    *(Fault(f"hang_{node}", f"SIGSTOP of {node} mid-motion", f"stops, is back within {HUNG_BACK_S:g} s",
            Limits((*_GONE, DONE), still_s=STILL_S, answers=False), "plain", "hang", target=node)
      for node in NODES[1:]),
)  # fmt: skip

PEOPLE = (
    Fault("disk_full", "no write to a file succeeds (RLIMIT_FSIZE 0 for vlm and recorder)",
          "goes on, names it; nobody dies",
          Limits((DONE,), r"not kept|cannot record|are lost", told_anyway=True), "recorded", "disk_full"),
    Fault("flood", "1,000 instructions a second for 5 s, then a stop", "stops, stays still, then obeys",
          Limits(("STOPPED",), r"stop", still_s=STILL_S), "plain", "flood"),
    Fault("two_goals", "two goals at the same time", "one gives way, the other is carried out",
          Limits(("PREEMPTED",), r"took its place"), "plain", "two_goals"),
    Fault("estop_latches", "an emergency stop, a goal, new starts of vlm and executor, a goal, a reset",
          "stays still until it is reset",
          Limits(("STOPPED",), r"emergency stop is latched", still_s=STILL_S, answers=False), "plain",
          "estop"),
    Fault("power_cut_audit", "kill -9 of vlm while it saves records", "all records are whole, or not there",
          Limits((*_GONE, "PREEMPTED", DONE), answers=False), "plain", "power_cut_audit"),
    Fault("power_cut_recording", "kill -9 of the recorder mid-task", "what was recorded can be read",
          Limits((DONE,), answers=False), "recorded", "power_cut_recording"),
)  # fmt: skip

FAULTS: tuple[Fault, ...] = (*CAMERA, *CLOCK, *MODEL, *PROCESSES, *PEOPLE)


def chosen(names: Iterable[str]) -> tuple[Fault, ...]:
    """The faults of these names, all for none. Raises InvalidConfigError for an unknown one."""
    wanted = tuple(n for n in names if n)
    known = {fault.name: fault for fault in FAULTS}
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise InvalidConfigError(f"there is no fault '{name}'", f"{meant}see: mmrobot faults --list")
    return tuple(fault for fault in FAULTS if not wanted or fault.name in wanted)

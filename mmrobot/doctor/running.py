"""The graph that runs on this domain, if one does: nodes once each, the camera's rates, stamps and frames."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from mmrobot.doctor.findings import Check, Fault, examine, probe

MIN_RATE_HZ = 1.0
MAX_AGE_S, MAX_FUTURE_S = 1.0, 0.2
STREAMS = ("image", "camera_info", "depth", "depth/camera_info")
NEEDED = ("image", "camera_info")
NOT_RUNNING = "no graph of mmrobot runs here: start one with mmrobot up, then ask again"

Survey = dict[str, Any]
"""mmrobot.ros.graph_survey.Survey as JSON."""


def ask_graph() -> Survey:
    """Look at the graph in a process of its own. Raises Fault when that fails."""
    said = probe("from mmrobot.ros.graph_survey import main; main()", "see the checks of rclpy and delivery")
    found = json.loads(said)
    assert isinstance(found, dict)
    return found


def check_nodes(survey: Survey) -> str:
    """Two graphs on one domain answer the same words twice, and one arm gets two masters."""
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    if survey["doubles"]:
        raise Fault(
            f"{', '.join(survey['doubles'])} runs twice on ROS domain {domain}",
            "end one of the two, or give one another domain (export ROS_DOMAIN_ID=17) or a namespace",
        )
    graphs = survey["graphs"]
    if not graphs:
        return f"{len(survey['nodes'])} other nodes on domain {domain}; {NOT_RUNNING}"
    return f"mmrobot runs in {', '.join(graphs)} on domain {domain}, among {len(survey['nodes'])} nodes"


def check_camera(survey: Survey) -> str:
    if not survey["graphs"]:
        return NOT_RUNNING
    told = []
    for name, stream in zip(STREAMS, survey["streams"], strict=True):
        topic, needed = stream["topic"], name in NEEDED
        if not stream["publishers"]:
            if needed:
                raise Fault(f"nobody publishes {topic}", f"start the camera's driver, or remap '{name}'")
            told.append(f"no {name}")
            continue
        if stream["rate_hz"] < MIN_RATE_HZ:
            raise Fault(
                f"{topic} has a publisher, and {stream['rate_hz']:.1f} messages a second came",
                "see the driver's output, cable and USB port (USB 3 for depth); over a network lower the "
                "rate or the resolution",
            )
        told.append(f"{topic} {stream['rate_hz']:.0f} Hz")
    return ", ".join(told)


def check_stamps(survey: Survey) -> str:
    """A camera on another machine stamps by that machine's clock."""
    if not survey["graphs"]:
        return NOT_RUNNING
    ages = {s["topic"]: s["age_s"] for s in survey["streams"] if s["age_s"] is not None}
    if not ages:
        return "no picture came, so no stamp"
    fix = "synchronise both clocks (chrony), or set use_sim_time on all nodes or none"
    for topic, age_s in ages.items():
        if age_s > MAX_AGE_S:
            raise Fault(f"stamps of {topic} are {age_s:.1f} s old as they arrive", fix)
        if age_s < -MAX_FUTURE_S:
            raise Fault(f"stamps of {topic} are {-age_s:.1f} s in the future", fix)
    return f"stamps are up to {max(ages.values()):.2f} s old as they arrive"


def check_frames(survey: Survey) -> str:
    if not survey["graphs"]:
        return NOT_RUNNING
    frames = [s["frame_id"] for s in survey["streams"] if s["frame_id"]]
    if not frames:
        return "no picture came, so no frame"
    if survey["tf_error"]:
        raise Fault(survey["tf_error"], survey["tf_fix"])
    return f"base_link <- {frames[0]} is known"


CHECKS: tuple[tuple[str, Callable[[Survey], str]], ...] = (
    ("running nodes", check_nodes),
    ("camera topics", check_camera),
    ("camera stamps", check_stamps),
    ("camera frame", check_frames),
)


def examine_graph(ask: Callable[[], Survey] = ask_graph) -> list[Check]:
    """The checks of the running graph; all are optional, since none need run."""
    try:
        survey = ask()
    except Fault as fault:
        return [Check("running nodes", False, fault.detail, fault.fix)]
    return [examine(name, lambda check=check: check(survey)) for name, check in CHECKS]  # type: ignore[misc]

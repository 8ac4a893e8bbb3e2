"""Silence is a reason to stop; so is a clock that runs backwards."""

from __future__ import annotations

from mmrobot.execution.monitor import Monitor


def test_silence_is_named_with_its_age():
    monitor = Monitor({"arm_server": 0.35, "vlm": 0.35})
    monitor.begin(10.0)
    monitor.heard("arm_server", 10.3)
    monitor.heard("stranger", 10.3)
    assert monitor.reason_to_stop(10.3) is None
    reason = monitor.reason_to_stop(10.4)
    assert reason is not None
    assert "'vlm' has been silent for 0.40 s" in reason
    monitor.heard("vlm", 10.4)
    assert monitor.reason_to_stop(10.45) is None
    assert set(monitor.ages_s(10.5)) == {"arm_server", "vlm"}


def test_closed_when_in_doubt():
    monitor = Monitor({"vlm": 0.35})
    assert monitor.reason_to_stop(0.0) is not None  # watching never began
    monitor.begin(10.0)
    monitor.heard("vlm", 10.0)
    reason = monitor.reason_to_stop(5.0)
    assert reason is not None
    assert "backwards by 5.00 s" in reason

"""The doctor's checks: each fault is found, named and has a fix."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmrobot import doctor
from mmrobot.doctor import Fault


def test_probe_gives_the_last_line() -> None:
    assert doctor.probe("print('noise'); print('answer')", "fix it") == "answer"


def test_probe_names_what_was_raised_and_the_fix() -> None:
    with pytest.raises(Fault) as caught:
        doctor.probe("raise OSError('libEGL.so.1 is missing')", "install it")
    assert caught.value.detail == "OSError: libEGL.so.1 is missing"
    assert caught.value.fix == "install it"


def test_probe_survives_a_crash() -> None:
    with pytest.raises(Fault, match="crashed by signal 11"):
        doctor.probe("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "reinstall")


def test_probe_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBE_TIMEOUT_S", 0.5)
    with pytest.raises(Fault, match="no answer within"):
        doctor.probe("import time; time.sleep(30)", "end it")


def test_examine_reports_faults_and_findings() -> None:
    def broken() -> str:
        raise Fault("it is broken", "mend it")

    def forbidden() -> str:
        raise PermissionError("not allowed")

    assert doctor.examine("a", broken) == doctor.Check("a", False, "it is broken", "mend it")
    assert doctor.examine("b", lambda: "fine") == doctor.Check("b", True, "fine")
    assert "not allowed" in doctor.examine("c", forbidden).detail


def test_python_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sys.executable in doctor.check_python()
    monkeypatch.setattr(doctor, "SUPPORTED_PYTHON", ((2, 7),))
    with pytest.raises(Fault, match="is not supported"):
        doctor.check_python()


def test_a_second_ros_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "share/rclpy/cmake").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", "")
    assert doctor.check_one_ros() == "of the Python environment"
    monkeypatch.setenv("PYTHONPATH", "/opt/ros/jazzy/lib/python3.12/site-packages")
    with pytest.raises(Fault, match="/opt/ros/jazzy"):
        doctor.check_one_ros()


def test_full_disk_and_full_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(Fault, match="0.0 GB free"):
        doctor.check_disk()
    with pytest.raises(Fault, match="1 MB free"):
        doctor.check_shared_memory()


def test_small_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    with pytest.raises(Fault, match="1 cores"):
        doctor.check_computer()


def test_files_of_the_checkout_are_found() -> None:
    assert "worlds" in doctor.check_simulation_files()
    assert "mmrobot.yaml is valid" in doctor.check_configuration()
    assert "simulation" in doctor.check_launch_files()


def test_damaged_world_and_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("sim/worlds", "sim/models/arm", "config", "launch"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(doctor, "shared_folder", lambda name: tmp_path / name)
    with pytest.raises(Fault, match="0 worlds"):
        doctor.check_simulation_files()
    (tmp_path / "sim/models/arm/model.sdf").write_text("<sdf/>")
    (tmp_path / "sim/worlds/table.sdf").write_text("<sdf><world>")
    with pytest.raises(Fault, match="table.sdf"):
        doctor.check_simulation_files()
    (tmp_path / "config/mmrobot.yaml").write_text("no_such_section: 1\n")
    with pytest.raises(Fault, match="no_such_section"):
        doctor.check_configuration()
    with pytest.raises(Fault, match="no launch files"):
        doctor.check_launch_files()


def test_installed_share_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "share/mmrobot/only_here").mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert doctor.shared_folder("only_here") == tmp_path / "share/mmrobot/only_here"
    with pytest.raises(Fault, match="no folder 'nowhere'"):
        doctor.shared_folder("nowhere")


def test_a_running_simulator_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", ())
    monkeypatch.setattr(doctor, "OPTIONAL", ())
    monkeypatch.setenv("ROS_DOMAIN_ID", "42")
    (free,) = doctor.run_checks(lambda: None)
    assert free.ok and "42" in free.detail
    (taken,) = doctor.run_checks(lambda: "/simulator")
    assert not taken.ok and "/simulator" in taken.detail and "ROS_DOMAIN_ID" in taken.fix
    assert doctor.run_checks() == []


@pytest.mark.slow
def test_this_machine_is_healthy() -> None:
    checks = doctor.run_checks()
    assert len(checks) >= 12
    assert [check for check in checks if not check.ok] == []
    assert all(check.detail for check in checks)


@pytest.mark.slow
def test_rendering_without_a_driver_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere.json")
    with pytest.raises(Fault) as caught:
        doctor.check_rendering()
    assert "libegl-mesa0" in caught.value.fix

"""The doctor's checks: each fault is found, named and has a fix."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmrobot import doctor
from mmrobot.doctor import findings, installation, libraries, machine, own_files, running
from mmrobot.doctor.findings import Check, Fault
from mmrobot.vlm.sums import check_sums, write_sums


def test_probe_gives_the_last_line() -> None:
    assert findings.probe("print('noise'); print('answer')", "fix it") == "answer"


def test_probe_names_what_was_raised_and_the_fix() -> None:
    with pytest.raises(Fault) as caught:
        findings.probe("raise OSError('libEGL.so.1 is missing')", "install it")
    assert caught.value.detail == "OSError: libEGL.so.1 is missing"
    assert caught.value.fix == "install it"


def test_probe_survives_a_crash() -> None:
    with pytest.raises(Fault, match="crashed by signal 11"):
        findings.probe("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "reinstall")


def test_probe_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "PROBE_TIMEOUT_S", 0.5)
    with pytest.raises(Fault, match="no answer within"):
        findings.probe("import time; time.sleep(30)", "end it")


def test_examine_reports_faults_and_findings() -> None:
    def broken() -> str:
        raise Fault("it is broken", "mend it")

    def forbidden() -> str:
        raise PermissionError("not allowed")

    assert findings.examine("a", broken) == Check("a", False, "it is broken", "mend it")
    assert findings.examine("b", lambda: "fine") == Check("b", True, "fine")
    assert "not allowed" in findings.examine("c", forbidden).detail


def test_python_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sys.executable in machine.check_python()
    monkeypatch.setattr(machine, "SUPPORTED_PYTHON", ((2, 7),))
    with pytest.raises(Fault, match="is not supported"):
        machine.check_python()


def test_a_second_ros_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "share/rclpy/cmake").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", "")
    assert installation.check_one_ros() == "of the Python environment"
    monkeypatch.setenv("PYTHONPATH", "/opt/ros/jazzy/lib/python3.12/site-packages")
    with pytest.raises(Fault, match="/opt/ros/jazzy"):
        installation.check_one_ros()


def test_full_disk_and_full_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(Fault, match="0.0 GB free"):
        machine.check_disk()
    with pytest.raises(Fault, match="1 MB free"):
        machine.check_shared_memory()


def test_small_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    with pytest.raises(Fault, match="1 cores"):
        machine.check_computer()


def test_files_of_the_checkout_are_found() -> None:
    assert "worlds" in own_files.check_simulation_files()
    assert "mmrobot.yaml is valid" in own_files.check_configuration()
    assert "simulation" in own_files.check_launch_files()


def test_damaged_world_and_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("sim/worlds", "sim/models/arm", "config", "launch"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(own_files, "shared_folder", lambda name: tmp_path / name)
    with pytest.raises(Fault, match="0 worlds"):
        own_files.check_simulation_files()
    (tmp_path / "sim/models/arm/model.sdf").write_text("<sdf/>")
    (tmp_path / "sim/worlds/table.sdf").write_text("<sdf><world>")
    with pytest.raises(Fault, match="table.sdf"):
        own_files.check_simulation_files()
    (tmp_path / "config/mmrobot.yaml").write_text("no_such_section: 1\n")
    with pytest.raises(Fault, match="no_such_section"):
        own_files.check_configuration()
    with pytest.raises(Fault, match="no launch files"):
        own_files.check_launch_files()


def test_installed_share_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "share/mmrobot/only_here").mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert findings.shared_folder("only_here") == tmp_path / "share/mmrobot/only_here"
    with pytest.raises(Fault, match="no folder 'nowhere'"):
        findings.shared_folder("nowhere")


GRAPH: dict = {
    "nodes": ["/vlm", "/executor", "/camera"],
    "doubles": [],
    "graphs": ["/"],
    "streams": [
        {"topic": t, "publishers": 1, "rate_hz": 10.0, "age_s": 0.05, "frame_id": "cam"}
        for t in ("/image", "/camera_info", "/depth", "/depth/camera_info")
    ],
    "tf_error": "",
    "tf_fix": "",
}


def graph(stream: int = 0, changes: dict | None = None, **whole: object) -> dict:
    streams = [dict(s) for s in GRAPH["streams"]]
    streams[stream] |= changes or {}
    return {**GRAPH, "streams": streams, **whole}


def test_a_healthy_graph_has_no_fault() -> None:
    found = running.examine_graph(lambda: graph())
    assert [c.name for c in found if not c.ok] == [] and len(found) == 4
    assert "/image 10 Hz" in found[1].detail and "0.05 s old" in found[2].detail
    assert "base_link <- cam" in found[3].detail


@pytest.mark.parametrize(
    ("check", "survey", "told", "fix"),
    [
        (running.check_nodes, graph(doubles=["/vlm"]), "/vlm runs twice", "ROS_DOMAIN_ID"),
        (running.check_camera, graph(0, {"publishers": 0}), "nobody publishes /image", "driver"),
        (running.check_camera, graph(2, {"rate_hz": 0.3}), "0.3 messages a second", "cable"),
        (running.check_stamps, graph(1, {"age_s": 7.2}), "7.2 s old", "chrony"),
        (running.check_stamps, graph(1, {"age_s": -3.0}), "3.0 s in the future", "use_sim_time"),
        (
            running.check_frames,
            graph(tf_error="no transform", tf_fix="publish it"),
            "no transform",
            "publish",
        ),
    ],
)
def test_faults_of_a_running_graph(check, survey: dict, told: str, fix: str) -> None:
    with pytest.raises(Fault) as caught:
        check(survey)
    assert told in caught.value.detail and fix in caught.value.fix


def test_a_camera_without_depth_is_no_fault() -> None:
    without = graph(2, {"publishers": 0, "rate_hz": 0.0})
    assert "no depth" in running.check_camera(without)


def test_without_a_graph_nothing_is_a_fault() -> None:
    found = running.examine_graph(lambda: graph(graphs=[], streams=[]))
    assert all(c.ok for c in found) and "mmrobot up" in found[0].detail


def test_a_survey_that_fails_is_a_fault() -> None:
    def broken() -> dict:
        raise Fault("no answer within 60 s", "see")

    assert [c.ok for c in running.examine_graph(broken)] == [False]


@pytest.mark.parametrize("value", ["many", "-3", "233", "1.5"])
def test_domain_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", value)
    with pytest.raises(Fault, match=f"'{value}'"):
        installation.check_domain_number()


def test_domain_whose_ports_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "150")
    with pytest.raises(Fault, match="150"):
        installation.check_domain_number()
    monkeypatch.setenv("ROS_DOMAIN_ID", "17")
    assert installation.check_domain_number() == "17"


def test_discovery_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROS_LOCALHOST_ONLY", raising=False)
    for value, told in (("LAN", "'LAN'"), ("OFF", "STATIC_PEERS")):
        monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", value)
        with pytest.raises(Fault, match=told):
            installation.check_discovery_range()
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE")
    assert "everybody on this network" in installation.check_discovery_range()
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    assert "only programs of this machine" in installation.check_discovery_range()
    monkeypatch.setenv("ROS_LOCALHOST_ONLY", "1")
    with pytest.raises(Fault, match="ROS_LOCALHOST_ONLY"):
        installation.check_discovery_range()


def test_middleware_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_of_my_dreams")
    with pytest.raises(Fault, match="rmw_of_my_dreams"):
        installation.check_middleware()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/librmw_of_my_dreams.so").touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert installation.check_middleware() == "rmw_of_my_dreams"
    monkeypatch.delenv("RMW_IMPLEMENTATION")
    assert "default" in installation.check_middleware()


def test_messages_of_an_older_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in ("source", "share/mmrobot_msgs"):
        (tmp_path / place / "msg").mkdir(parents=True)
        (tmp_path / place / "msg/Plan.msg").write_text("int32 a\n")
    monkeypatch.setattr(installation, "shared_folder", lambda _: tmp_path / "source")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert installation.check_messages_current().startswith("1 definitions")
    (tmp_path / "source/msg/Plan.msg").write_text("int32 a\nint32 b\n")
    with pytest.raises(Fault, match="Plan.msg"):
        installation.check_messages_current()
    monkeypatch.delenv("AMENT_PREFIX_PATH")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "nowhere"))
    with pytest.raises(Fault, match="not built"):
        installation.check_messages_current()


def test_little_memory_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "meminfo"
    monkeypatch.setattr(machine, "_MEMINFO", str(place))
    assert "not told" in machine.check_free_memory()
    place.write_text("MemTotal: 8000000 kB\nMemAvailable: 400000 kB\n")
    with pytest.raises(Fault, match="0.4 GB"):
        machine.check_free_memory()
    place.write_text("MemAvailable: 4000000 kB\n")
    assert machine.check_free_memory() == "4.0 GB free"


def test_few_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 524288))
    with pytest.raises(Fault, match="256 files") as caught:
        machine.check_open_files()
    assert "ulimit -n 4096" in caught.value.fix
    monkeypatch.setattr("resource.getrlimit", lambda _: (4096, 4096))
    assert "4096" in machine.check_open_files()


def test_a_clock_without_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    with pytest.raises(Fault, match="1970-01-01"):
        machine.check_clock()


@pytest.mark.parametrize(("said", "told"), [("yes\n", "synchronised"), ("no\n", "chrony"), ("", "not told")])
def test_synchronised_clock(monkeypatch: pytest.MonkeyPatch, said: str, told: str) -> None:
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=said))
    assert told in machine.check_clock()


def test_sound_and_speech(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_PCM", str(tmp_path / "pcm"))
    assert "no microphone" in machine.check_sound()
    (tmp_path / "pcm").write_text("00-00: A : A : playback 1 : capture 1\n00-03: B : B : playback 1\n")
    assert machine.check_sound() == "1 inputs, 2 outputs"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "apt-get install espeak-ng" in machine.check_speech()
    monkeypatch.setattr(shutil, "which", lambda _: str(tmp_path / "no_program"))
    with pytest.raises(Fault, match="does not run"):
        machine.check_speech()


def test_console_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setattr(
            machine, "load_config", lambda _: SimpleNamespace(console=SimpleNamespace(port=port))
        )
        with pytest.raises(Fault, match=f"port {port}"):
            machine.check_console_port()
    assert f"{port} is free" in machine.check_console_port()


def test_load_and_buffers_advise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (40.0, 1.0, 1.0))
    assert "hold still" in machine.check_load()
    monkeypatch.setattr("os.getloadavg", lambda: (0.1, 1.0, 1.0))
    assert machine.check_load().startswith("0.1 on")
    monkeypatch.setattr(machine, "_RMEM_MAX", str(tmp_path / "rmem"))
    assert "not told" in machine.check_socket_buffers()
    (tmp_path / "rmem").write_text("212992\n")
    assert "sysctl" in machine.check_socket_buffers()
    (tmp_path / "rmem").write_text("8388608\n")
    assert machine.check_socket_buffers() == "8.4 MB"


def nvidia_smi(monkeypatch: pytest.MonkeyPatch, status: int, out: str, err: str = "") -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    answer = SimpleNamespace(returncode=status, stdout=out, stderr=err)
    monkeypatch.setattr(libraries.subprocess, "run", lambda *_, **__: answer)


def test_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "probe", lambda *_: "False")
    nvidia_smi(monkeypatch, 9, "", "Failed to initialize NVML: Driver/library version mismatch")
    with pytest.raises(Fault, match="mismatch") as caught:
        libraries.check_gpu()
    assert "start the machine anew" in caught.value.fix
    nvidia_smi(monkeypatch, 0, "NVIDIA Thor, 580.1, 128000 MiB\n")
    with pytest.raises(Fault, match="cannot use it"):
        libraries.check_gpu()
    monkeypatch.setattr(libraries, "probe", lambda *_: "True")
    assert libraries.check_gpu() == "NVIDIA Thor, 580.1, 128000 MiB"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "optional" in libraries.check_gpu()


def test_tensorrt_beside_a_gpu_says_why_it_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: str) -> str:
        raise Fault("OSError: libnvinfer.so.11 is missing", "")

    monkeypatch.setattr(libraries, "probe", broken)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    assert "libnvinfer.so.11 is missing" in libraries.check_tensorrt()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "NVIDIA GPUs only" in libraries.check_tensorrt()


def test_engine_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MMROBOT_CACHE", str(tmp_path))
    assert "none built" in libraries.check_engine_cache()
    (tmp_path / "tensorrt").mkdir()
    engine = tmp_path / "tensorrt" / "a.engine"
    engine.write_bytes(b"x")
    engine.chmod(0o600)
    with pytest.raises(Fault, match="half written, such as a.engine"):
        libraries.check_engine_cache()
    engine.with_suffix(".json").write_text("{}")
    assert libraries.check_engine_cache().startswith("1 engines")
    engine.chmod(0o666)
    with pytest.raises(Fault, match="other users may change") as caught:
        libraries.check_engine_cache()
    assert "chmod go-w" in caught.value.fix


def test_changed_weights_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(libraries, "WEIGHTS", tmp_path)
    with pytest.raises(Fault, match="no sha256sums.txt"):
        libraries.check_model_files()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    write_sums(tmp_path)
    assert libraries.check_model_files().startswith("2 files")
    (tmp_path / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(Fault, match=r"model.safetensors has SHA-256"):
        libraries.check_model_files()
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(Fault, match="model.safetensors is missing"):
        libraries.check_model_files()


def test_shipped_weights_are_those_released() -> None:
    assert check_sums(libraries.WEIGHTS) == 3


def test_onnxruntime_computes() -> None:
    assert "CPU" in libraries.check_onnxruntime()


def test_at_least_twenty_checks_each_once() -> None:
    names = [name for name, _ in (*doctor.CHECKS, *doctor.OPTIONAL, *running.CHECKS)]
    assert len(names) == len(set(names)) >= 20


@pytest.mark.slow
def test_this_machine_is_healthy() -> None:
    checks = doctor.run_checks()
    assert len(checks) >= 35
    assert [check for check in checks if not check.ok] == []
    assert all(check.detail for check in checks)


@pytest.mark.slow
def test_rendering_without_a_driver_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere.json")
    with pytest.raises(Fault) as caught:
        libraries.check_rendering()
    assert "libegl-mesa0" in caught.value.fix

"""The computer itself: Python, cores, memory, disk, shared memory, limits, clock, sound, ports."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from mmrobot.config import load_config
from mmrobot.doctor.findings import Fault, shared_folder
from mmrobot.errors import MmrobotError

SUPPORTED_PYTHON = ((3, 11), (3, 12))
MIN_DISK_GB = 2.0
MIN_MEMORY_GB = 4.0
MIN_FREE_MEMORY_GB = 1.5
MIN_SHARED_MEMORY_MB = 32.0
MIN_OPEN_FILES = 1024
# A picture of 1920x1080 in colour: what a socket must take in while its reader is busy.
MIN_SOCKET_BUFFER = 2_097_152
CONSOLE_PORT = 8765
# This program is younger: a clock before it makes every stamp, certificate and log wrong.
EARLIEST_S = 1_767_225_600.0
_MEMINFO, _PCM, _RMEM_MAX = "/proc/meminfo", "/proc/asound/pcm", "/proc/sys/net/core/rmem_max"


def check_python() -> str:
    version = platform.python_version()
    if sys.version_info[:2] not in SUPPORTED_PYTHON:
        raise Fault(f"Python {version} is not supported", "use Python 3.11 or 3.12, then run: make setup")
    return f"{version} at {sys.executable}"


def check_computer() -> str:
    cores = len(os.sched_getaffinity(0))
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    if cores < 2 or memory_gb < MIN_MEMORY_GB:
        raise Fault(
            f"{cores} cores and {memory_gb:.1f} GB of memory",
            f"give mmrobot 2 cores and {MIN_MEMORY_GB:.0f} GB; with less the simulator falls behind",
        )
    return f"{cores} cores, {memory_gb:.0f} GB of memory, {platform.machine()}"


def check_free_memory() -> str:
    place = Path(_MEMINFO)
    if not place.exists():
        return "not told by this system"
    fields = dict(line.split(":", 1) for line in place.read_text().splitlines() if ":" in line)
    free_gb = int(fields.get("MemAvailable", "0 kB").split()[0]) / 1e6
    if free_gb < MIN_FREE_MEMORY_GB:
        raise Fault(
            f"{free_gb:.1f} GB of memory free, model and simulator need {MIN_FREE_MEMORY_GB}",
            "end other programs (see: ps aux --sort=-rss | head), or add swap",
        )
    return f"{free_gb:.1f} GB free"


def check_load() -> str:
    """Waiting in line for cores makes a robot's heartbeats late."""
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > 2.0 * cores:
        return f"{load:.1f} programs want {cores} cores: the robot will hold still now and then"
    return f"{load:.1f} on {cores} cores"


def check_disk() -> str:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    if free_gb < MIN_DISK_GB:
        raise Fault(f"{free_gb:.1f} GB free here, {MIN_DISK_GB:.0f} needed", "make room on this disk")
    return f"{free_gb:.0f} GB free"


def check_shared_memory() -> str:
    place = Path("/dev/shm")
    if not place.is_dir():
        return "not used on this system"
    free_mb = shutil.disk_usage(place).free / 1e6
    if free_mb < MIN_SHARED_MEMORY_MB:
        raise Fault(
            f"{free_mb:.0f} MB free in {place}, pictures need {MIN_SHARED_MEMORY_MB:.0f}",
            "remove fastrtps_* left there by dead programs, or start the container with --shm-size=256m",
        )
    return f"{free_mb:.0f} MB free in {place}"


def check_open_files() -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < MIN_OPEN_FILES:
        raise Fault(
            f"this user may open {soft} files, DDS needs {MIN_OPEN_FILES}",
            f"run: ulimit -n {min(hard, 4096) if hard > 0 else 4096}; to keep it, edit "
            "/etc/security/limits.conf",
        )
    return "no limit" if soft == resource.RLIM_INFINITY else f"{soft} may be open"


def check_socket_buffers() -> str:
    """Only where pictures come over the network: on one machine they go through shared memory."""
    place = Path(_RMEM_MAX)
    if not place.exists():
        return "not told by this system"
    size = int(place.read_text())
    if size < MIN_SOCKET_BUFFER:
        return (
            f"{size / 1e6:.1f} MB: enough for a camera on this machine; for one on the network run: "
            "sudo sysctl -w net.core.rmem_max=8388608"
        )
    return f"{size / 1e6:.1f} MB"


def check_clock() -> str:
    now_s = time.time()
    if now_s < EARLIEST_S:
        raise Fault(
            f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now_s))}",
            "set it: sudo timedatectl set-ntp true; a Jetson without a battery forgets it at each start",
        )
    synchronised = _synchronised()
    if synchronised is False:
        return "not synchronised: with a camera or robot on another machine, run: sudo apt-get install chrony"
    return "synchronised" if synchronised else "plausible; whether it is synchronised is not told here"


def _synchronised() -> bool | None:
    try:
        said = subprocess.run(
            ["timedatectl", "show", "-p", "NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5.0,
            check=False,
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(said)


def check_sound() -> str:
    cards = Path(_PCM)
    lines = cards.read_text().splitlines() if cards.exists() else []
    inputs = sum("capture" in line for line in lines)
    outputs = sum("playback" in line for line in lines)
    if not inputs:
        return f"no microphone, {outputs} outputs (optional: type the words instead)"
    return f"{inputs} inputs, {outputs} outputs"


def check_speech() -> str:
    """Spoken answers."""
    program = shutil.which("espeak-ng")
    if program is None:
        return "no espeak-ng, so answers are written only (optional): sudo apt-get install espeak-ng"
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Fault(
            f"{program} does not run: {error}", "install it anew: sudo apt-get install --reinstall espeak-ng"
        ) from None
    return said.stdout.strip().splitlines()[0] if said.stdout.strip() else program


def check_console_port() -> str:
    try:
        config = load_config(shared_folder("config") / "mmrobot.yaml")
    except MmrobotError:
        config = load_config(None)
    port = int(getattr(getattr(config, "console", None), "port", CONSOLE_PORT))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Fault(
                f"port {port} of the browser console is taken: {error.strerror}",
                f"end what holds it (see: ss -ltnp 'sport = :{port}'), or configure another port",
            ) from None
    return f"port {port} is free"

"""What mmrobot needs of the system, and how Debian and Ubuntu call it."""

from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
# Mesa's software renderer (before and since 23.2), or a maker's own driver.
EGL_DRIVERS = (
    "/usr/lib/*/dri/swrast_dri.so",
    "/usr/lib/*/libgallium*.so",
    "/usr/lib/*/dri/libdril_dri.so",
    "/usr/lib/*/libEGL_nvidia.so.0",
    "/usr/lib64/dri/swrast_dri.so",
    "/usr/lib64/libgallium*.so",
)


@dataclass(frozen=True)
class Need:
    """Something of the system; without it, set-up stops when it is `vital`, else only what needs it fails."""

    what: str
    packages: tuple[str, ...]
    present: Callable[[], bool]
    vital: bool = True


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


NEEDS = (
    Need(
        "Python's venv module",
        (f"python{VERSION}-venv",),
        lambda: importlib.util.find_spec("ensurepip") is not None,
    ),
    Need(
        "Python's headers",
        (f"python{VERSION}-dev",),
        lambda: Path(sysconfig.get_path("include"), "Python.h").is_file(),
    ),
    Need("a C++ compiler", ("g++",), lambda: shutil.which("c++") is not None),
    Need("make", ("make",), lambda: shutil.which("make") is not None),
    Need("EGL", ("libegl1",), lambda: loads("libEGL.so.1"), vital=False),
    Need("OpenGL", ("libgl1",), lambda: loads("libGL.so.1") or loads("libOpenGL.so.0"), vital=False),
    Need(
        "a renderer for EGL",
        ("libegl-mesa0", "libgl1-mesa-dri"),
        lambda: any(map(glob.glob, EGL_DRIVERS)),
        vital=False,
    ),
    Need("speech (espeak-ng)", ("espeak-ng",), lambda: shutil.which("espeak-ng") is not None, vital=False),
    Need("PortAudio", ("libportaudio2",), lambda: loads("libportaudio.so.2"), vital=False),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DEV_NEEDS = (
    Need(
        "a browser for the console's tests",
        ("chromium",),
        lambda: any(map(shutil.which, BROWSERS)),
        vital=False,
    ),
)


def missing(dev: bool = False) -> list[Need]:
    return [need for need in (*NEEDS, *(DEV_NEEDS if dev else ())) if not need.present()]


def install_missing(error: Callable[[str, str], Exception], dev: bool = False) -> None:
    """Install what is missing by apt-get. Raises `error(message, fix)` when something vital stays missing."""
    lacking = missing(dev)
    if not lacking:
        return
    names = ", ".join(need.what for need in lacking)
    packages = [package for need in lacking for package in need.packages]
    print(f"==> Debian packages for {names}: {' '.join(packages)}", flush=True)
    reason = _apt_install(packages)
    still = missing(dev)
    if not still:
        return
    by_hand = (
        f"sudo apt-get install {' '.join(p for need in still for p in need.packages)}   and run this again"
    )
    if any(need.vital for need in still):
        raise error(f"this machine lacks {', '.join(n.what for n in still)}; {reason}", by_hand)
    print(
        f"    warning: {', '.join(n.what for n in still)} missing ({reason}); what needs it will not work.\n"
        f"    fix: {by_hand}",
        flush=True,
    )


def _apt_install(packages: list[str]) -> str:
    """Try to install; the reason in words when it did not work."""
    if shutil.which("apt-get") is None:
        return "there is no apt-get here, install it with this system's own tools"
    if os.geteuid() == 0:
        prefix = []
    elif shutil.which("sudo") and (sys.stdin.isatty() or _sudo_needs_no_password()):
        prefix = ["sudo"]
    else:
        return "installing packages needs administrator rights, which this user has not"
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    install = [*apt, "install", "--no-install-recommends", *packages]
    if subprocess.run(install, check=False, stdout=subprocess.DEVNULL).returncode != 0:
        # A fresh machine or container has no package lists yet.
        subprocess.run([*apt, "update"], check=False, stdout=subprocess.DEVNULL)
        if subprocess.run(install, check=False, stdout=subprocess.DEVNULL).returncode != 0:
            return "apt-get could not install it, see its words above"
    return "apt-get installed the packages, and yet it is not found"


def _sudo_needs_no_password() -> bool:
    return subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0

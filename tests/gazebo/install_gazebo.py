"""A true Gazebo 11 in a folder of its own: Debian 11 with Gazebo in it, and the tests' plugin compiled there.

    python tests/gazebo/install_gazebo.py [--where FOLDER]

Nothing of the system is changed but that the package `debootstrap` is installed when it is missing. Each step
is done once (the plugin again when its source has changed); a broken-off run is gone on with. It needs root,
chroot and mount namespaces; where these are not permitted, NotPermittedError says so. About 3 minutes
and 2 GB the first time. Only the standard library is used.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = "bullseye"
PACKAGES = (
    "gazebo",
    "gazebo-plugin-base",
    "libgazebo-dev",
    "g++",
    "pkg-config",
    "xvfb",
    "libgl1-mesa-dri",
)
PLUGIN_SOURCE = Path(__file__).with_name("plugin.cc")
PLUGIN_FOLDER = "opt/mmrobot"
COMPILE = (
    "cd /opt/mmrobot && g++ -std=c++17 -w -O1 -fPIC -shared -o libmmrobot_bridge.so plugin.cc "
    "-DBOOST_BIND_GLOBAL_PLACEHOLDERS -DTBB_SUPPRESS_DEPRECATED_MESSAGES=1 "
    "-I/usr/include/OGRE $(for d in /usr/include/OGRE/*/; do echo -I$d; done) "
    "$(pkg-config --cflags --libs gazebo)"
)


class NotPermittedError(Exception):
    """This machine or user does not allow it: a reason to skip, and no fault of ours."""


class InstallError(Exception):
    """It was permitted and failed."""


def default_folder() -> Path:
    """MMROBOT_GAZEBO_DIR, else `.gazebo` in the checkout, which git ignores."""
    return Path(os.environ.get("MMROBOT_GAZEBO_DIR") or ROOT / ".gazebo").resolve()


def inside(root: Path, command: Sequence[str], binds: Sequence[tuple[Path, str]] = ()) -> list[str]:
    """The command line that runs `command` in the folder as in a machine of its own.

    Mounts live in a mount namespace and end with it; whoever kills the outermost process ends them all.
    `binds` are (folder here, absolute path there).
    """
    steps = ['mount -t proc proc "$0/proc"', 'mount --rbind /dev "$0/dev"']
    for number, (_, there) in enumerate(binds):
        steps.append(f'mkdir -p "$0{there}" && mount --bind "${{{number + 1}}}" "$0{there}"')
    script = " && ".join([*steps, f'root="$0" && shift {len(binds)} && exec chroot "$root" "$@"'])
    return [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"),
        *("sh", "-c", script, str(root)),
        *(str(here) for here, _ in binds),
        *command,
    ]


def check_permitted() -> None:
    """Raises NotPermittedError with the reason in words."""
    if sys.platform != "linux":
        raise NotPermittedError(f"Gazebo 11 is set up from Debian packages, and this is {sys.platform}")
    if os.geteuid() != 0:
        raise NotPermittedError("setting up Debian in a folder needs root (debootstrap, chroot): use sudo")
    probe = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", "/", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode != 0:
        raise NotPermittedError(f"unshare and chroot are not permitted here: {probe.stderr.strip()}")


def install(folder: Path | None = None) -> Path:
    """Everything, once; the root folder of the Debian that holds Gazebo.

    Raises NotPermittedError before anything is done, InstallError when a step fails.
    """
    check_permitted()
    folder = folder or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = folder / SUITE
        _step("Debian 11 in a folder (half a minute)", root / "etc/debian_version", lambda: _debian(folder))
        stamp = root / "opt" / ("gazebo_" + _digest(" ".join(PACKAGES).encode()))
        _step("Gazebo 11 and a compiler in it (two minutes)", stamp, lambda: _packages(root, stamp))
        stamp = root / PLUGIN_FOLDER / _digest(PLUGIN_SOURCE.read_bytes(), COMPILE.encode())
        _step("the tests' plugin (half a minute)", stamp, lambda: _plugin(root, stamp))
        return root


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _step(title: str, done: Path, action) -> None:
    if done.exists():
        return
    print(f"==> {title}", file=sys.stderr, flush=True)
    begin = time.monotonic()
    action()
    print(f"    done in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)


def _run(command: Sequence[str], log: Path) -> None:
    with log.open("ab") as out:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        ).returncode
    if status != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise InstallError(f"{' '.join(command[:3])} ... ended with status {status}; see {log}:\n{last}")


def _debian(folder: Path) -> None:
    log = folder / "install.log"
    if shutil.which("debootstrap") is None:
        if shutil.which("apt-get") is None:
            raise NotPermittedError("debootstrap is missing, and there is no apt-get to install it with")
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
        try:
            _run([*quiet, "install", "--no-install-recommends", "debootstrap"], log)
        except InstallError:
            # A fresh machine or container has no package lists yet.
            _run([*quiet, "update"], log)
            _run([*quiet, "install", "--no-install-recommends", "debootstrap"], log)
    partial = folder / f"{SUITE}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _run(["debootstrap", "--variant=minbase", SUITE, str(partial)], log)
    partial.rename(folder / SUITE)


def _packages(root: Path, stamp: Path) -> None:
    log = root.parent / "install.log"
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    _run(inside(root, [*apt, "update"]), log)
    _run(inside(root, [*apt, "install", "--no-install-recommends", *PACKAGES]), log)
    _run(inside(root, [*apt, "clean"]), log)
    stamp.touch()


def _plugin(root: Path, stamp: Path) -> None:
    place = root / PLUGIN_FOLDER
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copy(PLUGIN_SOURCE, place / "plugin.cc")
    _run(inside(root, ["sh", "-c", COMPILE]), root.parent / "install.log")
    stamp.touch()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--where", type=Path, help="folder; without it MMROBOT_GAZEBO_DIR, else .gazebo here")
    try:
        print(install(parser.parse_args().where))
    except (NotPermittedError, InstallError) as error:
        print(f"Gazebo was not set up: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

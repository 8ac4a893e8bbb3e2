"""Message packages that the Python registry lacks, built for .venv into a folder of their own.

    python3 scripts/build_interfaces.py --source ~/src/control_msgs --prefix ~/ros_interfaces \\
        control_msgs/action/FollowJointTrajectory control_msgs/action/GripperCommand

Only the interfaces that are named, and what they are made of, are built (minutes for large ones). What .venv
has is taken from there. Where ROS comes from apt this is not needed: apt has these packages. Afterwards:

    source ~/ros_interfaces/use.sh
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

from run_command import SetupError, run
from setup_environment import PYTHON, VENV, environment

KINDS = ("msg", "srv", "action")
PRIMITIVES = frozenset(
    "bool byte char float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64 string wstring".split()
)
CMAKE = """cmake_minimum_required(VERSION 3.20)
project({name})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
set(dependencies {dependencies})
foreach(dependency IN LISTS dependencies)
  find_package(${{dependency}} REQUIRED)
endforeach()
# What those are made of in turn.
set(found ${{dependencies}} action_msgs service_msgs builtin_interfaces unique_identifier_msgs std_msgs
  geometry_msgs sensor_msgs shape_msgs trajectory_msgs nav_msgs)
foreach(dependency IN LISTS found)
  find_package(${{dependency}} QUIET)
endforeach()
# Wheels export include folders that do not exist; naming them fails.
foreach(dependency IN LISTS found)
  set(target ${{dependency}}::${{dependency}}__rosidl_generator_py)
  if(TARGET ${{target}})
    get_target_property(folders ${{target}} INTERFACE_INCLUDE_DIRECTORIES)
    set(existing "")
    foreach(folder IN LISTS folders)
      if(folder MATCHES "^\\\\$<" OR EXISTS "${{folder}}")
        list(APPEND existing "${{folder}}")
      endif()
    endforeach()
    set_target_properties(${{target}} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${{existing}}")
  endif()
endforeach()
rosidl_generate_interfaces(${{PROJECT_NAME}}
  {files}
  DEPENDENCIES ${{dependencies}}
)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
PACKAGE = """<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>Some interfaces of {name}.</description>
  <maintainer email="mmrobot@example.com">mmrobot maintainers</maintainer>
  <license>see its source</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  {depends}
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""
USE = """# To be sourced: the interfaces built here, beside those of mmrobot's .venv.
export AMENT_PREFIX_PATH="{prefix}${{AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}}"
export LD_LIBRARY_PATH="{prefix}/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export PYTHONPATH="{python}${{PYTHONPATH:+:$PYTHONPATH}}"
"""


def sources(folders: list[Path]) -> dict[str, Path]:
    """Package name to folder, of every package.xml below the folders."""
    found: dict[str, Path] = {}
    for folder in folders:
        for manifest in sorted(folder.rglob("package.xml")):
            name = ET.parse(manifest).findtext("name", "").strip()
            found.setdefault(name, manifest.parent)
    return found


def named_types(text: str, package: str) -> set[str]:
    """The message types that a definition is made of, as package/msg/Name."""
    found = set()
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if len(words) < 2 or "=" in words[1]:
            continue
        kind = re.split(r"[\[<]", words[0], maxsplit=1)[0]
        if kind in PRIMITIVES:
            continue
        owner, _, name = kind.rpartition("/")
        found.add(f"{owner.removesuffix('/msg') or package}/msg/{name}")
    return found


def installed(package: str, prefixes: list[Path]) -> bool:
    return any((prefix / "share" / package / "package.xml").is_file() for prefix in prefixes)


def closure(
    wanted: list[str], packages: dict[str, Path], prefixes: list[Path]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """(files, dependencies) of each package to build. Raises SetupError naming what cannot be found."""
    files: dict[str, set[str]] = defaultdict(set)
    needs: dict[str, set[str]] = defaultdict(set)
    waiting, seen = list(wanted), set()
    while waiting:
        full = waiting.pop()
        if full in seen:
            continue
        seen.add(full)
        package, kind, name = full.split("/")
        if package not in packages:
            raise SetupError(f"no package '{package}' below the sources", "add its folder with --source")
        path = packages[package] / kind / f"{name}.{kind}"
        if not path.is_file():
            raise SetupError(f"there is no {path}", "look at the names of its interfaces")
        files[package].add(f"{kind}/{name}.{kind}")
        for other in named_types(path.read_text(encoding="utf-8"), package):
            owner = other.split("/", 1)[0]
            if owner != package:
                needs[package].add(owner)
            if owner == package or not installed(owner, prefixes):
                waiting.append(other)
    return files, needs


def in_order(files: dict[str, set[str]], needs: dict[str, set[str]]) -> list[str]:
    """Packages, each after those that it needs."""
    done: list[str] = []
    while len(done) < len(files):
        ready = [p for p in sorted(files) if p not in done and all(n in done for n in needs[p] if n in files)]
        if not ready:
            raise SetupError(f"packages need each other: {sorted(set(files) - set(done))}", "see their files")
        done += ready
    return done


def write_package(name: str, source: Path, files: set[str], needs: set[str], place: Path) -> None:
    """A package of some of the interfaces of another, as CMake wants it."""
    shutil.rmtree(place, ignore_errors=True)
    for file in files:
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / file, place / file)
    depends = "\n  ".join(f"<depend>{n}</depend>" for n in sorted(needs))
    listed = "\n  ".join(f'"{f}"' for f in sorted(files))
    cmake = CMAKE.format(name=name, dependencies=" ".join(sorted(needs)), files=listed)
    (place / "CMakeLists.txt").write_text(cmake, encoding="utf-8")
    (place / "package.xml").write_text(PACKAGE.format(name=name, depends=depends), encoding="utf-8")


def build(place: Path, prefix: Path) -> None:
    """As setup_environment.py builds mmrobot_msgs, installed elsewhere."""
    cmake, out = str(VENV / "bin" / "cmake"), place / "build"
    configure = [cmake, "-S", str(place), "-B", str(out), "-DBUILD_TESTING=OFF"]
    configure += [
        f"-DCMAKE_PREFIX_PATH={prefix};{VENV}",
        f"-DCMAKE_INSTALL_PREFIX={prefix}",
        f"-DPython3_EXECUTABLE={PYTHON}",
    ]
    variables = environment()
    variables["AMENT_PREFIX_PATH"] = f"{prefix}{os.pathsep}{VENV}"
    run(configure, env=variables)
    run([cmake, "--build", str(out), "--parallel", str(os.cpu_count() or 1)], env=variables)
    run([cmake, "--install", str(out)], env=variables)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--source", type=Path, action="append", required=True, help="folder of packages")
    parser.add_argument("--prefix", type=Path, required=True, help="where to install, outside of .venv")
    parser.add_argument("interfaces", nargs="+", help="such as control_msgs/action/FollowJointTrajectory")
    arguments = parser.parse_args()
    prefix = arguments.prefix.expanduser().resolve()
    try:
        files, needs = closure(arguments.interfaces, sources(arguments.source), [VENV])
        packages = sources(arguments.source)
        for name in in_order(files, needs):
            print(f"==> {name}: {len(files[name])} interfaces", flush=True)
            place = prefix / "build" / name
            write_package(name, packages[name], files[name], needs[name], place)
            build(place, prefix)
    except SetupError as error:
        print(f"\nnot built: {error}\nfix: {error.fix}", file=sys.stderr)
        return 1
    shutil.rmtree(prefix / "build", ignore_errors=True)
    python = next(iter(sorted(prefix.glob("lib/python3*/site-packages"))), prefix)
    (prefix / "use.sh").write_text(USE.format(prefix=prefix, python=python), encoding="utf-8")
    print(f"built into {prefix}; now: source {prefix / 'use.sh'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

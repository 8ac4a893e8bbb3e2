"""The ament_python package: code, resource index, launch, config and simulation files, executables.

What is needed to run is in requirements.txt (make setup) and package.xml (rosdep), not here: colcon
builds on machines where half of it comes from apt.
"""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "mmrobot"
SHARED_FOLDERS = ("launch", "config", "sim")
NODES = (
    "simulator_node",
    "vlm_node",
    "executor_node",
    "manager_node",
    "arm_server_node",
    "console_node",
    "recorder_node",
    "gazebo_companion_node",
    "voice_node",
    "moveit_server_node",
    "navigation_server_node",
    "fault_injector_node",
    "faulty_vlm_node",
)


def shared_files():
    """(destination, files) of every folder below SHARED_FOLDERS, nesting kept, caches left out."""
    entries = []
    for top in map(Path, SHARED_FOLDERS):
        for folder in sorted([top, *(p for p in top.rglob("*") if p.is_dir())]):
            if "__pycache__" in folder.parts:
                continue
            files = sorted(str(p) for p in folder.iterdir() if p.is_file())
            if files:
                entries.append((f"share/{PACKAGE}/{folder.as_posix()}", files))
    return entries


setup(
    name=PACKAGE,
    version="0.1.0",
    description="One sentence and a camera picture become a typed 3-D plan that a robot carries out.",
    license="Apache-2.0",
    maintainer="mmrobot maintainers",
    maintainer_email="mmrobot@example.com",
    python_requires=">=3.11",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={
        PACKAGE: [
            f"**/*.{ending}"
            for ending in (
                "onnx",
                "safetensors",
                "json",
                "yaml",
                "txt",
                "md",
                "html",
                "css",
                "js",
                "svg",
                "gram",
                "typed",
            )
        ]
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *shared_files(),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "mmrobot = mmrobot.cli:main",
            *(f"{node} = mmrobot.ros.{node}:main" for node in NODES),
        ]
    },
)

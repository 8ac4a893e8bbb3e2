"""mmrobot's own files: worlds, models, settings, launch files."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from mmrobot.config import load_config
from mmrobot.doctor.findings import SETUP_FIX, Fault, shared_folder
from mmrobot.errors import MmrobotError


def check_simulation_files() -> str:
    """Worlds and models are there, and are XML."""
    worlds = sorted(shared_folder("sim").glob("worlds/*.sdf"))
    models = sorted(shared_folder("sim").glob("models/*/model.sdf"))
    if not worlds or not models:
        raise Fault(
            f"{len(worlds)} worlds and {len(models)} models found in sim/", "restore sim/: git checkout sim"
        )
    for path in (*worlds, *models):
        try:
            ET.parse(path)
        except ET.ParseError as error:
            raise Fault(f"{path}: {error}", f"restore it: git checkout {path}") from None
    return f"{len(worlds)} worlds, {len(models)} models in {worlds[0].parent.parent}"


def check_configuration() -> str:
    path = shared_folder("config") / "mmrobot.yaml"
    try:
        load_config(path)
    except MmrobotError as error:
        raise Fault(error.message, error.fix) from None
    return f"{path} is valid"


def check_launch_files() -> str:
    files = sorted(shared_folder("launch").glob("*.launch.py"))
    if not files:
        raise Fault("no launch files found", SETUP_FIX)
    return ", ".join(path.name.removesuffix(".launch.py") for path in files)

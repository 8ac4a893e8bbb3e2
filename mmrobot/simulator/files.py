"""Where the worlds and models are: in the checkout, or in the share folder that the package installs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mmrobot.errors import UnsupportedSdfError


def sim_folder() -> Path:
    """The folder `sim`. An environment made by pip or colcon has it under share/mmrobot."""
    prefixes = [
        Path(p) for p in (*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix) if p
    ]
    places = [Path(__file__).resolve().parents[2] / "sim"]
    places += [prefix / "share" / "mmrobot" / "sim" for prefix in prefixes]
    for place in places:
        if (place / "worlds").is_dir():
            return place
    raise UnsupportedSdfError(f"no folder sim/worlds in any of {[str(p) for p in places]}", "run: make setup")


WORLD_FILE = sim_folder() / "worlds" / "table.sdf"
MODELS_FOLDER = sim_folder() / "models"

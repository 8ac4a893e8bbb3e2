"""Cameras that people have, as data: which of a driver's topics is which, in config/cameras/*.yaml.

image, camera_info, depth and depth/camera_info are remapped to the driver's own; a camera without depth
has no `depth` among its topics.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mmrobot.errors import InvalidConfigError

ROLES = ("image", "camera_info", "depth", "depth/camera_info")
_TOPIC = re.compile(r"^/?[a-zA-Z~][\w~]*(/[a-zA-Z_]\w*)*$")


class CameraProfile(BaseModel):
    """One camera with its driver. Frozen, checked, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    driver: str = Field(min_length=5, description="how its driver is started")
    topics: dict[str, str] = Field(description="of ROLES: the driver's topic")
    encodings: dict[str, list[str]] = Field(description="what the driver publishes there")
    depth_unit: Literal["metres", "millimetres", ""] = Field(default="", description="of its depth pictures")
    optical_frame: str = Field(min_length=1, description="frame_id of its camera_info")
    base_frame: str = Field(min_length=1, description="what your tf places in base_link")
    reliability: Literal["reliable", "best_effort"] = Field(description="what the driver offers")

    @model_validator(mode="after")
    def _consistent(self) -> CameraProfile:
        unknown = set(self.topics) - set(ROLES)
        if unknown or not {"image", "camera_info"} <= set(self.topics):
            raise ValueError(f"topics are {sorted(self.topics)}, needed are image and camera_info")
        for role, topic in self.topics.items():
            if not _TOPIC.match(topic):
                raise ValueError(f"'{topic}' of {role} is no topic's name")
        if ("depth" in self.topics) != bool(self.depth_unit):
            raise ValueError("a camera with depth has a depth_unit, and only one with depth")
        for kind in ("image", "depth"):
            if (kind in self.topics) != bool(self.encodings.get(kind)):
                raise ValueError(f"encodings of '{kind}' do not fit its topics")
        wanted = {"16UC1": "millimetres", "32FC1": "metres"}
        other = [e for e in self.encodings.get("depth", []) if wanted.get(e) != self.depth_unit]
        if other:
            # REP-118: whole numbers are millimetres, floats metres.
            raise ValueError(f"depth in {other[0]} is not in {self.depth_unit}")
        return self


def load_profile(name: str, folder: Path) -> CameraProfile:
    """The profile of a name (or a path of one's own). Raises InvalidConfigError."""
    path = Path(name).expanduser() if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    known = sorted(p.stem for p in folder.glob("*.yaml"))
    if not path.is_file():
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise InvalidConfigError(
            f"there is no camera profile '{name}'", f"{hint}known: {', '.join(known)}, or give a YAML file"
        )
    try:
        return CameraProfile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        first = " ".join(str(error).split())
        raise InvalidConfigError(
            f"camera profile '{path.name}': {first[:300]}", "see config/cameras/realsense.yaml"
        ) from error

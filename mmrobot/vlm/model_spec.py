"""What config/models/*.yaml says of a model: where it comes from, which family reads it, what it needs.

A spec names one revision of a repository by its 40 hex digits, so that what runs is what was tested.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mmrobot.errors import InvalidConfigError

_REVISION = re.compile(r"[0-9a-f]{40}")

Backend = Literal["tensorrt", "torch", "transformers", "onnx", "remote"]


class ModelSpec(BaseModel):
    """One model. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=100, description="the name that people and plans use")
    family: str = Field(min_length=1, description="how it is asked and how it writes boxes: vlm/families")
    repo: str | None = Field(
        default=None, pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name on the hub; none if only remote"
    )
    revision: str | None = Field(default=None, description="the commit, 40 hex digits; needed for a repo")
    folder: Path | None = Field(
        default=None, description="a local folder with the weights, instead of a repo"
    )
    backends: tuple[Backend, ...] = Field(
        default=("transformers", "remote"), min_length=1, description="in the order of preference"
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="bfloat16", description="of the weights when loaded"
    )
    memory_gb: float = Field(
        gt=0, le=2000, description="GB (1e9 bytes) free before loading: weights, one picture, its cache"
    )
    license: str = Field(min_length=1, description="of the weights")
    served_as: str | None = Field(default=None, description="the model's name at a server; repo if not given")
    timeout_s: float = Field(default=60.0, gt=0, le=600, description="one reply may take this long")
    options: dict[str, Any] = Field(default_factory=dict, description="what the family takes besides")
    notes: str = Field(default="", description="for people")

    @field_validator("revision")
    @classmethod
    def _forty_hex(cls, value: str | None) -> str | None:
        if value is not None and not _REVISION.fullmatch(value):
            raise ValueError(f"must be the 40 hex digits of a commit, got '{value}'")
        return value

    @property
    def download_command(self) -> str:
        """The command that fetches the weights; empty for a spec without a repository."""
        return f"hf download {self.repo} --revision {self.revision or 'REVISION'}" if self.repo else ""

    def require_pinned(self) -> None:
        """Raises InvalidConfigError for a repository without a revision, with the command that finds it."""
        if self.folder is None and self.repo is None:
            raise InvalidConfigError(
                f"the model '{self.name}' has neither a repo nor a folder to load from",
                "give one of them, or use it through a server (backends: [remote])",
            )
        if self.folder is None and self.revision is None:
            raise InvalidConfigError(
                f"the model '{self.name}' ({self.repo}) has no revision: what it loads could change unseen",
                f"run: git ls-remote https://huggingface.co/{self.repo} HEAD, "
                "and write the 40 digits as `revision` into its YAML",
            )


def models_folder() -> Path:
    """The folder config/models: of the checkout, or of an installed package under share/mmrobot."""
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    places = [Path(__file__).resolve().parents[2] / "config" / "models"]
    places += [Path(p) / "share" / "mmrobot" / "config" / "models" for p in prefixes if p]
    for place in places:
        if place.is_dir():
            return place
    raise InvalidConfigError(
        f"no folder config/models in any of {[str(p) for p in places]}", "run: make setup"
    )


def load_spec(name_or_file: str | Path, folder: Path | None = None) -> ModelSpec:
    """A spec by the name of its YAML in config/models, or from a file.

    Raises InvalidConfigError, which names the nearest known model or the key that is wrong.
    """
    path = Path(name_or_file)
    if path.suffix not in (".yaml", ".yml"):
        known = spec_files(folder)
        if str(name_or_file) not in known:
            near = difflib.get_close_matches(str(name_or_file), known, 1, 0.3)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise InvalidConfigError(
                f"no model '{name_or_file}' in config/models", f"{hint}known: {', '.join(sorted(known))}"
            )
        path = known[str(name_or_file)]
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConfigError(
            f"the model file '{path}' cannot be read: {' '.join(str(error).split())}", "see config/models"
        ) from error
    if not isinstance(values, dict):
        raise InvalidConfigError(
            f"the model file '{path}' holds {type(values).__name__}, not keys",
            "see config/models for the form",
        )
    try:
        return ModelSpec.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidConfigError(
            f"the model file '{path}' is wrong: {faults}", f"keys: {', '.join(ModelSpec.model_fields)}"
        ) from error


def spec_files(folder: Path | None = None) -> dict[str, Path]:
    """The YAML files of config/models by the name of their model, which is the file's own."""
    return {path.stem: path for path in sorted((folder or models_folder()).glob("*.yaml"))}

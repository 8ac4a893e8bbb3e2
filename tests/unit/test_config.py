"""Every default once, and refusals that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.config import (
    Config,
    WorkArea,
    config_as_yaml,
    config_from_dict,
    default_config_file,
    load_config,
)
from mmrobot.errors import InvalidConfigError


def test_yaml_and_defaults_are_one():
    path = default_config_file()
    assert path is not None
    assert path.read_text() == config_as_yaml(), "run: python -m mmrobot.config > config/mmrobot.yaml"
    assert load_config(path) == Config() == load_config(None)


def test_absent_keys_keep_their_defaults(tmp_path: Path):
    file = tmp_path / "c.yaml"
    file.write_text("grounding: {threshold: 0.4}\nwork_area: {x_max_m: 1}\n")
    config = load_config(file)
    assert config.grounding.threshold == 0.4
    assert config.work_area.x_max_m == 1.0
    assert config.runner == Config().runner
    file.write_text("")
    assert load_config(file) == Config()


@pytest.mark.parametrize(
    ("values", "message", "fix"),
    [
        ({"grounding": {"treshold": 1}}, "unknown key 'grounding.treshold'", "'grounding.threshold'"),
        ({"camra": {}}, "unknown key 'camra'", "'camera'"),
        ({"grounding": {"threshold": 2}}, "'grounding.threshold' is 2", ">= 0 and <= 1"),
        ({"grounding": {"threshold": "x"}}, "is 'x'", "a number"),
        ({"runner": {"grasp_retries": 1.5}}, "is 1.5", "a whole number"),
        ({"gate": {"min_confidence": float("nan")}}, "is nan", "default 0.2"),
        ({"gate": None}, "'gate' is None", "a section"),
        ({"work_area": {"x_min_m": 1.0}}, "work area is empty", "range"),
        ({"heartbeat": {"timeout_s": 10.0}}, "give_up_s 3.0 is less than timeout_s 10.0", "range"),
        ([1], "holds list", "sections"),
    ],
)
def test_what_is_wrong_is_named(values, message, fix):
    with pytest.raises(InvalidConfigError) as error:
        config_from_dict(values)
    assert message in error.value.message
    assert fix in error.value.fix


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: [", "is not YAML"), (b"\xff\xfe\x00", "is not text"), (None, "cannot read")],
)
def test_unreadable_files(tmp_path: Path, content, message):
    file = tmp_path / "c.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidConfigError, match=message):
        load_config(file)


def test_work_area_contains():
    area = WorkArea()
    assert area.contains(0.25, 0.35)
    assert not area.contains(0.24, 0.0)
    assert area.contains(0.24, 0.0, 0.02)
    assert not area.contains(0.26, 0.0, -0.02)

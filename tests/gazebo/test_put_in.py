"""One episode in a true Gazebo, by the unchanged nodes. Twenty: python -m tests.gazebo.put_in"""

from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.tabletop.families import generate_episode
from tests.gazebo.put_in import carry_out

pytestmark = [pytest.mark.gazebo, pytest.mark.timeout(900)]


def test_a_thing_is_put_in_another(gazebo_root: Path, tmp_path: Path) -> None:
    episode = generate_episode("put_in", "L0", 1_000_000)
    result = carry_out(episode, gazebo_root, tmp_path)
    assert result.passed, result

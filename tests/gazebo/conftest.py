"""A true Gazebo 11 for the tests here, set up when first asked for; skipped where it is not permitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gazebo.install_gazebo import NotPermittedError, install


@pytest.fixture(scope="session")
def gazebo_root() -> Path:
    """The Debian that holds Gazebo. A set-up that is permitted and fails is a failure, not a skip."""
    try:
        return install()
    except NotPermittedError as error:
        pytest.skip(f"no Gazebo: {error}")

"""The transform buffer: chains, interpolation, and errors that name frames and stamps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from mmrobot.errors import TransformUnavailableError
from mmrobot.ros.transforms import TransformBuffer, pose_matrix, slerp

S = 1_000_000_000
UNIT = (0.0, 0.0, 0.0, 1.0)


def turned(angle: float) -> np.ndarray:
    return Rotation.from_rotvec([0, 0, angle]).as_quat()


def test_static_chain_and_its_inverse() -> None:
    buffer = TransformBuffer()
    buffer.add("base_link", "camera", 0, (1, 0, 0), turned(np.pi / 2), static=True)
    buffer.add("camera", "optical", 0, (0, 0, 2), UNIT, static=True)
    T = buffer.lookup("base_link", "optical", 123 * S)
    np.testing.assert_allclose(T @ [1, 0, 0, 1], [1, 1, 2, 1], atol=1e-12)
    np.testing.assert_allclose(buffer.lookup("optical", "base_link", 0) @ T, np.eye(4), atol=1e-12)


def test_siblings_meet_at_their_common_frame() -> None:
    buffer = TransformBuffer()
    buffer.add("world", "a", 0, (1, 0, 0), UNIT, static=True)
    buffer.add("world", "b", 0, (0, 1, 0), UNIT, static=True)
    np.testing.assert_allclose(buffer.lookup("a", "b", 5)[:3, 3], [-1, 1, 0])


def test_interpolates_between_samples() -> None:
    buffer = TransformBuffer()
    buffer.add("base", "hand", 1 * S, (0, 0, 0), turned(0))
    buffer.add("base", "hand", 2 * S, (2, 0, 0), turned(1.0))
    T = buffer.lookup("base", "hand", int(1.25 * S))
    np.testing.assert_allclose(T[:3, 3], [0.5, 0, 0], atol=1e-12)
    np.testing.assert_allclose(Rotation.from_matrix(T[:3, :3]).as_rotvec(), [0, 0, 0.25], atol=1e-9)


@pytest.mark.parametrize("stamp", [int(0.5 * S), int(2.5 * S)])
def test_never_extrapolates(stamp: int) -> None:
    buffer = TransformBuffer()
    buffer.add("base", "hand", 1 * S, (0, 0, 0), UNIT)
    buffer.add("base", "hand", 2 * S, (0, 0, 0), UNIT)
    with pytest.raises(TransformUnavailableError, match=r"base <- hand at .* known from 1.000 to 2.000"):
        buffer.lookup("base", "hand", stamp)


def test_unknown_frame_names_both_and_the_known() -> None:
    buffer = TransformBuffer()
    buffer.add("base", "hand", 0, (0, 0, 0), UNIT, static=True)
    with pytest.raises(
        TransformUnavailableError, match=r"base <- lens at 3.000 s: known frames are base, hand"
    ) as e:
        buffer.lookup("base", "lens", 3 * S)
    assert e.value.fix


def test_backward_clock_jump_forgets_the_old_world() -> None:
    buffer = TransformBuffer()
    for t in (100, 101):
        buffer.add("base", "hand", t * S, (9, 9, 9), UNIT)
    for t in (1, 2):
        buffer.add("base", "hand", t * S, (t, 0, 0), UNIT)
    np.testing.assert_allclose(buffer.lookup("base", "hand", int(1.5 * S))[:3, 3], [1.5, 0, 0])
    with pytest.raises(TransformUnavailableError):
        buffer.lookup("base", "hand", 100 * S)


def test_loop_is_an_error_not_a_hang() -> None:
    buffer = TransformBuffer()
    buffer.add("a", "b", 0, (0, 0, 0), UNIT, static=True)
    buffer.add("b", "a", 0, (0, 0, 0), UNIT, static=True)
    with pytest.raises(TransformUnavailableError, match="loop"):
        buffer.lookup("a", "b", 0)


@pytest.mark.parametrize(
    ("translation", "rotation"),
    [((np.nan, 0, 0), UNIT), ((0, 0, 0), (0, 0, 0, 0)), ((0, 0, 0), (np.inf, 0, 0, 1))],
)
def test_defective_transform_is_refused(translation: tuple, rotation: tuple) -> None:
    with pytest.raises(ValueError, match="a <- b"):
        TransformBuffer().add("a", "b", 0, translation, rotation)


def test_history_is_bounded() -> None:
    buffer = TransformBuffer()
    for i in range(5000):
        buffer.add("base", "hand", i * 1_000_000, (0, 0, 0), UNIT)
    assert len(buffer._edges["hand"].stamps) <= 2000


unit_quaternions = (
    st.lists(st.floats(-1, 1), min_size=4, max_size=4).map(np.array).filter(lambda q: np.linalg.norm(q) > 0.1)
)


@given(unit_quaternions, unit_quaternions, st.floats(0, 1))
def test_rotations_equal_scipys(first: np.ndarray, second: np.ndarray, part: float) -> None:
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    np.testing.assert_allclose(
        pose_matrix(np.zeros(3), first)[:3, :3], Rotation.from_quat(first).as_matrix(), atol=1e-12
    )
    if abs(first @ second) < 1e-3:
        return  # opposite rotations: either way round is right
    expected = Slerp([0, 1], Rotation.from_quat([first, second]))(part).as_matrix()
    found = pose_matrix(np.zeros(3), slerp(first, second, part))[:3, :3]
    np.testing.assert_allclose(found, expected, atol=1e-4)

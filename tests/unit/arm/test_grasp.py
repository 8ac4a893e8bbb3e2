from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.arm.clearance import hand_clearance
from mmrobot.arm.grasp import MAX_PENETRATION_M, plan_grasps, width_across
from mmrobot.arm.hand import HAND
from mmrobot.arm.placing import MAX_DROP_INTO_M, Held, plan_placements
from mmrobot.errors import UnreachableError
from mmrobot.planning.footprint import Footprint
from mmrobot.planning.vessel import inside_margin, is_hollow
from tests.support.fake_world import thing

BOWL = thing("bowl", 0.5, 0.0, (0.16, 0.16, 0.055), surface=0.006)
TRAY = thing("tray", 0.45, 0.1, (0.20, 0.15, 0.03), surface=0.005, yaw=0.4)
CUBE_HELD = Held("cube", 0.02, 0.04, (0.04, 0.04, 0.04), 0.0)
BAR_HELD = Held("bar", 0.013, 0.026, (0.09, 0.026, 0.026), math.pi / 2, math.pi / 2)


def along(a: float, b: float) -> float:
    """The angle between two directions of a line."""
    turn = (a - b) % math.pi
    return min(turn, math.pi - turn)


@given(yaw=st.floats(-1.57, 1.57), long=st.floats(0.05, 0.12), narrow=st.floats(0.015, 0.045))
def test_a_bar_is_taken_across(yaw: float, long: float, narrow: float) -> None:
    grasp = plan_grasps(thing("bar", 0.45, 0.0, (long, narrow, 0.026), yaw=yaw), ())[0]
    assert along(grasp.finger_yaw_rad, yaw + math.pi / 2) < 1e-6
    assert grasp.width_m == pytest.approx(narrow)
    assert narrow + 2 * 0.004 <= grasp.opening_m <= HAND.max_opening_m


@given(height=st.floats(0.012, 0.11), bottom=st.floats(0.0, 0.1))
def test_finger_ends_stay_off_the_ground_and_the_palm_off_the_top(height: float, bottom: float) -> None:
    target = thing("thing", 0.45, 0.0, (0.04, 0.04, height), bottom=bottom)
    z = plan_grasps(target, ())[0].tcp_m[2]
    assert z - HAND.tip_m >= bottom + 0.0035
    assert z + HAND.palm_m >= target.top_z_m + 0.007
    assert z <= max(target.top_z_m, bottom + 0.0125)


def test_a_cup_is_taken_from_outside() -> None:
    grasp = plan_grasps(thing("cup", 0.45, 0.0, (0.072, 0.072, 0.085), surface=0.005), ())[0]
    assert grasp.opening_m == pytest.approx(0.09)


def test_too_wide_is_refused_with_width_and_limit() -> None:
    with pytest.raises(UnreachableError, match="95 mm.*82 mm"):
        plan_grasps(thing("box", 0.45, 0.0, (0.12, 0.095, 0.05)), ())


def test_neighbours_turn_the_hand() -> None:
    """Where the best direction is blocked on one side, the fingers go in the other way."""
    cube = thing("cube", 0.45, 0.0)
    first = plan_grasps(cube, ())[0]
    offset = 0.04 + 0.010
    blocker = thing(
        "blocker", 0.45 + offset * math.cos(first.finger_yaw_rad), offset * math.sin(first.finger_yaw_rad)
    )
    turned = plan_grasps(cube, (blocker,))[0]
    assert along(turned.finger_yaw_rad, first.finger_yaw_rad) > 0.4
    assert turned.clearance_m > 0.0


def test_a_flat_neighbour_does_not_matter() -> None:
    cube = thing("cube", 0.45, 0.0)
    mat = thing("mat", 0.45, 0.04, (0.05, 0.05, 0.004))
    assert plan_grasps(cube, (mat,))[0] == plan_grasps(cube, ())[0]


def test_walled_in_is_refused() -> None:
    cube = thing("cube", 0.45, 0.0)
    walls = tuple(
        thing("wall", 0.45 + 0.031 * c, 0.031 * s, (0.02, 0.10, 0.08), yaw=math.atan2(s, c))
        for c, s in ((math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8))
    )
    with pytest.raises(UnreachableError, match="no room to take 'cube'"):
        plan_grasps(cube, walls)


@settings(max_examples=60)
@given(data=st.data())
def test_grasps_never_go_through_neighbours(data: st.DataObject) -> None:
    near = st.floats(-0.12, 0.12)
    cube = thing("cube", 0.45, 0.0, yaw=data.draw(st.floats(-1.5, 1.5)))
    others = []
    for _ in range(data.draw(st.integers(0, 4))):
        x, y = data.draw(near), data.draw(near)
        if math.hypot(x, y) > 0.055:
            others.append(thing("o", 0.45 + x, y, yaw=data.draw(st.floats(-1.5, 1.5))))
    try:
        grasps = plan_grasps(cube, others)
    except UnreachableError:
        return
    for grasp in grasps:
        room = hand_clearance(*grasp.tcp_m, grasp.finger_yaw_rad, grasp.opening_m, others)
        assert room >= -MAX_PENETRATION_M


def test_width_across_is_the_side_along_a_side() -> None:
    bar = thing("bar", 0.4, 0.0, (0.09, 0.03, 0.03), yaw=0.7)
    assert width_across(bar, 0.7) == pytest.approx(0.09)
    assert width_across(bar, 0.7 + math.pi / 2) == pytest.approx(0.03)


def test_hollow_things_leave_room_within() -> None:
    assert is_hollow(BOWL) and not is_hollow(thing("cube", 0.4, 0.0))
    small = Footprint(0.5, 0.0, 0.005, 0.009)
    assert inside_margin(BOWL, small, 0.05) > inside_margin(BOWL, small, 0.006) > 0.0
    assert inside_margin(BOWL, Footprint(0.58, 0.0, 0.005, 0.009), 0.05) < 0.0
    assert inside_margin(TRAY, Footprint(0.45, 0.1, 0.08, 0.06, 0.4), 0.02) > 0.0
    assert inside_margin(TRAY, Footprint(0.45, 0.1, 0.08, 0.06, 0.4 + math.pi / 2), 0.02) < 0.0


def test_taken_out_of_a_bowl_within_its_wall() -> None:
    cube = thing("cube", 0.5, 0.0, bottom=0.006)
    assert plan_grasps(cube, (BOWL,))[0].clearance_m > 0.0


@pytest.mark.parametrize(
    ("relation", "yaw"),
    [("left_of", 0.0), ("right_of", 0.0), ("behind", math.pi / 2), ("in_front_of", math.pi / 2)],
)
def test_fingers_open_across_the_relation(relation: str, yaw: float) -> None:
    reference = thing("reference", 0.45, 0.0)
    shift = {"left_of": (0, 1), "right_of": (0, -1), "behind": (1, 0), "in_front_of": (-1, 0)}[relation]
    goal = (0.45 + 0.07 * shift[0], 0.07 * shift[1], 0.0)
    best = plan_placements(CUBE_HELD, goal, relation, reference, ())[0]
    assert along(best.finger_yaw_rad, yaw) < 1e-6
    assert best.tcp_m == pytest.approx((*goal[:2], 0.024))


def test_a_long_thing_does_not_swing_into_the_reference() -> None:
    """The bar's side lies along the reference, whatever the fingers would like."""
    reference = thing("reference", 0.45, 0.0)
    goal = (0.45, 0.02 + 0.028 + 0.013, 0.0)
    best = plan_placements(BAR_HELD, goal, "left_of", reference, ())[0]
    bar_direction = best.finger_yaw_rad + BAR_HELD.turn_rad
    assert along(bar_direction, 0.0) < math.radians(20)


def test_into_a_bowl_low_when_the_fingers_fit_else_from_above_the_rim() -> None:
    low = plan_placements(CUBE_HELD, (0.5, 0.0, 0.006), "in", BOWL, ())[0]
    assert low.drop_m == pytest.approx(0.004)
    cup = thing("cup", 0.5, 0.0, (0.072, 0.072, 0.085), surface=0.005)
    ball = Held("ball", 0.021, 0.042, (0.042, 0.042, 0.042), 0.0)
    high = plan_placements(ball, (0.5, 0.0, 0.005), "in", cup, ())[0]
    assert high.tcp_m[2] - HAND.tip_m >= cup.top_z_m
    assert high.drop_m <= MAX_DROP_INTO_M


def test_the_turn_is_kept_where_any_would_do() -> None:
    turned = replace(CUBE_HELD, finger_yaw_rad=0.6)
    best = plan_placements(turned, (0.5, 0.0, 0.006), "in", BOWL, ())[0]
    assert along(best.finger_yaw_rad, 0.6) < 1e-6


def test_no_room_to_let_go_is_refused() -> None:
    walls = tuple(
        thing("wall", 0.45 + 0.031 * c, 0.031 * s, (0.02, 0.10, 0.12), yaw=math.atan2(s, c))
        for c, s in ((math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8))
    )
    with pytest.raises(UnreachableError, match="no room .* 'cube' at \\(0.45, 0.00, 0.00\\)"):
        plan_placements(CUBE_HELD, (0.45, 0.0, 0.0), None, None, walls)


def test_every_placement_leaves_the_fingers_room() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        others = [
            thing("o", 0.45 + 0.075 * math.cos(a), 0.075 * math.sin(a), yaw=float(rng.uniform(-1, 1)))
            for a in rng.uniform(0, 2 * math.pi, 2)
        ]
        for p in plan_placements(CUBE_HELD, (0.45, 0.0, 0.0), None, None, others):
            assert hand_clearance(*p.tcp_m, p.finger_yaw_rad, p.opening_m, others) > 0.0

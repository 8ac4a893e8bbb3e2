"""Several things in one vessel: beside, into or onto what lies there, or nowhere."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mmrobot.config import Config
from mmrobot.errors import UnsafeError
from mmrobot.planning.filling import spot_inside, spot_with_company
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.places import goal_position
from mmrobot.planning.vessel import inside_margin
from tests.support.fake_world import thing

TRAY = thing("tray", 0.45, 0.0, (0.20, 0.15, 0.03), surface=0.005, yaw=0.4)
CUBE = thing("cube", 0.3, 0.3)
CUP = thing("cup", 0.45, 0.0, (0.072, 0.072, 0.085), bottom=0.006, surface=0.011)
BAR = thing("bar", 0.3, 0.3, (0.12, 0.032, 0.032))


def test_an_empty_vessel_is_used_in_its_middle():
    assert spot_inside(CUBE, TRAY, [thing("far cube", 0.3, -0.3)]) == (0.45, 0.0, 0.005)


def test_the_second_goes_beside_the_first_on_the_floor():
    goal = spot_inside(CUBE, TRAY, [CUP])
    there = footprint_of(CUBE).at(*goal[:2])
    assert gap_m(there, footprint_of(CUP)) > 0.0
    aligned = replace(there, yaw_rad=TRAY.yaw_rad)
    assert max(inside_margin(TRAY, part, TRAY.top_z_m) for part in (there, aligned)) >= 0.0
    assert goal[2] == pytest.approx(0.005)


def test_a_long_thing_may_be_turned_to_fit_beside():
    beside = thing("cup", 0.45 - 0.05 * math.sin(0.4), 0.05 * math.cos(0.4), (0.06, 0.06, 0.07))
    goal = spot_inside(BAR, TRAY, [beside])
    assert goal[2] < 0.01, "beside the cup, not on it"


def test_the_first_of_two_leaves_the_middle():
    x, y = spot_with_company(CUP, TRAY)
    assert math.hypot(x - 0.45, y) > 0.04
    first = thing("cup", x, y, CUP.size_m, bottom=0.005)
    goal = spot_inside(CUBE, TRAY, [first])
    assert gap_m(footprint_of(CUBE).at(*goal[:2]), footprint_of(first)) >= 0.01


def test_what_has_no_room_beside_goes_into_or_onto_what_lies_there():
    narrow = thing("small bowl", 0.45, 0.0, (0.10, 0.10, 0.045), surface=0.006)
    into = spot_inside(CUBE, narrow, [CUP])
    assert into == pytest.approx((0.45, 0.0, CUP.surface_z_m))
    block = thing("block", 0.45, 0.0, (0.07, 0.07, 0.05), bottom=0.006)
    assert spot_inside(CUBE, narrow, [block]) == pytest.approx((0.45, 0.0, 0.056))


def test_a_full_vessel_is_said_to_be_full():
    narrow = thing("small bowl", 0.45, 0.0, (0.09, 0.09, 0.045), surface=0.006)
    pillar = thing("pillar", 0.45, 0.0, (0.02, 0.02, 0.12), bottom=0.006)
    large = thing("large cube", 0.3, 0.3, (0.06, 0.06, 0.06))
    with pytest.raises(UnsafeError, match="'small bowl' is full: 'pillar'.*'large cube'") as error:
        spot_inside(large, narrow, [pillar])
    assert error.value.rule == "full"


def test_nothing_is_put_on_what_carries_something_already():
    base, top = thing("base", 0.45, 0.0), thing("top", 0.45, 0.0, bottom=0.04)
    assert goal_position("on", CUBE, base, [], Config())[2] == pytest.approx(0.04)
    with pytest.raises(UnsafeError, match="'top' lies on 'base' already") as error:
        goal_position("on", CUBE, base, [top], Config())
    assert error.value.rule == "full"


def test_what_would_lie_across_the_rim_does_not_fit():
    cup = thing("cup", 0.45, 0.0, (0.06, 0.06, 0.07), surface=0.005)
    with pytest.raises(UnsafeError, match="'bar' does not fit into 'cup': it is 12 cm long") as error:
        spot_inside(BAR, cup, [])
    assert error.value.rule == "fits"
    assert spot_inside(BAR, thing("plate", 0.45, 0.0, (0.11, 0.11, 0.015), surface=0.006), [])


def test_nothing_is_stood_on_a_ball_that_looks_over_the_rim():
    narrow = thing("small bowl", 0.45, 0.0, (0.10, 0.10, 0.045), surface=0.006)
    ball = thing("ball", 0.45, 0.0, (0.054, 0.054, 0.054), bottom=0.006)
    with pytest.raises(UnsafeError, match="full"):
        spot_inside(CUP, narrow, [ball])
    low = thing("ball", 0.45, 0.0, (0.042, 0.042, 0.042), bottom=0.006)
    assert spot_inside(CUP, narrow, [low])[2] == pytest.approx(0.048)


def test_a_tray_whose_floor_is_hidden_is_still_shared():
    hidden = replace(TRAY, surface_z_m=TRAY.top_z_m)
    goal = goal_position("on", CUP, hidden, [thing("cube", 0.45, 0.0, bottom=0.005)], Config())
    assert math.hypot(goal[0] - 0.45, goal[1]) > 0.04
    assert goal[2] < 0.02

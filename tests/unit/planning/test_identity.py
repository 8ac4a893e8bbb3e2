"""One thing or two, and which of them."""

from __future__ import annotations

from mmrobot.planning.identity import seen_in_place
from mmrobot.planning.table import Table, same_thing
from tests.support.fake_world import thing

CUBE = thing("cube", 0.45, 0.0)


def test_things_in_and_on_each_other_are_two():
    tray = thing("tray", 0.45, 0.0, (0.20, 0.15, 0.03))
    assert same_thing(CUBE, thing("the cube", 0.452, 0.0))
    assert not same_thing(thing("cup", 0.45, 0.0, (0.07, 0.07, 0.085)), tray)
    upper = thing("upper", 0.45, 0.0, bottom=0.04)
    assert not same_thing(CUBE, thing("upper", 0.452, 0.03, bottom=0.04))
    assert same_thing(CUBE, upper) == (CUBE.box_xyxy == upper.box_xyxy), "one box is one thing"


def test_what_was_known_beside_it_is_not_it():
    ball = thing("ball", 0.47, 0.03)
    rolled = thing("ball", 0.46, 0.02)
    assert seen_in_place(CUBE, [ball], [rolled], 0.04) is None
    here = thing("some cube", 0.44, -0.01)
    assert seen_in_place(CUBE, [ball], [rolled, here], 0.04) is here


def test_what_is_half_hidden_may_be_smaller_but_not_larger():
    half, larger = thing("part", 0.45, 0.0, (0.03, 0.02, 0.03)), thing("plate", 0.45, 0.0, (0.12, 0.12, 0.02))
    assert seen_in_place(CUBE, [], [half], 0.04) is half
    assert seen_in_place(CUBE, [], [larger], 0.04) is None


def test_the_other_one_is_of_the_noun_where_none_is_left_of_its_kind():
    red, black = thing("red cube", 0.45, 0.0), thing("black cube", 0.5, 0.2)
    ball = thing("red ball", 0.4, -0.2)
    known = {"cube that is red": [red], "cube": [red, black], "that is red": [ball], "red": [ball]}
    table = Table(lambda phrase: known.get(phrase, []), [red, black, ball], recent=red)
    assert table.original[table.one("the other cube that is red")].position_m == black.position_m

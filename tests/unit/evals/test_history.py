"""What was touched and picked on the way, told from contacts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mmrobot.evals.history import History
from mmrobot.simulator.contacts import Contact
from mmrobot.tabletop.episode import Episode, Expect
from mmrobot.tabletop.goals import WorldState
from mmrobot.tabletop.scene import Scene, SceneObject

SCENE = Scene(
    0,
    (
        SceneObject("cup", "cup", "red", "small", (0.4, 0.1)),
        SceneObject("cube", "cube", "blue", "small", (0.5, 0.1)),
    ),
)


@dataclass
class Truth:
    """A simulator of which only contacts and grip are asked."""

    held: str | None = None
    time_s: float = 0.0
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def truth(self) -> WorldState:
        return WorldState({}, self.held, self.time_s)

    def contacts(self) -> tuple[Contact, ...]:
        return tuple(Contact(a, b, 1.0) for a, b in self.pairs)


def watched(*goals: str) -> tuple[Truth, History]:
    episode = Episode("e", SCENE, "words", expect=Expect("success", goals))
    truth = Truth()
    return truth, History(episode, truth)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pair", "held", "touched"),
    [
        (("cup", "finger"), None, {"cup"}),
        (("cube", "cup"), "cube", {"cup"}),
        (("cube", "cup"), None, set()),
        (("cup", "table"), None, set()),
    ],
)
def test_touched_is_by_the_arm_or_by_what_it_holds(
    pair: tuple[str, str], held: str | None, touched: set[str]
) -> None:
    truth, history = watched("never_touched(cup)")
    truth.pairs, truth.held = [pair], held
    history.see()
    assert set(history.told(WorldState()).touched) == touched


def test_a_grip_that_gives_way_for_an_instant_is_one_pick() -> None:
    truth, history = watched("picked_at_most(cube, 1)")
    for time_s, held in ((0.0, "cube"), (0.1, None), (0.2, "cube"), (3.0, None), (9.0, "cube")):
        truth.time_s, truth.held = time_s, held
        history.see()
    assert history.told(WorldState()).picks == {"cube": 2}


def test_nothing_is_watched_that_nobody_asks_about() -> None:
    truth, history = watched("in(cube, cup)")
    truth.pairs = [("cup", "finger")]
    history.see()
    assert not history.told(WorldState()).touched

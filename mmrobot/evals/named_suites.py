"""The suites that have a name, as data: which cells, how many episodes, which controls and which stress."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.conditions import CONTROLS, STRESS
from mmrobot.tabletop.families import FAMILIES, LEVELS

STRESS_FAMILIES = ("pick", "put_in")


@dataclass(frozen=True)
class NamedSuite:
    """`episodes` of each family and level; `control_episodes` of each family at L0 under each control;
    `stress_episodes` of STRESS_FAMILIES at L0 under each stress; `pairs` of pictures or words that differ in
    one thing; `scenes` for the threshold of pointing, as many again to measure it; `repeats` episodes are
    played twice, `videos` of the worst are filmed."""

    says: str
    episodes: int
    levels: tuple[str, ...] = tuple(LEVELS)
    families: tuple[str, ...] = tuple(FAMILIES)
    controls: tuple[str, ...] = ()
    control_episodes: int = 0
    stress: tuple[str, ...] = ()
    stress_episodes: int = 0
    pairs: int = 0
    scenes: int = 0
    repeats: int = 0
    videos: int = 0

    def scaled(self, episodes: int) -> NamedSuite:
        """With so many episodes of each cell; of less, all else is less in proportion, rounded up."""

        def share(count: int) -> int:
            return min(count, -(-count * episodes // self.episodes))

        return replace(
            self,
            episodes=episodes,
            control_episodes=share(self.control_episodes),
            stress_episodes=share(self.stress_episodes),
            pairs=share(self.pairs),
            scenes=share(self.scenes),
            repeats=share(self.repeats),
        )

    def under(self, conditions: Sequence[str]) -> NamedSuite:
        """With no other controls and stress than these."""
        return replace(
            self,
            controls=tuple(n for n in self.controls if n in conditions),
            stress=tuple(n for n in self.stress if n in conditions),
        )


_CONTROLS = tuple(c.name for c in CONTROLS)
_STRESS = tuple(c.name for c in STRESS)

SUITES = {
    "ci": NamedSuite(
        "minutes: every family at L0, the two controls that matter most",
        episodes=5,
        levels=("L0",),
        controls=("blind", "text"),
        control_episodes=5,
        pairs=10,
        repeats=2,
    ),
    "quick": NamedSuite(
        "an hour: every cell, every control, every stress, few of each",
        episodes=10,
        controls=_CONTROLS,
        control_episodes=5,
        stress=_STRESS,
        stress_episodes=10,
        pairs=25,
        scenes=100,
        repeats=4,
        videos=4,
    ),
    "full": NamedSuite(
        "a night on one core: every cell with 100 episodes",
        episodes=100,
        controls=_CONTROLS,
        control_episodes=15,
        stress=_STRESS,
        stress_episodes=50,
        pairs=100,
        scenes=300,
        repeats=10,
        videos=6,
    ),
}


def named_suite(name: str) -> NamedSuite:
    """Raises InvalidConfigError for a name that is unknown."""
    if name not in SUITES:
        near = difflib.get_close_matches(name, SUITES, 1, 0.5)
        meant = f"did you mean '{near[0]}'? " if near else ""
        raise InvalidConfigError(f"--suite '{name}' is unknown", f"{meant}known: {', '.join(SUITES)}")
    return SUITES[name]

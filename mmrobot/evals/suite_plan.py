"""What a suite plays: its options, and from them every episode under every condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError, InvalidSceneError
from mmrobot.evals.conditions import check_conditions
from mmrobot.evals.doable import ORACLE, has_oracle
from mmrobot.evals.executors import check_executor
from mmrobot.evals.manifest import Manifest, episode_hash
from mmrobot.evals.named_suites import STRESS_FAMILIES, NamedSuite, named_suite
from mmrobot.tabletop.episode import Episode, load_episodes
from mmrobot.tabletop.families import EVALUATION_SEED, FAMILIES, LEVELS, generate_episode, offers

DEFAULT_FAMILIES = ("pick", "put_in", "put_beside", "stack")
DEFAULT_EPISODES = 25


@dataclass(frozen=True)
class SuiteOptions:
    """What is run. `suite` is one of SUITES, whose families, levels and number of episodes (with less,
    all its numbers are less) may be overridden, and of whose conditions `ablate` chooses some; without one,
    `ablate` are runs of their own, each over all episodes; none is the whole robot. `only_doable` leaves out
    what the oracle fails; None: a named suite does so."""

    families: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    episodes: int | None = None
    seed: int = EVALUATION_SEED
    ablate: tuple[str, ...] = ()
    jobs: int = 1
    model: str = "mmrobot-nano"
    out: Path | None = None
    episodes_file: Path | None = None
    config: Config = field(default_factory=Config)
    suite: str = ""
    executor: str = "local"
    only_doable: bool | None = None

    def __post_init__(self) -> None:
        if self.episodes is not None and self.episodes < 1:
            raise InvalidConfigError(f"--episodes {self.episodes}", "give 1 or more")
        if self.jobs < 1:
            raise InvalidConfigError(f"--jobs {self.jobs}", "give 1 or more")
        check_conditions(self.ablate)
        check_executor(self.executor)
        if self.named is not None and self.episodes_file:
            raise InvalidConfigError(
                f"--suite {self.suite} has episodes of its own", "leave out --episodes-file, or --suite"
            )
        if self.suite:
            whole = named_suite(self.suite)
            strange = [n for n in self.ablate if n not in (*whole.controls, *whole.stress)]
            if strange:
                raise InvalidConfigError(
                    f"--suite {self.suite} does not play '{strange[0]}'",
                    f"its conditions: {', '.join((*whole.controls, *whole.stress))}",
                )

    @property
    def named(self) -> NamedSuite | None:
        """The suite as it is played: with the numbers and conditions asked for."""
        if not self.suite:
            return None
        whole = named_suite(self.suite)
        found = whole if self.episodes is None else whole.scaled(self.episodes)
        return found.under(self.ablate) if self.ablate else found

    @property
    def filters(self) -> bool:
        """Whether what cannot be done is not counted."""
        return self.named is not None if self.only_doable is None else self.only_doable


@dataclass(frozen=True)
class Task:
    """One episode under one condition ("" for none)."""

    episode: Episode
    ablation: str
    model: str
    config: Config
    pictures: Path | None

    @property
    def key(self) -> str:
        return f"{self.ablation}|{self.episode.name}"


@dataclass(frozen=True)
class SuitePlan:
    """Episodes by condition, "" or the first ablation first; which of them the oracle plays for the filter;
    `left_out`: cells for which there are no episodes, with the reason."""

    runs: dict[str, list[Episode]]
    oracle: list[Episode]
    left_out: dict[str, str]

    @property
    def main(self) -> list[Episode]:
        return next(iter(self.runs.values()))

    def tasks(self, options: SuiteOptions) -> list[Task]:
        """Everything that is to be played, the oracle's part first: what it knows is told early. Then the
        first episode of every cell, the second of every cell, and so on: a part of it says something of all.
        """
        pictures = None if options.out is None else options.out / "pictures"
        # A suite shows the whole robot's failures; those of its controls would fill the disk.
        shown = ("",) if options.suite else tuple(self.runs)
        played = {(ORACLE, e.name): (ORACLE, e) for e in self.oracle}
        played |= {(name, e.name): (name, e) for name, episodes in self.runs.items() for e in episodes}
        turn: Counter[tuple[str, str, str]] = Counter()
        rounds: list[tuple[int, Task]] = []
        for name, e in played.values():
            turn[name, e.family, e.level] += 1
            folder = pictures / (name or "full") if pictures and name in shown else None
            task = Task(e, name, options.model, options.config, folder)
            rounds.append((0 if name == ORACLE and self.oracle else turn[name, e.family, e.level], task))
        return [task for _, task in sorted(rounds, key=lambda r: r[0])]

    def manifest(self) -> Manifest:
        """Of all runs; the oracle's say nothing of what was measured."""
        return Manifest.of((name, e) for name, episodes in self.runs.items() for e in episodes)

    def hashes(self, tasks: Sequence[Task]) -> dict[str, str]:
        """By key of a task, its episode's hash."""
        known = {e.name: episode_hash(e) for episodes in self.runs.values() for e in episodes}
        return {t.key: known[t.episode.name] for t in tasks}


def plan_suite(options: SuiteOptions, made: Callable[[int], None] = lambda count: None) -> SuitePlan:
    """`made` hears how many episodes there are so far. Raises InvalidConfigError and InvalidSceneError for
    families, levels and files that are unknown."""
    left_out: dict[str, str] = {}
    if options.episodes_file is not None:
        main = load_episodes(options.episodes_file)
    else:
        main = []
        for episode in _generated(options, left_out):
            main.append(episode)
            made(len(main))
    if not main:
        raise InvalidConfigError("no episode is left to play", "choose other families and levels")
    named = options.named
    if named is None:
        runs = dict.fromkeys(options.ablate or ("",), main)
    else:
        runs = {"": main}
        for name in named.controls:
            runs[name] = _first_of_each(main, named.control_episodes)
        for name in named.stress:
            runs[name] = _first_of_each(main, named.stress_episodes, STRESS_FAMILIES)
        runs = {name: episodes for name, episodes in runs.items() if episodes}
    oracle = [e for e in main if has_oracle(e)] if options.filters else []
    return SuitePlan(runs, oracle, left_out)


def _generated(options: SuiteOptions, left_out: dict[str, str]) -> Iterator[Episode]:
    named = options.named
    families = options.families or (named.families if named else DEFAULT_FAMILIES)
    levels = options.levels or (named.levels if named else ("L0",))
    count = options.episodes or (named.episodes if named else DEFAULT_EPISODES)
    for kind, names, known in (("family", families, tuple(FAMILIES)), ("level", levels, tuple(LEVELS))):
        for name in names:
            if name not in known:
                raise InvalidConfigError(f"'{name}' is no known {kind}", f"known: {', '.join(known)}")
    for family in families:
        for level in (name for name in levels if offers(family, name)):
            for i in range(count):
                try:
                    yield generate_episode(family, level, options.seed + i)
                except InvalidSceneError as error:
                    # The suite goes on without it and says so.
                    left_out[f"{family}_{level}_{options.seed + i}"] = error.message


def _first_of_each(
    episodes: Sequence[Episode], count: int, families: Sequence[str] | None = None
) -> list[Episode]:
    """The first so many of each family at L0."""
    chosen: list[Episode] = []
    for family in dict.fromkeys(e.family for e in episodes):
        if families is None or family in families:
            chosen += [e for e in episodes if (e.family, e.level) == (family, "L0")][:count]
    return chosen

"""What a named suite finds out beside its episodes: whether plans follow words and picture, how good the
threshold of pointing is, and whether the same episode twice is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmrobot.evals.conformal import conformal
from mmrobot.evals.counterfactuals import counterfactuals
from mmrobot.evals.episode_runner import run_episode
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.suite_plan import SuiteOptions
from mmrobot.tabletop.episode import Episode
from mmrobot.vlm.interface import VisionLanguageModel


class Extras:
    """Of one suite, over the model that played it. `stage` hears (what, done, total)."""

    def __init__(
        self, options: SuiteOptions, vlm: VisionLanguageModel, stage: Callable[[str, int, int], None]
    ) -> None:
        assert options.named is not None
        self._options, self._named, self._vlm, self._stage = options, options.named, vlm, stage

    def figures(self, main: Sequence[Episode], results: Mapping[str, EpisodeResult]) -> dict[str, Any]:
        """`counterfactuals`, `pointing`, `repeats`, each only where the suite asks for it."""
        named, options = self._named, self._options
        found: dict[str, Any] = {}
        if named.repeats:
            found["repeats"] = self._repeats(main, results)
        if named.pairs:
            found["counterfactuals"] = counterfactuals(
                self._vlm,
                options.config,
                named.pairs,
                options.seed,
                lambda done, total: self._stage("pairs", done, total),
            )
        if named.scenes:
            found["pointing"] = conformal(
                self._vlm,
                options.config.grounding,
                named.scenes,
                lambda done, total: self._stage("pointing", done, total),
                options.seed,
            )
        return found

    def _repeats(self, main: Sequence[Episode], results: Mapping[str, EpisodeResult]) -> dict[str, Any]:
        """Some episodes from all over the suite, played again; `differ` names those that went otherwise."""
        step = max(len(main) // self._named.repeats, 1)
        chosen = main[::step][: self._named.repeats]
        differ = []
        for i, episode in enumerate(chosen):
            again = run_episode(episode, self._vlm, model=self._options.model, config=self._options.config)
            if not alike(again, results[f"|{episode.name}"]):
                differ.append(episode.name)
            self._stage("again", i + 1, len(chosen))
        return {"n": len(chosen), "differ": differ}


def alike(a: EpisodeResult, b: EpisodeResult) -> bool:
    """Whether two runs went the same way: plan, outcome, reason and simulated time."""
    return (a.plan, a.outcome, a.reason, a.retries, a.simulated_s) == (
        b.plan, b.outcome, b.reason, b.retries, b.simulated_s,
    )  # fmt: skip
